"""Cases by Polars: `with_polars.py CASE FILE`."""

import json
import sys

import polars as pl

# A lazy scan with a schema of what is needed.
EVENTS = pl.List(pl.Struct({"event_type": pl.String}))
ROWS = {"time": pl.Int64, "events": pl.String}

_, case, path = sys.argv
if case == "parse-rows-csv":
    # With an inferred schema, structs unnested.
    column = pl.read_csv(path, schema=ROWS).get_column("events")
    events = column.str.json_decode(infer_schema_length=None).explode().struct.unnest()
    events.unnest("user", "properties").write_ndjson(sys.stdout.buffer)
else:
    if case == "count-payloads":
        batches = pl.scan_ndjson(path, schema={"events": EVENTS}).select("events")
    else:
        batches = pl.scan_csv(path, schema=ROWS).select(pl.col("events").str.json_decode(EVENTS))
    types = batches.select(pl.col("events").explode().struct.field("event_type"))
    print(json.dumps(dict(types.group_by("event_type").len().collect().iter_rows())))
