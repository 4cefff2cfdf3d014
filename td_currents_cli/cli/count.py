"""`tdcur count`."""

import sys
import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from td_currents_cli.choices import Sort
from td_currents_cli.cli.common import Panel, command
from td_currents_cli.cli.given import ExplicitOptions
from td_currents_cli.cli.tables import (
    ApiKeyFile,
    BatchColumn,
    InputForm,
    Jobs,
    NoHeader,
    Paths,
    Since,
    TableSite,
    Types,
    Until,
    open_tables,
)
from td_currents_cli.outcome import Outcome
from td_currents_cli.read.options import InputFormat, ReadOptions
from td_currents_cli.render.terminal import Terminal


class CountFormat(StrEnum):
    """Output format of counts."""

    table = "table"
    markdown = "markdown"
    json = "json"
    jsonl = "jsonl"
    csv = "csv"
    tsv = "tsv"


@command(
    examples=(
        "tdcur count payloads/ --by channel,day --pivot day",
        "tdcur count rows.csv --dedupe --expect counts.json",
        "tdcur count td://braze/currents --since -7d --by day",
    )
)
def count(
    paths: Paths = None,
    *,
    output_format: Annotated[
        CountFormat, typer.Option("--format", help="Output format.", rich_help_panel=Panel.OUTPUT)
    ] = CountFormat.table,
    by: Annotated[
        list[str] | None,
        typer.Option(
            "--by",
            metavar="NAME,…",
            help="Group by event_type, category, channel, hour, day, week, month, source, or any field, such as "
            "campaign_name or properties.channel.",
            show_default="event_type",
            rich_help_panel=Panel.OUTPUT,
        ),
    ] = None,
    timezone: Annotated[
        str,
        typer.Option(
            "--timezone",
            metavar="ZONE",
            help="Time zone of hours, days, weeks, and months, such as Europe/Berlin.",
            rich_help_panel=Panel.OUTPUT,
        ),
    ] = "UTC",
    pivot: Annotated[
        str | None,
        typer.Option(
            "--pivot",
            metavar="NAME",
            help="Show the values of one of the --by names as columns.",
            rich_help_panel=Panel.OUTPUT,
        ),
    ] = None,
    all_types: Annotated[
        bool,
        typer.Option("--all-types", help="Include event types with no events.", rich_help_panel=Panel.OUTPUT),
    ] = False,
    sort: Annotated[
        Sort | None,
        typer.Option(
            "--sort",
            help="Order of the groups.",
            show_default="count; name for times",
            rich_help_panel=Panel.OUTPUT,
        ),
    ] = None,
    top: Annotated[
        int | None,
        typer.Option(
            "--top",
            metavar="N",
            min=1,
            help="Show only the first N groups, and the sum of the others.",
            rich_help_panel=Panel.OUTPUT,
        ),
    ] = None,
    unique: Annotated[
        bool,
        typer.Option("--unique", help="Also count distinct event ids and users.", rich_help_panel=Panel.OUTPUT),
    ] = False,
    types: Types = None,
    since: Since = None,
    until: Until = None,
    dedupe: Annotated[
        bool, typer.Option("--dedupe", help="Count each event id once.", rich_help_panel=Panel.FILTERS)
    ] = False,
    expect: Annotated[
        Path | None,
        typer.Option(
            "--expect",
            metavar="FILE",
            help="Exit with code 1 unless the counts match this file: 100, >=100, <=100, 100±5%.",
            rich_help_panel=Panel.CHECKS,
        ),
    ] = None,
    compare: Annotated[
        Path | None,
        typer.Option(
            "--compare",
            metavar="FILE",
            help="Show the changes since an earlier count.",
            rich_help_panel=Panel.CHECKS,
        ),
    ] = None,
    fail_on_drop: Annotated[
        str | None,
        typer.Option(
            "--fail-on-drop",
            metavar="PERCENT",
            help="With --compare: exit with code 1 if a group dropped by this much or more, such as 30%.",
            rich_help_panel=Panel.CHECKS,
        ),
    ] = None,
    form: InputForm = InputFormat.AUTO,
    column: BatchColumn = None,
    no_header: NoHeader = False,
    site: TableSite = None,
    api_key_file: ApiKeyFile = None,
    jobs: Jobs = None,
    terminal: Terminal,
    given: ExplicitOptions,
) -> Outcome:
    """Count events by type or any other field, in payload files and ingested rows.

    A PATH such as td://DATABASE/TABLE is a table of Treasure Data: it is counted there with a query, and no rows are
    downloaded.

    The files for --expect and --compare are outputs of this command in the formats json, jsonl, csv, or tsv.
    """
    from td_currents_cli.count import CountRequest, run  # noqa: PLC0415 -- a command loads only what it runs
    from td_currents_cli.count.compare import part_of  # noqa: PLC0415
    from td_currents_cli.count.dimension import EVENT_TYPE, split_names  # noqa: PLC0415
    from td_currents_cli.events.filter import Filter  # noqa: PLC0415
    from td_currents_cli.events.moments import zone_of  # noqa: PLC0415
    from td_currents_cli.parallel.pool import worker_count  # noqa: PLC0415
    from td_currents_cli.read import sources  # noqa: PLC0415

    zone = zone_of(timezone)
    wanted = Filter.of(types=types, since=since, until=until, now=time.time(), zone=zone)
    with open_tables(
        paths, wanted, terminal, site=site, column=column, api_key_file=api_key_file, given=given
    ) as tables:
        return run(
            CountRequest(
                sources(paths) if tables is None else (),
                by=tuple(split_names(by or [EVENT_TYPE])),
                zone=zone,
                wanted=wanted,
                unique=unique,
                dedupe=dedupe,
                all_types=all_types,
                sort=sort,
                top=top,
                pivot=pivot,
                over_time=output_format is CountFormat.table and sys.stdout.isatty(),
                expect=expect,
                compare=compare,
                fail_on_drop=None if fail_on_drop is None else part_of(fail_on_drop),
                reading=ReadOptions.of(form, column, no_header=no_header),
                jobs=worker_count(jobs),
                tables=tables,
            )
        )
