"""`tdcur reconcile`."""

import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer

from td_currents_cli.cli.common import WHICH, Column, Jobs, Since, Until, command
from td_currents_cli.cli.several import Sent, TakesSeveral
from td_currents_cli.cli.tables import ApiKeyFile, TableSite, tables
from td_currents_cli.outcome import Outcome
from td_currents_cli.render.terminal import Terminal

NO_ARGS_IS_HELP: Final = True
CLASS: Final = TakesSeveral
MISSING: Final = "What is missing"


class ReconcileFormat(StrEnum):
    """How the comparison is printed."""

    table = "table"
    json = "json"


@command
def reconcile(
    *,
    sent: Sent = None,
    ingested: Annotated[
        list[str] | None,
        typer.Option(
            "--ingested",
            metavar="PATH…",
            help="What arrived: ingested rows, events parsed from them, or td://DATABASE/TABLE.",
        ),
    ] = None,
    journal: Annotated[
        Path | None,
        typer.Option(
            "--journal",
            metavar="FILE",
            help="A journal of `tdcur send` instead of --sent. It knows no contents: changes cannot be told.",
        ),
    ] = None,
    endpoint: Annotated[
        str | None,
        typer.Option("--endpoint", metavar="URL", help="Which one, where the journal knows deliveries to several."),
    ] = None,
    since: Since = None,
    until: Until = None,
    grace: Annotated[
        str,
        typer.Option(
            "--grace",
            metavar="DURATION",
            help="Leave out events that happened so shortly before now, on both sides: they may be on their way. "
            "Treasure Data takes about 5m.",
            rich_help_panel=WHICH,
        ),
    ] = "0",
    resend: Annotated[
        Path | None,
        typer.Option(
            "--resend",
            metavar="FILE",
            help="Write the missing events, ready for `tdcur send --resend`. Empty when none is missing.",
            rich_help_panel=MISSING,
        ),
    ] = None,
    ids: Annotated[
        Path | None,
        typer.Option("--ids", metavar="FILE", help="Write the missing ids, one a line.", rich_help_panel=MISSING),
    ] = None,
    show: Annotated[
        int, typer.Option("--show", metavar="N", min=0, help="Ids shown as examples of each difference.")
    ] = 3,
    fail_on: Annotated[
        list[str] | None,
        typer.Option(
            "--fail-on",
            metavar="NAME,…",
            help="Exit 1 also for these: unexpected, duplicated. Always for missing and changed.",
        ),
    ] = None,
    output_format: Annotated[  # noqa: ARG001 -- the command decorator renders with it
        ReconcileFormat, typer.Option("--format", help="How the comparison is printed.")
    ] = ReconcileFormat.table,
    jobs: Jobs = None,
    site: TableSite = None,
    column: Column = None,
    api_key_file: ApiKeyFile = None,
    terminal: Terminal,
) -> Outcome:
    """Prove, id by id, that what was sent has arrived: what is missing, changed, unexpected, duplicated.

    Both sides are read as `tdcur count` reads them; --ingested may be a table of Treasure Data, td://DATABASE/TABLE,
    of which only ids and digests are fetched: a change is seen but for decimals and huge or tiny floats, and in flat
    events or tables not at all. The exit code is 0 only when nothing is missing or changed. The comparison is exact;
    beyond 700 MB of fingerprints, 33 bytes an event, it goes on in temporary files.

    Examples: tdcur reconcile --sent payloads/ --ingested rows.csv --resend missing.jsonl;
    tdcur reconcile --sent a.jsonl b.jsonl --ingested rows/*.csv --grace 5m --format json
    """
    from td_currents_cli.duration import duration  # noqa: PLC0415 -- a command loads only what it runs
    from td_currents_cli.events.filter import Filter  # noqa: PLC0415
    from td_currents_cli.parallel.pool import worker_count  # noqa: PLC0415
    from td_currents_cli.reconcile import ReconcileRequest, TimeScope, failing, run, sides  # noqa: PLC0415

    now, young = time.time(), duration(grace, "--grace")
    period = Filter.of(types=None, since=since, until=until, now=now)
    with tables(ingested, period, terminal, site=site, column=column, api_key_file=api_key_file) as asked:
        sent_side, ingested_side = sides(
            sent, ingested, journal, worker_count(jobs), endpoint=endpoint, column=column, tables=asked
        )
        return run(
            ReconcileRequest(
                sent_side,
                ingested_side,
                scope=TimeScope(period, now - young if young else None),
                resend=resend,
                ids=ids,
                show=show,
                fail_on=failing(fail_on or []),
            )
        )
