"""`tdcur watch`."""

import os
from functools import partial
from typing import Final

import typer

from td_currents_cli.braze import Site
from td_currents_cli.cli import options
from td_currents_cli.cli.command import (
    ExplicitOptions,
    OutputFormat,
    checks_option,
    command,
    refuse,
)
from td_currents_cli.config import Config
from td_currents_cli.errors import UsageError
from td_currents_cli.outcome import Outcome
from td_currents_cli.render.terminal import ProgressLine, Terminal

CANARY_OPTIONS: Final = frozenset(
    {
        *("--canary-within", "--url", "--database", "--table", "--write-key-file", "--token-file"),
        *("--cacert", "--client-cert", "--client-key", "--allow-http"),
    }
)
"""Options that say where the canary is sent; --site is also that of the table."""


@command(
    examples=(
        "tdcur watch td://braze/raw",
        "tdcur watch td://braze/raw --once --silent-after 1h",
        "tdcur watch td://braze/raw --once --canary --site us01 --write-key-file key",
    ),
    no_args_is_help=True,
)
def watch(
    address: str = typer.Argument(metavar="td://DATABASE/TABLE", help="The table to watch."),
    *,
    every: str = checks_option(default="5m", metavar="DURATION", help="Time from one round to the next."),
    silent_after: str = checks_option(
        default="30m", metavar="DURATION", help="Time without a row after which the table is silent."
    ),
    once: bool = checks_option(
        "--once",
        default=False,
        help="Run one round, for cron and CI: exit code 1 if the table or a type is silent, or the canary is lost.",
    ),
    canary: bool = checks_option(
        "--canary",
        default=False,
        help="In each round, send an event of the type tdcur.canary, and wait until it is a row.",
    ),
    canary_within: str = checks_option(
        default="10m", metavar="DURATION", help="With --canary: how long to wait for it."
    ),
    types: list[str] | None = options.TYPES,
    column: str | None = options.TABLE_COLUMN,
    api_key_file: str | None = options.API_KEY_FILE,
    url: str | None = options.DESTINATION_URL,
    site: Site | None = options.DESTINATION_SITE,
    database: str | None = options.DESTINATION_DATABASE,
    table: str | None = options.DESTINATION_TABLE,
    write_key_file: str | None = options.WRITE_KEY_FILE,
    token_file: str | None = options.TOKEN_FILE,
    cacert: str | None = options.CACERT,
    client_cert: str | None = options.CLIENT_CERT,
    client_key: str | None = options.CLIENT_KEY,
    allow_http: bool = options.ALLOW_HTTP,
    output_format: OutputFormat = options.TEXT_FORMAT,
    terminal: Terminal,
    line: ProgressLine,
    given: ExplicitOptions,
    settings: Config,
) -> Outcome:
    """Watch a table: report silence, and fewer events than usual.

    Prints a line at each change of state: no rows (Braze drops what it could not deliver for 48 hours, or five days),
    a type with fewer events than usual, a canary that does not arrive. The usual number is the median of the same hour
    on the last 7 days. It is read once a day, and kept in the state folder. The destination is that of the canary.
    """
    # A command loads only what it runs.
    from td_currents_cli.events.filter import Filter  # noqa: PLC0415
    from td_currents_cli.render.progress import JOB_INTERVAL, job_updates  # noqa: PLC0415
    from td_currents_cli.render.watch import print_changes  # noqa: PLC0415
    from td_currents_cli.send import Destination, TlsFiles  # noqa: PLC0415
    from td_currents_cli.send.state import state_folder  # noqa: PLC0415
    from td_currents_cli.treasure_data.address import parse_address  # noqa: PLC0415
    from td_currents_cli.treasure_data.tables import TdConnection  # noqa: PLC0415
    from td_currents_cli.watch import Canary, WatchRequest, ignore_round, run  # noqa: PLC0415

    if not canary:
        refuse(given & CANARY_OPTIONS, "`watch` without --canary", "Add --canary.")
    if once:
        refuse(given & {"--every"}, "--once", "There is one round: remove it.")
    elif output_format is not OutputFormat.text:
        raise UsageError("--format json works only with --once", hint="Add --once.")
    watched = parse_address(address, site=site, column=column)
    is_named = url is not None or database is not None or table is not None
    destination = Destination(
        url=url,
        site=site,
        # With a site alone, the canary is sent to the table that is watched.
        database=watched.database if site and not is_named else database,
        table=watched.table if site and not is_named else table,
        write_key_file=write_key_file,
        token_file=token_file,
        allow_http=allow_http,
        tls=TlsFiles(cacert=cacert, client_cert=client_cert, client_key=client_key),
    )
    wanted = Filter.of(types=types, since=None, until=None, now=0.0)
    options.warn_of_types(wanted, terminal)
    sending = None
    if canary:
        completed = destination.completed(os.environ, settings)
        sending = Canary(destination=completed, within=_seconds(canary_within, "--canary-within"))
    request = WatchRequest(
        table=watched,
        connection=TdConnection(key_file=api_key_file, on_progress=job_updates(line, terminal, after=JOB_INTERVAL)),
        wanted=wanted,
        state_folder=state_folder(),
        every=_seconds(every, "--every"),
        silent_after=_seconds(silent_after, "--silent-after"),
        once=once,
        canary=sending,
    )
    minutes = request.scanned // 60
    terminal.report(
        f"each round reads the rows of the last {minutes} minutes; Treasure Data bills for the data that a query scans",
        "dim",
    )
    # The outcome of a single round is rendered.
    on_round = ignore_round if once else partial(print_changes, terminal=terminal)
    return run(request, on_round=on_round, notice=terminal.report)


def _seconds(value: str, option: str) -> float:
    """Raises UsageError unless it is a duration of a second or more."""
    from td_currents_cli.durations import duration  # noqa: PLC0415 -- as above

    seconds = duration(value, option)
    if seconds < 1:
        raise UsageError(f"{option} must be at least 1s", hint="For example 5m.")
    return seconds
