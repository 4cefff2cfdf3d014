"""`tdcur workflow`."""

from pathlib import Path

import typer

from td_currents_cli.braze import check_name
from td_currents_cli.choices import ProjectKind, Schedule, WorkflowAction
from td_currents_cli.cli import options
from td_currents_cli.cli.command import (
    ExplicitOptions,
    OutputFormat,
    command,
    input_option,
    output_option,
    refuse,
)
from td_currents_cli.outcome import Outcome


@command(
    examples=(
        "tdcur workflow init flatten/ --database braze --raw raw --flat flat",
        "tdcur workflow init models/ --database braze --raw raw --flat flat --dbt",
    ),
    no_args_is_help=True,
)
def workflow(
    action: WorkflowAction = typer.Argument(metavar="ACTION", help="init: write the files of a new project."),  # noqa: ARG001 -- there is only one
    folder: Path = typer.Argument(metavar="DIR", help="The folder of the project, created if missing."),
    *,
    database: str = input_option(default=..., metavar="NAME", help="Database of both tables."),
    raw: str = input_option(default=..., metavar="TABLE", help="Table that Braze fills, with a batch in each row."),
    flat: str = input_option(default=..., metavar="TABLE", help="Table for flat events, created by the first run."),
    column: str | None = options.TABLE_COLUMN,
    dbt: bool = output_option("--dbt", default=False, help="A dbt project, instead of a Treasure Workflow."),
    schedule: Schedule = output_option(default=Schedule.HOURLY, help="How often the workflow runs."),
    timezone: str = output_option(default="UTC", metavar="ZONE", help="Time zone of days and of the schedule."),
    force: bool = output_option("--force", default=False, help="Overwrite existing files."),
    output_format: OutputFormat = options.TEXT_FORMAT,  # noqa: ARG001 -- the command decorator renders with it
    given: ExplicitOptions,
) -> Outcome:
    """Write a project that flattens, counts, and watches a table.

    On a schedule, a Treasure Workflow flattens the rows that came since its last run, each event id once, counts events
    by day and type, and reports event types that drop by more than half against the same hours of the days before. The
    files are yours to read and change. Runs offline; no API key required.
    """
    from td_currents_cli.events.filter import zone_of  # noqa: PLC0415 -- a command loads only what it runs
    from td_currents_cli.treasure_data.address import SCHEME, parse_address  # noqa: PLC0415
    from td_currents_cli.workflow import WorkflowRequest  # noqa: PLC0415
    from td_currents_cli.workflow.command import run  # noqa: PLC0415

    if dbt:
        refuse(given & {"--schedule"}, "--dbt", "dbt has no schedule: whatever runs it has.")
    zone_of(timezone)
    for name, option in ((database, "--database"), (raw, "--raw"), (flat, "--flat")):
        check_name(name, option)
    return run(
        WorkflowRequest(
            folder=folder,
            kind=ProjectKind.DBT if dbt else ProjectKind.DIGDAG,
            raw=parse_address(f"{SCHEME}{database}/{raw}", column=column),
            flat=parse_address(f"{SCHEME}{database}/{flat}"),
            schedule=schedule,
            zone=timezone,
            force=force,
        )
    )
