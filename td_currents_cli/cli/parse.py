"""`tdcur parse`."""

from pathlib import Path
from typing import Annotated

import typer

from td_currents_cli.cli.common import Column, FromForm, NoHeader, Paths, command
from td_currents_cli.outcome import Outcome
from td_currents_cli.read.options import From, ReadOptions


@command
def parse(
    paths: Paths = None,
    *,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", show_default="standard output", help="Write the events here, all or nothing."),
    ] = None,
    rejects: Annotated[
        Path | None, typer.Option("--rejects", help="Write rejected rows here, one JSON object a line.")
    ] = None,
    form: FromForm = From.AUTO,
    column: Column = None,
    no_header: NoHeader = False,
) -> Outcome:
    """Turn ingested rows back into flat events, one JSON object a line."""
    from td_currents_cli.parse import ParseRequest, run  # noqa: PLC0415 -- a command loads only what it runs
    from td_currents_cli.read import sources  # noqa: PLC0415

    reading = ReadOptions.of(form, column, no_header=no_header)
    return run(ParseRequest(sources=sources(paths), output=output, rejects=rejects, reading=reading))
