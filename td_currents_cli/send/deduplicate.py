"""The query that leaves out what is stored twice: Treasure Data's Postback API has no idempotency key.

For Treasure Data's Trino. The event's own `id` tells events apart, as Braze intends.
"""

from typing import Final
from urllib.parse import urlsplit

from td_currents_cli.send.endpoint import Endpoint
from td_currents_cli.send.sites import POSTBACK_PATH, Kind

# One row a request, with an array of events as JSON text. An event without an id is told apart by all of it.
_NESTED: Final = """\
SELECT arbitrary(event) AS event
FROM {table}
CROSS JOIN UNNEST(CAST(json_parse(events) AS ARRAY(JSON))) AS exploded (event)
GROUP BY coalesce(json_extract_scalar(event, '$.id'), json_format(event))"""

# One row an event.
_FLAT: Final = """\
SELECT * FROM (
  SELECT *, row_number() OVER (PARTITION BY id ORDER BY time) AS copy FROM {table}
) WHERE copy = 1 OR id IS NULL"""


def deduplicating_query(endpoint: Endpoint) -> str:
    """A query over the endpoint's table that gives each event once."""
    _, found, names = urlsplit(endpoint.shown).path.partition(POSTBACK_PATH)
    table = names.rstrip("/").replace("/", ".") if found else "YOUR_DATABASE.YOUR_TABLE"
    return (_FLAT if endpoint.kind is Kind.STREAMING else _NESTED).format(table=table)
