"""The query for a table's events without those whose id came before."""

from typing import Final

from td_currents_cli.catalog.dialect import Dialect
from td_currents_cli.errors import UsageError
from td_currents_cli.events.filter import EVERYTHING
from td_currents_cli.warehouse.address import Address
from td_currents_cli.warehouse.period import Period
from td_currents_cli.warehouse.sql.events import BatchEvents
from td_currents_cli.warehouse.sql.flatten import first_ones
from td_currents_cli.warehouse.sql.text import received

NTH: Final = "nth_of_its_id"


def dedupe_batches_sql(events: BatchEvents, dialect: Dialect = Dialect.TRINO) -> str:
    """The query for a table of batches: `received`, `id`, `event_type`, `time` and `event` (JSON text) of each event.

    Raises:
        UsageError: it cannot be said in that dialect.
    """
    if dialect is not Dialect.TRINO:
        raise UsageError(
            f"batches cannot be taken apart in {dialect.title()}",
            hint="Leave --dialect out, or give --layout flat or --layout streaming for a table of flat events.",
        )
    return "\n".join(
        [
            f"WITH {events.lines},",
            first_ones(events, EVERYTHING, dedupe=True),
            "SELECT",
            "  received,",
            "  told_id AS id,",
            "  told_type AS event_type,",
            "  told_seconds AS time,",
            "  JSON_FORMAT(event) AS event",
            "FROM first_ones",
        ]
    )


def dedupe_flat_sql(address: Address, rows: Period, dialect: Dialect = Dialect.TRINO) -> str:
    """The query for a table of flat events: each event with all its columns, the first of an id by its time.

    It names no other column, for the streaming connector makes only those that some event needs. Since no dialect can
    leave one out of all, there is one more: NTH, always 1.
    """
    event_id, time = dialect.quoted("id"), dialect.quoted("time")
    place = f"ROW_NUMBER() OVER (PARTITION BY {event_id} ORDER BY {time})"
    numbered = f"CASE WHEN {event_id} IS NOT NULL AND {event_id} <> '' THEN {place} ELSE 1 END AS {NTH}"
    table = f"{dialect.quoted(address.database)}.{dialect.quoted(address.table)}"
    lines = [f"SELECT *, {numbered}", f"FROM {table}", f"WHERE {_received(rows, dialect)}"]
    return "\n".join(["SELECT *", "FROM (", *(f"  {line}" for line in lines), ") numbered", f"WHERE {NTH} = 1"])


def _received(rows: Period, dialect: Dialect) -> str:
    if dialect is not Dialect.SPARK:
        return received(rows)
    until = "" if rows.until is None else f" AND time < {rows.until:.0f}"
    return f"time >= {rows.since:.0f}{until}"
