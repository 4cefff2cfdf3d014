"""`tdcur generate`."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from td_currents_cli.cli.common import command
from td_currents_cli.generate import START, GenerateFormat, GenerateRequest
from td_currents_cli.outcome import Outcome


def _unix_seconds(text: str | int) -> int:
    """UNIX seconds of an ISO time; one without a zone is UTC."""
    if isinstance(text, int):  # the default, which Typer converts too
        return text
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is not a time such as 2026-07-01T00:00:00Z") from error
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


@command
def generate(
    *,
    events: Annotated[int, typer.Option("--events", "-n", min=0, help="How many events.")] = 1000,
    seed: Annotated[int, typer.Option("--seed", help="The same seed gives the same bytes, another one others.")] = 0,
    types: Annotated[
        list[str] | None,
        typer.Option(
            "--type",
            metavar="GLOB",
            help="Only types that match, such as '\\*.email.\\*'; '!\\*.Abort' leaves types out. Can be repeated.",
            show_default=False,
        ),
    ] = None,
    shape: Annotated[
        GenerateFormat,
        typer.Option("--shape", help="Payloads as Braze posts them, or the rows Treasure Data makes of them."),
    ] = GenerateFormat.payloads,
    start: Annotated[
        int,
        typer.Option(
            "--start",
            metavar="TIME",
            parser=_unix_seconds,
            help="When the first event happens (ISO 8601, UTC without a zone).",
            show_default="2026-07-01T00:00:00Z",
        ),
    ] = START,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Write here, all or nothing.", show_default="standard output")
    ] = None,
) -> Outcome:
    """Make synthetic payloads: every event type Braze sends over HTTP, with realistic, invented values.

    A line holds one batch of up to 100 events. The same options give the same bytes on every machine.

    Nobody real is in them: addresses are under example.com and example.org, numbers in ranges kept for fiction.

    Examples: `tdcur generate -n 300000 -o big.jsonl`; `tdcur generate --type '*.email.*' | tdcur count`
    """
    from td_currents_cli.generate.run import run  # noqa: PLC0415 -- a command loads only what it runs

    return run(
        GenerateRequest(events=events, seed=seed, types=tuple(types or ()), shape=shape, start=start, output=output)
    )
