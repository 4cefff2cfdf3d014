"""`tdcur reconcile`."""

import time
from enum import StrEnum
from functools import partial
from pathlib import Path

from td_currents_cli.braze import Site
from td_currents_cli.cli import options
from td_currents_cli.cli.command import checks_option, command, filters_option, input_option, output_option
from td_currents_cli.outcome import Outcome
from td_currents_cli.read.sources import InputProgress
from td_currents_cli.render.terminal import ProgressLine, Terminal


class ReconcileFormat(StrEnum):
    """Output format of the comparison."""

    table = "table"
    html = "html"
    json = "json"


@command(
    examples=(
        "tdcur reconcile --sent sent/ --ingested rows.csv --missing-file missing.jsonl",
        "tdcur reconcile --sent a.jsonl b.jsonl --ingested rows/*.csv --grace 5m",
        "tdcur reconcile --sent payloads/ --ingested td://braze/currents --since -7d",
        "tdcur reconcile --sent td://braze/raw --ingested td://braze/flat --since -7d",
    ),
    no_args_is_help=True,
    typer_class=options.MultiValueCommand,
)
def reconcile(
    *,
    sent: list[str] | None = input_option(
        metavar="PATH…", help="What was sent: files, folders, globs, -, or td://DATABASE/TABLE. Takes several paths."
    ),
    ingested: list[str] | None = input_option(
        metavar="PATH…", help="What arrived: ingested rows, events parsed from them, or td://DATABASE/TABLE."
    ),
    journal: Path | None = input_option(
        "--from-journal",
        "--journal",
        metavar="FILE",
        help="Journal of `tdcur send`, instead of --sent. It contains only ids, so changes cannot be detected.",
    ),
    endpoint: str | None = options.ENDPOINT,
    column: str | None = options.BATCH_COLUMN,
    site: Site | None = options.TABLE_SITE,
    api_key_file: str | None = options.API_KEY_FILE,
    output_format: ReconcileFormat = output_option("--format", default=ReconcileFormat.table, help="Output format."),  # noqa: ARG001 -- the command decorator renders with it
    show: int = output_option(
        "--limit", "--show", default=3, min=0, help="Maximum number of example ids per kind of difference."
    ),
    resend: Path | None = output_option(
        "--missing-file",
        "--resend",
        metavar="FILE",
        help="Write the missing events to this file, for `tdcur send --resend`. Empty if none are missing.",
    ),
    ids: Path | None = output_option(
        metavar="FILE", help="Write the ids of missing events to this file, one per line."
    ),
    force: bool = output_option(
        "--force", default=False, help="Write these files even if some ingested rows cannot be read."
    ),
    since: str | None = filters_option(
        metavar="TIME",
        help="Only events at or after this time: 2026-07-01, 2026-07-01T10:00Z, UNIX seconds, or -7d.",
        show_default="--received-since, or -1d, for two tables",
    ),
    until: str | None = options.UNTIL,
    received_since: str | None = options.RECEIVED_SINCE,
    received_until: str | None = options.RECEIVED_UNTIL,
    late: str = options.LATE,
    grace: str = filters_option(
        default="0",
        metavar="DURATION",
        help="Ignore events newer than this; they may still be in transit. Treasure Data takes about 5m.",
    ),
    fail_on: list[str] | None = checks_option(
        metavar="NAME,…",
        help="Exit with code 1 also for unexpected or duplicated events. Missing and changed events always do.",
    ),
    expect_anonymous: bool = checks_option(
        "--expect-anonymous",
        default=False,
        help="In Braze's export: also expect events of users without external_user_id.",
    ),
    event_type: str | None = options.EVENT_TYPE,
    max_document_size: str = options.MAX_DOCUMENT_SIZE,
    jobs: int | None = options.JOBS,
    terminal: Terminal,
    line: ProgressLine,
) -> Outcome:
    """Compare sent with ingested events: what is missing or changed.

    Events are compared by id: those that are missing, changed, unexpected, or duplicated are reported. Both sides are
    read as `tdcur count` reads them. From a table (td://DATABASE/TABLE), only ids and content digests
    are fetched. Digests detect changes except in decimals and in very large or very small floating-point numbers; in
    flat events or flat tables, only ids are compared. The exit code is 0 only if nothing is missing or changed. The
    comparison is exact; fingerprints (33 bytes per event) beyond 700 MB are kept in temporary files.
    """
    from td_currents_cli.durations import duration  # noqa: PLC0415 -- a command loads only what it runs
    from td_currents_cli.read import byte_size  # noqa: PLC0415
    from td_currents_cli.reconcile import ReconcileRequest, TimeScope, failing, run, sides  # noqa: PLC0415
    from td_currents_cli.treasure_data.address import is_address  # noqa: PLC0415

    now, young = time.time(), duration(grace, "--grace")
    if since is None and sent and ingested and all(map(is_address, [*sent, *ingested])):
        # The same events in both, though their rows may have been received earlier in one than in the other.
        since = received_since or "-1d"
    period, received = options.selected(None, since, until, received_since, received_until, now=now)
    progress = InputProgress()
    line.watch(progress.now)
    opened = partial(
        options.open_tables,
        wanted=period,
        terminal=terminal,
        line=line,
        site=site,
        column=column,
        api_key_file=api_key_file,
        received=received,
        late=late,
    )
    with (
        opened(sent) as sent_tables,
        opened(ingested, report_period=sent_tables is None) as tables,
    ):
        sent_side, ingested_side = sides(
            sent,
            ingested,
            journal,
            options.worker_count(jobs),
            endpoint=endpoint,
            column=column,
            sent_tables=sent_tables,
            tables=tables,
            max_document_size=byte_size(max_document_size),
            event_type=event_type,
            parts=options.parts_of(period),
            received=received,
            progress=progress,
        )
        outcome = run(
            ReconcileRequest(
                sent_side,
                ingested_side,
                scope=TimeScope(period, now - young if young else None),
                resend=resend,
                ids=ids,
                force=force,
                show=show,
                fail_on=failing(fail_on or []),
                expect_anonymous=expect_anonymous,
                progress=progress,
            )
        )
        return options.with_scanned_rows(outcome, tables or sent_tables)
