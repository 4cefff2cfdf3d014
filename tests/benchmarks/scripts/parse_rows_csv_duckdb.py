"""Ingested rows as flat JSON Lines by DuckDB: envelope, user and properties merged as JSON, event by event."""

import sys

import duckdb

QUERY = r"""
    COPY (
        SELECT json_merge_patch(
            json_object('event_type', e->'event_type', 'id', e->'id', 'time', e->'time'),
            json_merge_patch(e->'user', e->'properties')
        ) AS line
        FROM (
            SELECT unnest(from_json(events, '["JSON"]')) AS e
            FROM read_csv(
                ?, header = true, delim = ',', quote = '"', escape = '"', auto_detect = false,
                columns = {time: 'BIGINT', events: 'VARCHAR'}
            )
        )
    ) TO '/dev/stdout' (FORMAT csv, HEADER false, QUOTE '', ESCAPE '', DELIMITER E'\x01')
"""

duckdb.execute(QUERY, [sys.argv[1]])
