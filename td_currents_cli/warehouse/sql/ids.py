"""The query for the fingerprints of events: id, type, time, and a digest of the content."""

from td_currents_cli.warehouse.sql.events import IS_EVENT, KIND, NUMBER, REJECTED, Events
from td_currents_cli.warehouse.sql.text import cte


def ids_sql(events: Events, *, with_outline: bool = False) -> str:
    """Write the Trino query for `id`, `event_type`, `time`, `kind`, and optionally `outline`, of each event.

    `kind` is null for an event; a rejected row or event has a row of its own. `outline` may be null.
    """
    extracted = {"id": (("id",),), "event_type": (("event_type",),), "time": (("time",),)}
    listed = [f"{events.extract(paths)} AS m_{column}" for column, paths in extracted.items()]
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
            cte("extracted", [NUMBER, REJECTED, IS_EVENT, *listed, *outline], "lines"),
            "SELECT",
            "  " + ",\n  ".join(columns),
            "FROM extracted",
            f"WHERE {REJECTED} OR {NUMBER} IS NOT NULL",
        ]
    )
