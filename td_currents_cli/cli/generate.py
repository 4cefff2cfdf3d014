"""`tdcur generate`."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from td_currents_cli.cli.common import Panel, command
from td_currents_cli.cli.tables import Types
from td_currents_cli.generate import START, GenerateFormat, GenerateRequest
from td_currents_cli.outcome import Outcome


def _unix_seconds(value: str | int) -> int:
    if isinstance(value, int):  # the default, which Typer converts too
        return value
    try:
        moment = datetime.fromisoformat(value)
    except ValueError as error:
        raise typer.BadParameter(f"{value!r} is not a time such as 2026-07-01T00:00:00Z") from error
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


@command(
    examples=("tdcur generate -n 300000 -o big.jsonl", "tdcur generate --type '*.email.*' | tdcur count"),
)
def generate(
    *,
    events: Annotated[
        int, typer.Option("--events", "-n", min=0, help="Number of events.", rich_help_panel=Panel.OUTPUT)
    ] = 1000,
    seed: Annotated[
        int, typer.Option("--seed", help="The same seed gives the same bytes.", rich_help_panel=Panel.OUTPUT)
    ] = 0,
    types: Types = None,
    shape: Annotated[
        GenerateFormat,
        typer.Option(
            "--shape",
            help="Payloads as Braze posts them, or the rows that Treasure Data stores for them.",
            rich_help_panel=Panel.OUTPUT,
        ),
    ] = GenerateFormat.payloads,
    start: Annotated[
        int,
        typer.Option(
            "--start",
            metavar="TIME",
            parser=_unix_seconds,
            help="Time of the first event (ISO 8601; UTC unless it has an offset).",
            show_default="2026-07-01T00:00:00Z",
            rich_help_panel=Panel.OUTPUT,
        ),
    ] = START,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            help="Write to this file, which appears only when it is complete.",
            show_default="standard output",
            rich_help_panel=Panel.OUTPUT,
        ),
    ] = None,
) -> Outcome:
    """Generate synthetic payloads with every event type that Braze sends over HTTP.

    Each line contains one batch of up to 100 events. The same options give the same bytes on every machine.

    All values are invented: addresses are under example.com and example.org, and phone numbers and IP addresses come
    from ranges reserved for fiction.
    """
    from td_currents_cli.generate.run import run  # noqa: PLC0415 -- a command loads only what it runs

    return run(
        GenerateRequest(events=events, seed=seed, types=tuple(types or ()), shape=shape, start=start, output=output)
    )
