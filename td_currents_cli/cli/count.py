"""`tdcur count`."""

from enum import StrEnum
from typing import Annotated

import typer

from td_currents_cli.cli.common import Paths, command
from td_currents_cli.outcome import Outcome


class CountFormat(StrEnum):
    """How counts are printed."""

    table = "table"
    json = "json"
    jsonl = "jsonl"
    csv = "csv"
    tsv = "tsv"


@command
def count(
    paths: Paths = None,
    *,
    output_format: Annotated[  # noqa: ARG001 -- the command decorator renders with it
        CountFormat, typer.Option("--format", help="How the counts are printed.")
    ] = CountFormat.table,
) -> Outcome:
    """Count events by type, in payload files and ingested rows alike."""
    from td_currents_cli.count import CountRequest, run  # noqa: PLC0415 -- a command loads only what it runs
    from td_currents_cli.read import sources  # noqa: PLC0415

    return run(CountRequest(sources(paths)))
