"""Cases by DuckDB: `with_duckdb.py CASE FILE`, `with_duckdb.py reconcile ROWS PAYLOADS`; others are not used."""

import json
import sys

import duckdb

# Told how the CSV is written, far faster than having it guess.
CSV = """
    read_csv(
        ?, header = true, delim = ',', quote = '"', escape = '"', auto_detect = false,
        columns = {time: 'BIGINT', events: 'VARCHAR'}
    )
"""

# A path over JSON objects, far faster than a STRUCT column.
COUNT = """
    SELECT event_type, count(*)
    FROM (SELECT unnest(json_extract_string({column}, '{path}[*].event_type')) AS event_type FROM {table})
    GROUP BY event_type
"""

# Envelope, user and properties merged as JSON, event by event.
FLATTEN = r"""
    COPY (
        SELECT json_merge_patch(
            json_object('event_type', e->'event_type', 'id', e->'id', 'time', e->'time'),
            json_merge_patch(e->'user', e->'properties')
        ) AS line
        FROM (SELECT unnest(from_json(events, '["JSON"]')) AS e FROM {table})
    ) TO '/dev/stdout' (FORMAT csv, HEADER false, QUOTE '', ESCAPE '', DELIMITER E'\x01')
"""

GROUPS = """
    COPY (
        SELECT id, count(*)
        FROM (SELECT unnest(json_extract_string(json, '$.events[*].id')) AS id FROM read_ndjson_objects(?))
        GROUP BY id
    ) TO '/dev/stdout' (FORMAT csv, HEADER false)
"""

RECONCILE = """
    WITH ingested AS MATERIALIZED (SELECT unnest(json_extract_string(events, '$[*].id')) AS id FROM {table}),
    sent AS MATERIALIZED (
        SELECT unnest(json_extract_string(json, '$.events[*].id')) AS id FROM read_ndjson_objects(?)
    )
    SELECT
        (SELECT count(*) FROM sent) AS sent,
        (SELECT count(*) FROM ingested) AS ingested,
        (SELECT count(*) FROM sent ANTI JOIN ingested USING (id)) AS missing,
        (SELECT count(*) FROM ingested ANTI JOIN sent USING (id)) AS unexpected
"""

QUERIES = {
    "count-payloads": COUNT.format(column="json", path="$.events", table="read_ndjson_objects(?)"),
    "count-rows-csv": COUNT.format(column="events", path="$", table=CSV),
    "parse-rows-csv": FLATTEN.format(table=CSV),
    "count-groups": GROUPS,
    "reconcile": RECONCILE.format(table=CSV),
}

case, *paths = sys.argv[1:]
found = duckdb.execute(QUERIES[case], paths if case == "reconcile" else paths[:1])
if case == "reconcile":
    print(json.dumps(dict(zip([column[0] for column in found.description], found.fetchone(), strict=True))))
elif case != "count-groups" and case.startswith("count"):
    print(json.dumps(dict(found.fetchall())))
