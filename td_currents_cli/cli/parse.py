"""`tdcur parse`."""

import time
from enum import StrEnum
from pathlib import Path

from td_currents_cli.braze import Site
from td_currents_cli.choices import Mask, Names, Nested, To
from td_currents_cli.cli import options
from td_currents_cli.cli.command import (
    ExplicitOptions,
    checks_option,
    command,
    filters_option,
    insert_option,
    output_option,
)
from td_currents_cli.cli.insert import InsertTarget, check_insert_options
from td_currents_cli.outcome import Outcome
from td_currents_cli.read.options import InputFormat, ReadOptions
from td_currents_cli.read.sources import InputProgress
from td_currents_cli.render.terminal import ProgressLine, Terminal


class SplitBy(StrEnum):
    """What output files are split by."""

    event_type = "event_type"


@command(
    examples=(
        "tdcur parse rows.csv --dedupe -o events.jsonl",
        "tdcur parse rows.csv -o events.parquet",
        "tdcur parse td://braze/raw --into td://braze/flat --incremental",
    )
)
def parse(
    paths: list[str] | None = options.PATHS,
    *,
    output: Path | None = output_option(
        "-o",
        "--output",
        help="Write the events to this file, which appears only when it is complete; compressed if it ends with .gz or "
        ".zst.",
        show_default="standard output",
    ),
    to: To | None = output_option(
        metavar="FORMAT", help="Output format.", show_default="by the suffix of -o: .csv, .tsv, .parquet, else jsonl"
    ),
    safe_csv: bool = output_option(
        "--safe-csv", default=False, help="Write ' before CSV cells that a spreadsheet would run as formulas."
    ),
    split_by: SplitBy | None = output_option(metavar="FIELD", help="Write a file per event type to --out-dir."),
    out_dir: Path | None = output_option(metavar="DIR", help="Folder for --split-by."),
    names: Names = output_option(default=Names.SHORT, help="Field names: user_id, user_user_id, or user.user_id."),
    nested: Nested | None = output_option(
        help="Write objects and arrays as JSON strings (json) or as JSON values (object).",
        show_default="object; json for tables",
    ),
    fields: str | None = output_option(
        metavar="NAME,…", help="Write only these fields, in this order.", show_default="all"
    ),
    mask: Mask = output_option(default=Mask.KEEP, help="Keep, hash, or drop personal data."),
    mask_key_file: Path | None = output_option(metavar="FILE", help="File with the key for --mask hash."),
    rejects: Path | None = output_option(help="Write rejected rows to this file, one JSON object per line."),
    summary: Path | None = output_option(metavar="FILE", help="Write the summary to this file as JSON."),
    into: str | None = insert_option(
        metavar="td://DATABASE/TABLE",
        help="Insert the flat events into this table inside Treasure Data (created if missing); no rows are "
        "downloaded.",
    ),
    incremental: bool = insert_option(
        "--incremental",
        default=False,
        help="Insert only events of rows that came since the last run, each id once; a run can be repeated.",
    ),
    from_beginning: bool = insert_option(
        "--from-beginning", default=False, help="With --incremental: read all rows, usually in the first run."
    ),
    overlap: str = insert_option(
        default="1h",
        metavar="DURATION",
        help="With --incremental: also read rows received this long before the end of the last run, because rows may "
        "appear late.",
    ),
    settle: str = insert_option(
        default="10m",
        metavar="DURATION",
        help="With --incremental: leave rows that are younger than this to the next run.",
    ),
    split_tables: bool = insert_option(
        "--split-tables",
        default=False,
        help="With --incremental: insert into a table per event type. --into is then td://DATABASE, or td://DATABASE/PREFIX.",
    ),
    dry_run: bool = insert_option(
        "--dry-run", default=False, help="With --incremental: count the events and print the statements; write nothing."
    ),
    form: InputFormat = options.INPUT_FORM,
    column: str | None = options.BATCH_COLUMN,
    no_header: bool = options.NO_HEADER,
    site: Site | None = options.TABLE_SITE,
    api_key_file: str | None = options.API_KEY_FILE,
    types: list[str] | None = options.TYPES,
    since: str | None = options.SINCE,
    until: str | None = options.UNTIL,
    received_since: str | None = options.RECEIVED_SINCE,
    received_until: str | None = options.RECEIVED_UNTIL,
    late: str = options.LATE,
    dedupe: bool = filters_option("--dedupe", default=False, help="Write each event id once."),
    max_rejects: str | None = checks_option(
        metavar="N|P%", help="Stop with exit code 1 when more rows or events are rejected.", show_default="no limit"
    ),
    event_type: str | None = options.EVENT_TYPE,
    max_document_size: str = options.MAX_DOCUMENT_SIZE,
    jobs: int | None = options.JOBS,
    terminal: Terminal,
    line: ProgressLine,
    given: ExplicitOptions,
) -> Outcome:
    """Turn ingested rows back into flat events: JSON Lines or a table.

    A PATH such as td://DATABASE/TABLE is a table of Treasure Data, whose rows are downloaded.
    """
    from td_currents_cli.parse import ParseRequest, Rejects, run  # noqa: PLC0415 -- a command loads only what it runs
    from td_currents_cli.parse.request import format_of  # noqa: PLC0415

    check_insert_options(given)
    now = time.time()
    wanted, received = options.selected(types, since, until, received_since, received_until, now=now)
    if into is None:
        wanted = wanted.with_canaries()  # what was read is written
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
        report_period=not incremental,
    ) as tables:
        if into is not None:
            options.warn_of_types(wanted, terminal)
            target = InsertTarget.of(into, tables, wanted, summary, now=now)
            if not incremental:
                return target.insert(dedupe=dedupe)
            return target.insert_new(
                since=0.0 if from_beginning else None if received is None else received.since,
                until=None if received is None else received.until,
                overlap=overlap,
                settle=settle,
                split_tables=split_tables,
                dry_run=dry_run,
            )
        # Downloaded rows have a form that is detected without options.
        reading = (
            ReadOptions.of(form, column, no_header=no_header, received=received)
            if tables is None
            else ReadOptions.of(form, no_header=no_header)
        )
        with options.open_inputs(paths, tables, max_document_size, event_type, wanted) as sources:
            progress = InputProgress()
            line.watch(progress.now)
            outcome = run(
                ParseRequest(
                    sources=progress.watched(sources),
                    progress=progress,
                    reading=reading,
                    output=output,
                    rejects=rejects,
                    summary=summary,
                    to=to or format_of(output),
                    fields=None if fields is None else tuple(filter(None, map(str.strip, fields.split(",")))),
                    safe_csv=safe_csv,
                    names=names,
                    nested=nested,
                    wanted=wanted,
                    dedupe=dedupe,
                    mask=mask,
                    mask_key=mask_key_file,
                    split=split_by is not None,
                    out_dir=out_dir,
                    max_rejects=None if max_rejects is None else Rejects.of(max_rejects),
                    jobs=options.worker_count(jobs),
                    scanned=None if tables is None else tables.period.as_dict(),
                )
            )
            options.warn_of_types(wanted, terminal, outcome)
            return outcome
