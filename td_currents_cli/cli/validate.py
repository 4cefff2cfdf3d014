"""`tdcur validate`."""

from enum import StrEnum
from pathlib import Path
from typing import Final

import typer

from td_currents_cli.cli import options
from td_currents_cli.cli.command import catalog_option, checks_option, command, output_option
from td_currents_cli.outcome import Outcome
from td_currents_cli.render.terminal import ProgressLine, Terminal


class ValidateFormat(StrEnum):
    """Output format of the problems."""

    text = "text"
    concise = "concise"
    grouped = "grouped"
    json = "json"
    jsonl = "jsonl"
    github = "github"
    sarif = "sarif"
    junit = "junit"


EXAMPLES: Final = {ValidateFormat.text: 3, ValidateFormat.concise: 3, ValidateFormat.grouped: 1}
"""Problems of a rule and event type that are printed for people without --verbose."""

DEFAULT_MAX_PROBLEMS: Final = 1000
"""Problems printed for people without --limit and --verbose."""


def _print_schema(requested: bool) -> None:
    if requested:
        from td_currents_cli.render.validate_ci import schema_text  # noqa: PLC0415 -- rarely used

        typer.echo(schema_text(), nl=False)
        raise typer.Exit


@command(
    examples=(
        "tdcur validate payloads/",
        "tdcur validate payloads/ --strict --format github",
        "tdcur validate payloads/ --baseline known.json",
    )
)
def validate(
    paths: list[str] | None = options.PATHS,
    *,
    output_format: ValidateFormat = output_option(
        "--format",
        default=ValidateFormat.text,
        help="Output format: concise prints a line per problem, grouped counts equal problems.",
    ),
    schema: bool = output_option(  # noqa: ARG001 -- its callback does it
        "--schema",
        default=False,
        callback=_print_schema,
        is_eager=True,
        help="Print the JSON Schema of --format json and exit.",
    ),
    statistics: bool = output_option("--statistics", default=False, help="Print the number of problems per rule."),
    limit: int | None = output_option(
        "--limit",
        "--max-findings",
        min=0,
        help="Maximum number of problems to print; all are counted.",
        show_default="1000; all in machine formats and with --verbose",
    ),
    select: list[str] | None = options.SELECT,
    ignore: list[str] | None = options.IGNORE,
    strict: bool = checks_option("--strict", default=False, help="Exit with code 1 for warnings, too."),
    baseline: Path | None = catalog_option(metavar="FILE", help="Ignore the problems recorded in this file."),
    write_baseline: Path | None = catalog_option(metavar="FILE", help="Record the problems of this run in a file."),
    event_type: str | None = options.EVENT_TYPE,
    max_document_size: str = options.MAX_DOCUMENT_SIZE,
    jobs: int | None = options.JOBS,
    terminal: Terminal,
    line: ProgressLine,
) -> Outcome:
    """Check payloads by Braze's catalog and Treasure Data's limits.

    The exit code is 1 if there are errors. `tdcur rules` lists the rules. For people, up to three problems of a rule
    and event type are printed, then the number of the others; --verbose prints all.
    """
    from td_currents_cli.catalog import load  # noqa: PLC0415 -- a command loads only what it runs
    from td_currents_cli.validate import ValidateRequest, run  # noqa: PLC0415
    from td_currents_cli.validate.command import Selection  # noqa: PLC0415

    examples = None if terminal.verbose else EXAMPLES.get(output_format)
    return run(
        ValidateRequest(
            sources=options.open_sources(paths, max_document_size, line, event_type=event_type),
            selection=Selection.of(select or (), ignore or ()),
            strict=strict,
            catalog=load(),
            baseline=baseline,
            write_baseline=write_baseline,
            keep=DEFAULT_MAX_PROBLEMS if limit is None and examples else limit,
            examples=examples,
            statistics=statistics,
            jobs=options.worker_count(jobs),
        )
    )
