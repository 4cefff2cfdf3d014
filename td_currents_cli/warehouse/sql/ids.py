"""The query for what identifies events: their id, type and time."""

from td_currents_cli.warehouse.sql.events import IS_EVENT, KIND, NUMBER, REJECTED, Events
from td_currents_cli.warehouse.sql.text import step


def ids_sql(events: Events) -> str:
    """The query, in Trino's dialect, for `id`, `event_type`, `time` and `kind` of each event of a table.

    `kind` is null for an event; a row or an event that nothing could be made of has a line too, with what it is.
    """
    members = {"id": (("id",),), "event_type": (("event_type",),), "time": (("time",),)}
    listed = [f"{events.member(paths)} AS m_{column}" for column, paths in members.items()]
    columns = [
        f"{events.name('m_id')} AS id",
        f"{events.name('m_event_type')} AS event_type",
        f"{events.seconds('m_time')} AS time",
        f"{KIND} AS kind",
    ]
    return "\n".join(
        [
            f"WITH {events.lines},",
            step("members", [NUMBER, REJECTED, IS_EVENT, *listed], "lines"),
            "SELECT",
            "  " + ",\n  ".join(columns),
            "FROM members",
            f"WHERE {REJECTED} OR {NUMBER} IS NOT NULL",
        ]
    )
