"""Cases by chDB: `with_chdb.py CASE FILE`; more arguments are not used."""

import json
import sys

import chdb

# Typed extraction, from lines faster than by the JSONEachRow input.
COUNT = """
    SELECT event_type, toUInt32(count())
    FROM (SELECT arrayJoin({events}).event_type AS event_type FROM file({{path:String}}, {form}))
    GROUP BY event_type
"""

# Each event's parts cut out as raw JSON and joined as text.
FLATTEN = r"""
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

GROUPS = """
    SELECT id, count() FROM
    (SELECT arrayJoin(JSONExtract(line, 'events', 'Array(Tuple(id String))')).id AS id
    FROM file({path:String}, LineAsString, 'line String'))
    GROUP BY id
"""

TYPE = "'Array(Tuple(event_type String))'"
QUERIES = {
    "count-payloads": COUNT.format(events=f"JSONExtract(line, 'events', {TYPE})", form="LineAsString, 'line String'"),
    "count-rows-csv": COUNT.format(
        events=f"JSONExtract(events, {TYPE})", form="CSVWithNames, 'time Int64, events String'"
    ),
    "parse-rows-csv": FLATTEN,
    "count-groups": GROUPS,
}

case, path = sys.argv[1:3]
if case == "count-groups":
    sys.stdout.buffer.write(chdb.query(GROUPS, "CSV", params={"path": path}).bytes())
elif case.startswith("count"):
    lines = str(chdb.query(QUERIES[case], "JSONCompactEachRow", params={"path": path})).splitlines()
    print(json.dumps(dict(map(json.loads, lines))))
else:
    sys.stdout.buffer.write(chdb.query(QUERIES[case], "TSVRaw", params={"path": path}).bytes())
