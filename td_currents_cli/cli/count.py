"""`tdcur count`."""

import sys
import time
from enum import StrEnum
from pathlib import Path
from typing import Final

from td_currents_cli.braze import Site
from td_currents_cli.choices import Sort
from td_currents_cli.cli import complete, options
from td_currents_cli.cli.command import ExplicitOptions, checks_option, command, filters_option, output_option
from td_currents_cli.outcome import Outcome
from td_currents_cli.read.options import InputFormat, ReadOptions
from td_currents_cli.render.terminal import ProgressLine, Terminal


class CountFormat(StrEnum):
    """Output format of counts."""

    table = "table"
    markdown = "markdown"
    html = "html"
    json = "json"
    jsonl = "jsonl"
    csv = "csv"
    tsv = "tsv"


TOP_ON_TERMINAL: Final = 1000
"""Drawing a row on a terminal takes milliseconds: hundreds of thousands of rows would take minutes."""


@command(
    examples=(
        "tdcur count payloads/ --by channel,day --pivot day",
        "tdcur count rows.csv --dedupe --expect counts.json",
        "tdcur count td://braze/currents --since -7d --by day",
    )
)
def count(
    paths: list[str] | None = options.PATHS,
    *,
    output_format: CountFormat = output_option("--format", default=CountFormat.table, help="Output format."),
    by: list[str] | None = output_option(
        metavar="NAME,…",
        autocompletion=complete.by_names,
        help="Group by event_type, category, channel, hour, day, week, month, source, or any field, such as "
        "campaign_name or properties.channel.",
        show_default="event_type",
    ),
    timezone: str = output_option(
        default="UTC", metavar="ZONE", help="Time zone of hours, days, weeks, and months, such as Europe/Berlin."
    ),
    pivot: str | None = output_option(metavar="NAME", help="Show the values of one of the --by names as columns."),
    all_types: bool = output_option("--all-types", default=False, help="Include event types with no events."),
    sort: Sort | None = output_option(metavar="ORDER", help="Order of groups.", show_default="count; name for times"),
    limit: int | None = output_option(
        "--limit",
        "--top",
        min=1,
        help="Maximum number of groups, and of columns of --pivot, to show; the others are added up.",
        show_default="all; 1000 on a terminal, without --verbose",
    ),
    wide: bool = output_option(
        "--wide", default=False, help="Show whole names and all columns, even if the terminal is narrower."
    ),
    unique: bool = output_option("--unique", default=False, help="Also count distinct event ids and users."),
    types: list[str] | None = options.TYPES,
    since: str | None = options.SINCE,
    until: str | None = options.UNTIL,
    received_since: str | None = options.RECEIVED_SINCE,
    received_until: str | None = options.RECEIVED_UNTIL,
    late: str = options.LATE,
    dedupe: bool = filters_option("--dedupe", default=False, help="Count each event id once."),
    expect: Path | None = checks_option(
        metavar="FILE", help="Exit with code 1 unless the counts match this file: 100, >=100, <=100, 100±5%."
    ),
    compare: Path | None = checks_option(metavar="FILE", help="Show the changes since an earlier count."),
    fail_on_drop: str | None = checks_option(
        metavar="PERCENT", help="With --compare: exit with code 1 if a group dropped by this much or more, such as 30%."
    ),
    form: InputFormat = options.INPUT_FORM,
    column: str | None = options.BATCH_COLUMN,
    no_header: bool = options.NO_HEADER,
    site: Site | None = options.TABLE_SITE,
    api_key_file: str | None = options.API_KEY_FILE,
    event_type: str | None = options.EVENT_TYPE,
    max_document_size: str = options.MAX_DOCUMENT_SIZE,
    jobs: int | None = options.JOBS,
    terminal: Terminal,
    line: ProgressLine,
    given: ExplicitOptions,
) -> Outcome:
    """Count events by type or any other field, in payloads and rows.

    A PATH such as td://DATABASE/TABLE is a table of Treasure Data: it is counted there with a query, and no rows are
    downloaded.

    The files for --expect and --compare are outputs of this command in the formats json, jsonl, csv, or tsv.
    """
    from td_currents_cli.count import CountRequest, run  # noqa: PLC0415 -- a command loads only what it runs
    from td_currents_cli.count.baseline import part_of  # noqa: PLC0415
    from td_currents_cli.count.dimensions import EVENT_TYPE, split_names  # noqa: PLC0415
    from td_currents_cli.events.filter import zone_of  # noqa: PLC0415

    on_terminal = output_format is CountFormat.table and sys.stdout.isatty()
    if on_terminal and not terminal.verbose:
        limit = limit or TOP_ON_TERMINAL
    zone = zone_of(timezone)
    wanted, received = options.selected(types, since, until, received_since, received_until, now=time.time(), zone=zone)
    with options.open_tables(
        paths,
        wanted,
        terminal,
        line,
        site=site,
        column=column,
        api_key_file=api_key_file,
        received=received,
        late=late,
        given=given,
    ) as tables:
        outcome = run(
            CountRequest(
                options.open_sources(paths, max_document_size, line, event_type=event_type, wanted=wanted)
                if tables is None
                else (),
                by=tuple(split_names(by or [EVENT_TYPE])),
                zone=zone,
                wanted=wanted,
                unique=unique,
                dedupe=dedupe,
                all_types=all_types,
                sort=sort,
                top=limit,
                pivot=pivot,
                over_time=on_terminal,
                wide=wide,
                expect=expect,
                compare=compare,
                fail_on_drop=None if fail_on_drop is None else part_of(fail_on_drop),
                reading=ReadOptions.of(form, column, no_header=no_header, received=received),
                jobs=options.worker_count(jobs),
                tables=tables,
            )
        )
        options.warn_of_types(wanted, terminal, outcome)
        return options.with_scanned_rows(outcome, tables)
