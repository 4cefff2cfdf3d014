"""Event types of ingested rows, counted by chDB: typed extraction from the cells of a CSV with a given schema."""

import json
import sys

import chdb

QUERY = """
    SELECT event_type, toUInt32(count())
    FROM (
        SELECT arrayJoin(JSONExtract(events, 'Array(Tuple(event_type String))')).event_type AS event_type
        FROM file({path:String}, CSVWithNames, 'time Int64, events String')
    )
    GROUP BY event_type
"""

lines = str(chdb.query(QUERY, "JSONCompactEachRow", params={"path": sys.argv[1]})).splitlines()
print(json.dumps(dict(map(json.loads, lines))))
