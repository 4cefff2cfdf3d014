"""The query for what identifies events: their id, type and time."""

from typing import Final

from td_currents_cli.warehouse.address import Address
from td_currents_cli.warehouse.layout import Layout
from td_currents_cli.warehouse.period import Period

_BATCHES: Final = """\
WITH batches AS (
  SELECT TRY(JSON_PARSE("{column}")) AS batch
  FROM "{database}"."{table}"
  WHERE {rows}
),
elements AS (
  SELECT element
  FROM batches
  CROSS JOIN UNNEST(COALESCE(
    TRY(CAST(batch AS ARRAY(JSON))),
    TRY(CAST(JSON_EXTRACT(batch, '$.events') AS ARRAY(JSON)))
  )) AS unnested (element)
),
events AS (
  -- An element may be an event, or the text of one.
  SELECT COALESCE(TRY(JSON_PARSE(JSON_EXTRACT_SCALAR(element, '$'))), element) AS event
  FROM elements
)
SELECT
  JSON_EXTRACT_SCALAR(event, '$.id') AS id,
  JSON_EXTRACT_SCALAR(event, '$.event_type') AS event_type,
  TRY_CAST(JSON_EXTRACT_SCALAR(event, '$.time') AS BIGINT) AS time
FROM events
"""

_FLAT: Final = """\
SELECT id, event_type, time
FROM "{database}"."{table}"
WHERE {rows}
"""


def ids_query(address: Address, layout: Layout, rows: Period) -> str:
    """The query, in Trino's dialect, for `id`, `event_type` and `time` of each event of a table.

    Args:
        address: of the table. Its names are those that Treasure Data allows: they hold nothing to be escaped.
        layout: how it keeps events.
        rows: when its rows were received.
    """
    form = _BATCHES if layout is Layout.BATCHES else _FLAT
    return form.format(column=address.column, database=address.database, table=address.table, rows=_received(rows))


def _received(rows: Period) -> str:
    until = "NULL" if rows.until is None else f"{rows.until:.0f}"
    return f"TD_TIME_RANGE(time, {rows.since:.0f}, {until})"
