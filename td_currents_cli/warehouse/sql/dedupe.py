"""The query for a table's events without those whose id came before."""

from typing import Final

from td_currents_cli.choices import Dialect
from td_currents_cli.events.filter import EVERYTHING, Filter
from td_currents_cli.warehouse.address import TableAddress
from td_currents_cli.warehouse.period import Period
from td_currents_cli.warehouse.sql.events import RECEIVED, BatchEvents
from td_currents_cli.warehouse.sql.flatten import EVENT_ID, EVENT_SECONDS, EVENT_TYPE, deduplicated_events
from td_currents_cli.warehouse.sql.text import receive_time_condition
from td_currents_cli.warehouse.sql.wanted import filter_condition

NTH: Final = "nth_of_its_id"


def dedupe_batches_sql(events: BatchEvents, meant: Filter = EVERYTHING) -> str:
    """The query for a table of batches: `received`, `id`, `event_type`, `time` and `event` (JSON) of each event.

    Trino alone can take batches apart.

    Args:
        events: of which table.
        meant: which of them; the first of those that are meant is the first.
    """
    return "\n".join(
        [
            f"WITH {events.lines},",
            deduplicated_events(events, meant, dedupe=True),
            "SELECT",
            f"  {RECEIVED} AS received,",
            f"  {EVENT_ID} AS id,",
            f"  {EVENT_TYPE} AS event_type,",
            f"  {EVENT_SECONDS} AS time,",
            "  JSON_FORMAT(event) AS event",
            "FROM first_ones",
        ]
    )


def dedupe_flat_sql(
    address: TableAddress, rows: Period, dialect: Dialect = Dialect.TRINO, meant: Filter = EVERYTHING
) -> str:
    """The query for a table of flat events: each event that is meant, with all columns, the first of an id by its time.

    It names no other column, for the streaming connector makes only those that some event needs. Since no dialect can
    leave one out of all, there is one more: NTH, always 1.
    """
    event_id, time = dialect.quoted("id"), dialect.quoted("time")
    place = f"ROW_NUMBER() OVER (PARTITION BY {event_id} ORDER BY {time})"
    numbered = f"CASE WHEN {event_id} IS NOT NULL AND {event_id} <> '' THEN {place} ELSE 1 END AS {NTH}"
    table = f"{dialect.quoted(address.database)}.{dialect.quoted(address.table)}"
    conditions = [_time_condition(rows, dialect)]
    if meant:
        conditions.append(filter_condition(meant, dialect.quoted("event_type"), time, dialect))
    lines = [f"SELECT *, {numbered}", f"FROM {table}", f"WHERE {' AND '.join(conditions)}"]
    return "\n".join(["SELECT *", "FROM (", *(f"  {line}" for line in lines), ") numbered", f"WHERE {NTH} = 1"])


def _time_condition(rows: Period, dialect: Dialect) -> str:
    if dialect is not Dialect.SPARK:
        return receive_time_condition(rows)
    until = "" if rows.until is None else f" AND time < {rows.until:.0f}"
    return f"time >= {rows.since:.0f}{until}"
