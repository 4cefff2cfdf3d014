"""Event types of payload lines, counted by DuckDB: a path over JSON objects, far faster than a STRUCT column."""

import json
import sys

import duckdb

QUERY = """
    SELECT event_type, count(*)
    FROM (SELECT unnest(json_extract_string(json, '$.events[*].event_type')) AS event_type FROM read_ndjson_objects(?))
    GROUP BY event_type
"""

print(json.dumps(dict(duckdb.execute(QUERY, [sys.argv[1]]).fetchall())))
