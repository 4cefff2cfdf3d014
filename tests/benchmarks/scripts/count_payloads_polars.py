"""Event types of payload lines, counted by Polars: a lazy scan with a schema of what is needed."""

import json
import sys

import polars as pl

SCHEMA = {"events": pl.List(pl.Struct({"event_type": pl.String}))}

counts = (
    pl.scan_ndjson(sys.argv[1], schema=SCHEMA)
    .select(pl.col("events").explode().struct.field("event_type"))
    .group_by("event_type")
    .len()
    .collect()
)
print(json.dumps(dict(counts.iter_rows())))
