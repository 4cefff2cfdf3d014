"""The query for a table's events without duplicates."""

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


def dedupe_batches_sql(events: BatchEvents, event_filter: Filter = EVERYTHING) -> str:
    """Write the Trino query for `received`, `id`, `event_type`, `time` and `event` (JSON) of the events of batches."""
    return "\n".join(
        [
            f"WITH {events.lines},",
            deduplicated_events(events, event_filter, dedupe=True),
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
    address: TableAddress, rows: Period, dialect: Dialect = Dialect.TRINO, event_filter: Filter = EVERYTHING
) -> str:
    """Write the query for all columns of flat events, keeping the earliest event of each id.

    It names no other columns, because the streaming connector only creates those that some event needs. No dialect can
    exclude a column from `*`, so the result also has NTH, which is always 1.
    """
    event_id, time = dialect.quoted("id"), dialect.quoted("time")
    place = f"ROW_NUMBER() OVER (PARTITION BY {event_id} ORDER BY {time})"
    numbered = f"CASE WHEN {event_id} IS NOT NULL AND {event_id} <> '' THEN {place} ELSE 1 END AS {NTH}"
    table = f"{dialect.quoted(address.database)}.{dialect.quoted(address.table)}"
    conditions = [_time_condition(rows, dialect)]
    if event_filter:
        conditions.append(filter_condition(event_filter, dialect.quoted("event_type"), time, dialect))
    lines = [f"SELECT *, {numbered}", f"FROM {table}", f"WHERE {' AND '.join(conditions)}"]
    return "\n".join(["SELECT *", "FROM (", *(f"  {line}" for line in lines), ") numbered", f"WHERE {NTH} = 1"])


def _time_condition(rows: Period, dialect: Dialect) -> str:
    if dialect is not Dialect.SPARK:
        return receive_time_condition(rows)
    until = "" if rows.until is None else f" AND time < {rows.until:.0f}"
    return f"time >= {rows.since:.0f}{until}"
