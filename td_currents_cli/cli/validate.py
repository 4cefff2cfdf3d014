"""`tdcur validate`."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer

from td_currents_cli.cli.common import Jobs, Paths, command
from td_currents_cli.outcome import Outcome

RULES: Final = "Which rules"
KNOWN: Final = "What is known"
OUTPUT: Final = "Output"


class ValidateFormat(StrEnum):
    """How findings are printed."""

    text = "text"
    json = "json"
    jsonl = "jsonl"
    github = "github"
    sarif = "sarif"
    junit = "junit"


MACHINE_FORMATS: Final = (ValidateFormat.json, ValidateFormat.jsonl, ValidateFormat.sarif, ValidateFormat.junit)
SHOWN: Final = 1000
"""Findings shown to people when nothing else is asked for."""


def _show_schema(asked: bool) -> None:
    if asked:
        from td_currents_cli.render.validate.schema import schema_text  # noqa: PLC0415 -- only when asked for

        typer.echo(schema_text(), nl=False)
        raise typer.Exit


@command
def validate(
    paths: Paths = None,
    *,
    output_format: Annotated[
        ValidateFormat, typer.Option("--format", help="How findings are printed.", rich_help_panel=OUTPUT)
    ] = ValidateFormat.text,
    schema: Annotated[  # noqa: ARG001 -- its callback does it
        bool,
        typer.Option(
            "--schema",
            callback=_show_schema,
            is_eager=True,
            help="Show the JSON Schema of --format json, and exit.",
            rich_help_panel=OUTPUT,
        ),
    ] = False,
    statistics: Annotated[
        bool, typer.Option("--statistics", help="Show how often each rule was broken.", rich_help_panel=OUTPUT)
    ] = False,
    max_findings: Annotated[
        int | None,
        typer.Option(
            "--max-findings",
            metavar="N",
            min=0,
            show_default="1000 for people, all for machines",
            help="Show so many, count all.",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    select: Annotated[
        list[str] | None,
        typer.Option("--select", metavar="CODE,…", help="Only these rules; TDC2 is a family.", rich_help_panel=RULES),
    ] = None,
    ignore: Annotated[
        list[str] | None,
        typer.Option("--ignore", metavar="CODE,…", help="Not these rules.", rich_help_panel=RULES),
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Warnings make the exit code 1 too.", rich_help_panel=RULES)
    ] = False,
    catalog: Annotated[
        Path | None,
        typer.Option("--catalog", metavar="FILE", help="Further event types and fields.", rich_help_panel=KNOWN),
    ] = None,
    baseline: Annotated[
        Path | None,
        typer.Option("--baseline", metavar="FILE", help="Accept the findings it holds.", rich_help_panel=KNOWN),
    ] = None,
    write_baseline: Annotated[
        Path | None,
        typer.Option("--write-baseline", metavar="FILE", help="Write the findings of this run.", rich_help_panel=KNOWN),
    ] = None,
    jobs: Jobs = None,
) -> Outcome:
    """Check payloads: JSON, envelope, fields, and what Treasure Data makes of them.

    Exits 1 when there are errors. `tdcur rules` lists what is checked.
    """
    from td_currents_cli.catalog import load, overlay  # noqa: PLC0415 -- a command loads only what it runs
    from td_currents_cli.parallel.pool import worker_count  # noqa: PLC0415
    from td_currents_cli.read import sources  # noqa: PLC0415
    from td_currents_cli.validate import ValidateRequest, run  # noqa: PLC0415
    from td_currents_cli.validate.selection import Selection  # noqa: PLC0415

    shown = SHOWN if max_findings is None and output_format not in MACHINE_FORMATS else max_findings
    return run(
        ValidateRequest(
            sources=sources(paths),
            selection=Selection.of(select or (), ignore or ()),
            strict=strict,
            catalog=overlay.load_overlay(catalog) if catalog else load(),
            baseline=baseline,
            write_baseline=write_baseline,
            keep=shown,
            statistics=statistics,
            jobs=worker_count(jobs),
        )
    )
