"""Ingested rows as flat JSON Lines by chDB: each event's parts cut out as raw JSON and joined as text."""

import sys

import chdb

QUERY = r"""
    SELECT concat(
        '{"event_type":', JSONExtractRaw(e, 'event_type'), ',"id":', JSONExtractRaw(e, 'id'),
        ',"time":', JSONExtractRaw(e, 'time'),
        if(u = '{}', '', concat(',', substring(u, 2, length(u) - 2))),
        if(p = '{}', '', concat(',', substring(p, 2, length(p) - 2))), '}'
    )
    FROM (
        SELECT e, JSONExtractRaw(e, 'user') AS u, JSONExtractRaw(e, 'properties') AS p
        FROM (
            SELECT arrayJoin(JSONExtractArrayRaw(events)) AS e
            FROM file({path:String}, CSVWithNames, 'time Int64, events String')
        )
    )
"""

sys.stdout.buffer.write(chdb.query(QUERY, "TSVRaw", params={"path": sys.argv[1]}).bytes())
