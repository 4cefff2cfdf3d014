"""Cases by Polars: `with_polars.py CASE FILE`, `with_polars.py reconcile ROWS PAYLOADS`; others are not used."""

import json
import sys

import polars as pl

# A lazy scan with a schema of what is needed.
EVENTS = pl.List(pl.Struct({"event_type": pl.String}))
ROWS = {"time": pl.Int64, "events": pl.String}

IDS = pl.List(pl.Struct({"id": pl.String}))


def ids(batches: pl.LazyFrame) -> pl.LazyFrame:
    """The ids of the events."""
    return batches.select(pl.col("events").explode().struct.field("id"))


case, path = sys.argv[1:3]
if case == "reconcile":
    ingested = ids(pl.scan_csv(path, schema=ROWS).select(pl.col("events").str.json_decode(IDS)))
    sent = ids(pl.scan_ndjson(sys.argv[3], schema={"events": IDS}))
    lines = {
        "sent": sent,
        "ingested": ingested,
        "missing": sent.join(ingested, on="id", how="anti"),
        "unexpected": ingested.join(sent, on="id", how="anti"),
    }
    counts = pl.collect_all([each.select(pl.len()) for each in lines.values()])
    print(json.dumps({name: count.item() for name, count in zip(lines, counts, strict=True)}))
elif case == "count-groups":
    ids(pl.scan_ndjson(path, schema={"events": IDS})).group_by("id").len().sink_csv("/dev/stdout", include_header=False)
elif case == "parse-rows-csv":
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
