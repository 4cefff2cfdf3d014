"""`tdcur report`."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import structs

from td_currents_cli.braze import Site
from td_currents_cli.cli import options
from td_currents_cli.cli.command import (
    OutputFormat,
    command,
    filters_option,
    input_option,
    output_option,
)
from td_currents_cli.errors import UsageError
from td_currents_cli.outcome import Outcome
from td_currents_cli.render.terminal import ProgressLine, Terminal

if TYPE_CHECKING:
    from td_currents_cli.read import Source


@command(
    examples=(
        "tdcur report payloads/ -o report.html",
        "tdcur report payloads/ --ingested rows/*.csv --title 'July 2026'",
        "tdcur report --sent sent/ --ingested rows.csv --timezone Europe/Berlin",
        "tdcur report payloads/ --ingested td://braze/currents --received-since -7d",
    ),
    typer_class=options.MultiValueCommand,
)
def report(
    paths: list[str] | None = options.PATHS,
    *,
    output: Path = output_option(
        "-o",
        "--output",
        default=Path("report.html"),
        metavar="FILE",
        help="Write the page to this file; - for standard output.",
    ),
    title: str = output_option(default="", help="Heading of the page.", show_default="Braze Currents events"),
    timezone: str = output_option(
        default="UTC", metavar="ZONE", help="Time zone of hours and days, such as Europe/Berlin."
    ),
    limit: int = output_option(
        "--limit",
        default=30,
        min=1,
        help="Maximum number of event types, campaigns, and Canvases to show; the others are added up.",
    ),
    output_format: OutputFormat = output_option(
        "--format", default=OutputFormat.text, help="What to print: json has all numbers of the page."
    ),
    sent: list[str] | None = input_option(
        metavar="PATH…", help="What was sent, if it is not PATH. Takes several paths."
    ),
    ingested: list[str] | None = input_option(
        metavar="PATH…",
        help="Compare with what arrived: ingested rows, events parsed from them, or td://DATABASE/TABLE. Takes several "
        "paths.",
    ),
    column: str | None = options.BATCH_COLUMN,
    site: Site | None = options.TABLE_SITE,
    api_key_file: str | None = options.API_KEY_FILE,
    received_since: str | None = filters_option(
        metavar="TIME",
        help="Only ingested rows that Treasure Data received at or after this time: 2026-07-01T10:00Z, -7d.",
        show_default="-1d, for a table",
    ),
    select: list[str] | None = options.SELECT,
    ignore: list[str] | None = options.IGNORE,
    event_type: str | None = options.EVENT_TYPE,
    max_document_size: str = options.MAX_DOCUMENT_SIZE,
    jobs: int | None = options.JOBS,
    terminal: Terminal,
    line: ProgressLine,
) -> Outcome:
    """Write a page with charts: counts, problems, and what is missing.

    It is one HTML file, for people who do not use a shell: the number of events by type and day, the most frequent
    campaigns and Canvases, the problems by rule, and, with --ingested, what is missing or changed. The page needs no
    script, no other file, and no network. Of the events, it shows types, names of campaigns and Canvases, and some ids.

    The exit code is 1 if there are errors, or if events are missing or changed; the page is written all the same.
    """
    from td_currents_cli.events.filter import EVERYTHING, zone_of  # noqa: PLC0415 -- a command loads only what it runs
    from td_currents_cli.read.options import ReadOptions  # noqa: PLC0415
    from td_currents_cli.read.sources import InputProgress  # noqa: PLC0415
    from td_currents_cli.reconcile.file_side import FileSide  # noqa: PLC0415
    from td_currents_cli.reconcile.table_side import TableSide  # noqa: PLC0415
    from td_currents_cli.render.html.report import report_page  # noqa: PLC0415
    from td_currents_cli.report import ReportRequest, run  # noqa: PLC0415
    from td_currents_cli.validate.command import Selection  # noqa: PLC0415
    from td_currents_cli.write.files import atomic_output, write_all  # noqa: PLC0415

    if sent and not ingested:
        raise UsageError("--sent needs --ingested", hint="Name the ingested rows, or give the files as PATH.")
    if str(output) == "-" and output_format is OutputFormat.json:
        raise UsageError("--output - and --format json cannot be used together", hint="Write the page to a file.")

    def found(names: Sequence[str] | None) -> "list[Source]":
        return options.files(names, max_document_size, event_type)

    def watch(stage: str, these: "Sequence[Source]") -> "list[Source]":
        progress = InputProgress()
        progress.stage = stage
        line.watch(progress.now)
        return progress.watched(these)

    zone, selection = zone_of(timezone), Selection.of(select or (), ignore or ())
    received = options.receive_times(received_since, None, now=time.time())
    with options.open_tables(
        ingested, EVERYTHING, terminal, line, site=site, column=column, api_key_file=api_key_file, received=received
    ) as tables:
        arrived = ingested or () if tables is None else ()
        # At once, so that one error names everything that is wrong with the paths.
        everything = found([*(paths or ()), *(sent or ()), *arrived] or None)
        if FileSide(everything).reads(output):
            raise UsageError(f"--output {output}: this file is an input", hint="Give --output another name.")
        with atomic_output(output) as file:
            outcome = run(
                ReportRequest(
                    title=title,
                    names=tuple(paths or sent or ["<stdin>"]),
                    sources=found(paths or sent),
                    sent=found(sent) if paths and sent else None,
                    ingested=found(arrived) if arrived else None if tables is None else TableSide(tables),
                    reading=ReadOptions.of(column=column, received=received),
                    selection=selection,
                    zone=zone,
                    top=limit,
                    jobs=options.worker_count(jobs),
                    watch=watch,
                )
            )
            if outcome.comparison is not None:
                comparison = options.with_scanned_rows(outcome.comparison, tables)
                outcome = structs.replace(outcome, comparison=comparison)
            page = report_page(outcome).encode()
            write_all(file, page)
    return structs.replace(outcome, output=None if str(output) == "-" else output, size=len(page))
