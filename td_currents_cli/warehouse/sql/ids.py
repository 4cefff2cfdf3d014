"""The query for what identifies events: their id, type and time; and for a digest of what they hold."""

from td_currents_cli.warehouse.sql.events import IS_EVENT, KIND, NUMBER, REJECTED, Events
from td_currents_cli.warehouse.sql.text import cte


def ids_sql(events: Events, *, with_outline: bool = False) -> str:
    """The query, in Trino's dialect, for `id`, `event_type`, `time` and `kind` of each event of a table.

    `kind` is null for an event; a row or an event that nothing could be made of has a line too, with what it is.
    `outline`, last where it is asked for, is null where there is none.
    """
    members = {"id": (("id",),), "event_type": (("event_type",),), "time": (("time",),)}
    listed = [f"{events.member(paths)} AS m_{column}" for column, paths in members.items()]
    outline = [f"{events.outline} AS outline"] if with_outline else []
    columns = [
        f"{events.name('m_id')} AS id",
        f"{events.name('m_event_type')} AS event_type",
        f"{events.seconds('m_time')} AS time",
        f"{KIND} AS kind",
        *(["outline"] if with_outline else []),
    ]
    return "\n".join(
        [
            f"WITH {events.lines},",
            cte("members", [NUMBER, REJECTED, IS_EVENT, *listed, *outline], "lines"),
            "SELECT",
            "  " + ",\n  ".join(columns),
            "FROM members",
            f"WHERE {REJECTED} OR {NUMBER} IS NOT NULL",
        ]
    )
