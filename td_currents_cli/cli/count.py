"""`tdcur count`."""

import sys
import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer

from td_currents_cli.choices import Sort
from td_currents_cli.cli.common import WHICH, Column, FromForm, Jobs, NoHeader, Paths, Since, Types, Until, command
from td_currents_cli.cli.given import Given
from td_currents_cli.cli.tables import ApiKeyFile, TableSite, tables
from td_currents_cli.outcome import Outcome
from td_currents_cli.read.options import InputFormat, ReadOptions
from td_currents_cli.render.terminal import Terminal

GROUPS: Final = "Groups"
CHECKS: Final = "Checks"


class CountFormat(StrEnum):
    """How counts are printed."""

    table = "table"
    markdown = "markdown"
    json = "json"
    jsonl = "jsonl"
    csv = "csv"
    tsv = "tsv"


@command
def count(
    paths: Paths = None,
    *,
    output_format: Annotated[
        CountFormat, typer.Option("--format", help="How the counts are printed.")
    ] = CountFormat.table,
    by: Annotated[
        list[str] | None,
        typer.Option(
            "--by",
            metavar="NAME,…",
            help="event_type, category, channel, hour, day, week, month, source, or any field, such as campaign_name "
            "or properties.channel.",
            show_default="event_type",
            rich_help_panel=GROUPS,
        ),
    ] = None,
    timezone: Annotated[
        str,
        typer.Option(
            "--timezone", metavar="ZONE", help="Of hours, days, weeks, months: Europe/Berlin.", rich_help_panel=GROUPS
        ),
    ] = "UTC",
    pivot: Annotated[
        str | None,
        typer.Option("--pivot", metavar="NAME", help="One of --by, as columns of the table.", rich_help_panel=GROUPS),
    ] = None,
    all_types: Annotated[
        bool, typer.Option("--all-types", help="Also types that no event has.", rich_help_panel=GROUPS)
    ] = False,
    sort: Annotated[
        Sort | None,
        typer.Option(
            "--sort", help="Order of the groups.", show_default="count; name for times", rich_help_panel=GROUPS
        ),
    ] = None,
    top: Annotated[
        int | None,
        typer.Option(
            "--top", metavar="N", min=1, help="Only the first N, and the rest as one.", rich_help_panel=GROUPS
        ),
    ] = None,
    types: Types = None,
    since: Since = None,
    until: Until = None,
    dedupe: Annotated[bool, typer.Option("--dedupe", help="Count each event id once.", rich_help_panel=WHICH)] = False,
    unique: Annotated[
        bool, typer.Option("--unique", help="Also count different event ids and users.", rich_help_panel=GROUPS)
    ] = False,
    expect: Annotated[
        Path | None,
        typer.Option(
            "--expect",
            metavar="FILE",
            help="Exit 1 unless the counts are those of a file: 100, >=100, <=100, 100±5%.",
            rich_help_panel=CHECKS,
        ),
    ] = None,
    compare: Annotated[
        Path | None,
        typer.Option("--compare", metavar="FILE", help="Show what changed since a count.", rich_help_panel=CHECKS),
    ] = None,
    fail_on_drop: Annotated[
        str | None,
        typer.Option(
            "--fail-on-drop",
            metavar="PERCENT",
            help="With --compare: exit 1 if a group lost so much, such as 30%.",
            rich_help_panel=CHECKS,
        ),
    ] = None,
    form: FromForm = InputFormat.AUTO,
    column: Column = None,
    no_header: NoHeader = False,
    jobs: Jobs = None,
    site: TableSite = None,
    api_key_file: ApiKeyFile = None,
    terminal: Terminal,
    given: Given,
) -> Outcome:
    """Count events by type, or by anything else they hold, in payload files and ingested rows alike.

    A PATH of the form td://DATABASE/TABLE is a table of Treasure Data, which counts by itself: no row is downloaded.

    The files of --expect and --compare are what count writes as json, jsonl, csv or tsv.

    Examples: tdcur count payloads/ --by channel,day --pivot day; tdcur count rows.csv --dedupe --expect counts.json
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
    with tables(paths, wanted, terminal, site=site, column=column, api_key_file=api_key_file, given=given) as asked:
        return run(
            CountRequest(
                sources(paths) if asked is None else (),
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
                tables=asked,
            )
        )
