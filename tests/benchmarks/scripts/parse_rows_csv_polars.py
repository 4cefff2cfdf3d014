"""Ingested rows as flat JSON Lines by Polars: cells decoded with an inferred schema, structs unnested."""

import sys

import polars as pl

events = (
    pl.read_csv(sys.argv[1], schema={"time": pl.Int64, "events": pl.String})
    .get_column("events")
    .str.json_decode(infer_schema_length=None)
    .explode()
    .struct.unnest()
)
events.unnest("user", "properties").write_ndjson(sys.stdout.buffer)
