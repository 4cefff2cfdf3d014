"""`tdcur generate`."""

from datetime import UTC, datetime
from pathlib import Path

import typer

from td_currents_cli.cli import options
from td_currents_cli.cli.command import command, output_option
from td_currents_cli.generate import START, GenerateFormat, GenerateRequest
from td_currents_cli.outcome import Outcome
from td_currents_cli.render.terminal import ProgressLine


def _unix_seconds(value: str | int) -> int:
    if isinstance(value, int):  # the default, which Typer converts too
        return value
    try:
        moment = datetime.fromisoformat(value)
    except ValueError as error:
        raise typer.BadParameter(f"{value!r} is not a time such as 2026-07-01T00:00:00Z") from error
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


@command(
    examples=(
        "tdcur generate --events 300000 -o big.jsonl",
        "tdcur generate --type '*.email.*' | tdcur count",
        "tdcur generate --shape avro-export -o export/",
    ),
)
def generate(
    *,
    events: int = output_option("--events", "-n", default=1000, min=0, help="Number of events."),
    seed: int = output_option(default=0, help="The same seed gives the same bytes."),
    types: list[str] | None = options.TYPES,
    shape: GenerateFormat = output_option(
        default=GenerateFormat.payloads,
        help="Payloads as Braze posts them, the rows that Treasure Data stores for them, or Braze's export to cloud "
        "storage: a folder of Avro files.",
    ),
    start: int = output_option(
        default=START,
        metavar="TIME",
        parser=_unix_seconds,
        help="Time of the first event (ISO 8601; UTC unless it has an offset).",
        show_default="2026-07-01T00:00:00Z",
    ),
    output: Path | None = output_option(
        "-o",
        "--output",
        help="Write to this file, which appears only when it is complete; with avro-export, to this new folder.",
        show_default="standard output",
    ),
    line: ProgressLine,
) -> Outcome:
    """Generate synthetic payloads with every type that Braze sends.

    Each line contains one batch of up to 100 events, of all types that Braze sends over HTTP and describes. The same
    options give the same bytes on every machine.

    All values are invented: addresses are under example.com and example.org, and phone numbers and IP addresses come
    from ranges reserved for fiction.
    """
    from td_currents_cli.events.filter import split_globs  # noqa: PLC0415 -- a command loads only what it runs
    from td_currents_cli.generate.command import run  # noqa: PLC0415

    globs = tuple(split_globs(types or ()))
    return run(
        GenerateRequest(events=events, seed=seed, types=globs, shape=shape, start=start, output=output),
        watch=line.watch,
    )
