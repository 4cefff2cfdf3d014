"""The query for a table's events without those whose id came before."""

from collections.abc import Sequence

from td_currents_cli.events.filter import EVERYTHING, Filter
from td_currents_cli.warehouse.address import Address
from td_currents_cli.warehouse.period import Period
from td_currents_cli.warehouse.sql.dialect import Dialect
from td_currents_cli.warehouse.sql.events import RECEIVED, BatchEvents
from td_currents_cli.warehouse.sql.flatten import TOLD_ID, TOLD_SECONDS, TOLD_TYPE, first_ones
from td_currents_cli.warehouse.sql.wanted import wanted


def dedupe_batches_sql(events: BatchEvents, meant: Filter = EVERYTHING) -> str:
    """The query for a table of batches: `received`, `id`, `event_type`, `time` and `event` (JSON text) of each event.

    Trino alone can take batches apart.

    Args:
        events: of which table.
        meant: which of them; the first of those that are meant is the first.
    """
    return "\n".join(
        [
            f"WITH {events.lines},",
            first_ones(events, meant, dedupe=True),
            "SELECT",
            f"  {RECEIVED} AS received,",
            f"  {TOLD_ID} AS id,",
            f"  {TOLD_TYPE} AS event_type,",
            f"  {TOLD_SECONDS} AS time,",
            "  JSON_FORMAT(event) AS event",
            "FROM first_ones",
        ]
    )


def dedupe_flat_sql(
    address: Address,
    rows: Period,
    columns: Sequence[str],
    dialect: Dialect = Dialect.TRINO,
    meant: Filter = EVERYTHING,
) -> str:
    """The query for a table of flat events: these columns of each event that is meant, the first by its time."""
    table = f"{dialect.quoted(address.database)}.{dialect.quoted(address.table)}"
    listed = ",\n  ".join(map(dialect.quoted, columns))
    event_id, time = dialect.quoted("id"), dialect.quoted("time")
    place = f"ROW_NUMBER() OVER (PARTITION BY {event_id} ORDER BY {time})"
    conditions = [dialect.received(rows)]
    if meant:
        conditions.append(wanted(meant, dialect.quoted("event_type"), time, dialect))
    numbered = f"CASE WHEN {event_id} IS NOT NULL AND {event_id} <> '' THEN {place} ELSE 1 END AS place"
    return (
        f"SELECT\n  {listed}\n"
        f"FROM (\n  SELECT\n  {listed},\n  {numbered}\n"
        f"  FROM {table}\n  WHERE {' AND '.join(conditions)}\n) numbered\n"
        "WHERE place = 1"
    )
