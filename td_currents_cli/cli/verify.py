"""`tdcur verify`."""

import time
from pathlib import Path
from typing import TYPE_CHECKING

from td_currents_cli.braze import Site
from td_currents_cli.cli import options
from td_currents_cli.cli.command import OutputFormat, command, filters_option, input_option, limits_option
from td_currents_cli.errors import ExitCode, UsageError
from td_currents_cli.outcome import Outcome
from td_currents_cli.render.terminal import ProgressLine, Terminal

if TYPE_CHECKING:
    from td_currents_cli.verify import Arrivals, VerifyRequest


@command(
    examples=(
        "tdcur verify --sent payloads/ --ingested td://braze/currents --within 30m",
        "tdcur verify --from-journal sent.journal --ingested td://braze/currents",
    ),
    no_args_is_help=True,
    typer_class=options.MultiValueCommand,
)
def verify(
    *,
    sent: list[str] | None = options.SENT,
    journal: Path | None = input_option(
        "--from-journal", "--journal", metavar="FILE", help="Journal of `tdcur send`, instead of --sent."
    ),
    endpoint: str | None = options.ENDPOINT,
    ingested: str = input_option(
        default=..., metavar="td://DATABASE/TABLE", help="The table that the events were sent to."
    ),
    site: Site | None = options.TABLE_SITE,
    column: str | None = options.TABLE_COLUMN,
    api_key_file: str | None = options.API_KEY_FILE,
    output_format: OutputFormat = options.TEXT_FORMAT,  # noqa: ARG001 -- the command decorator renders with it
    received_since: str | None = filters_option(
        metavar="TIME",
        help="Search only rows received at or after this time: 2026-07-01T10:00Z, -7d.",
        show_default="-1d",
    ),
    since: str | None = filters_option(
        metavar="TIME", hidden=True, help="The name that --received-since had in earlier versions."
    ),
    within: str = limits_option(default="10m", metavar="DURATION", help="How long to wait for missing events."),
    event_type: str | None = options.EVENT_TYPE,
    max_document_size: str = options.MAX_DOCUMENT_SIZE,
    terminal: Terminal,
    line: ProgressLine,
) -> Outcome:
    """Query a table until all events that were sent are stored.

    The table is queried for the ids of the events until all are found or time is up: HTTP 200 only means that a request
    was received. Treasure Data also returns it for a wrong write key, and then drops the events.
    """
    from td_currents_cli.durations import duration  # noqa: PLC0415 -- a command loads only what it runs
    from td_currents_cli.render.reconcile import verification_updates  # noqa: PLC0415
    from td_currents_cli.verify import VerifyRequest, run  # noqa: PLC0415

    if sent and journal:
        raise UsageError("--sent and --from-journal cannot be used together", hint="Remove one of them.")
    if not sent and not journal:
        raise UsageError("--sent or --from-journal is required", hint="Give the files that were sent, or the journal.")
    if endpoint and not journal:
        raise UsageError("--endpoint works only with --from-journal", hint="Add --from-journal FILE.")
    if since is not None:
        if received_since is not None:
            raise UsageError("--since and --received-since cannot be used together", hint="Remove --since.")
        terminal.report("`verify --since` is deprecated: use --received-since, which means the same", "yellow")
    arrivals = _arrivals(ingested, received_since or since, site=site, column=column, api_key_file=api_key_file)
    paths = options.open_sources(sent, max_document_size, line, event_type=event_type) if sent else ()
    request = VerifyRequest(paths, arrivals, journal=journal, endpoint=endpoint, within=duration(within, "--within"))
    return run(request, on_progress=verification_updates(line, terminal))


def _arrivals(
    ingested: str, received_since: str | None, *, site: Site | None, column: str | None, api_key_file: str | None
) -> "Arrivals":
    """Select the rows of a table that are searched for sent events: those received since `--received-since`.

    Raises:
        UsageError: the table address or the time is invalid.
    """
    from td_currents_cli.treasure_data.address import parse_address, receive_period  # noqa: PLC0415 -- a command loads only what it runs
    from td_currents_cli.treasure_data.tables import TdConnection  # noqa: PLC0415
    from td_currents_cli.verify import Arrivals  # noqa: PLC0415

    now = time.time()
    period = receive_period(None, None, now, options.receive_times(received_since, None, now=now))
    return Arrivals(parse_address(ingested, site=site, column=column), period, TdConnection(key_file=api_key_file))


def verify_request(
    paths: list[str] | None,
    table: str,
    within: str,
    *,
    site: Site | None,
    api_key_file: str | None,
    max_document_size: int,
    event_type: str | None,
    identified_only: bool,
) -> "VerifyRequest":
    """Make the request of `send --verify`, so that wrong settings are reported before anything is sent.

    Raises:
        UsageError: the sent events cannot be read a second time, or a setting is invalid.
    """
    from td_currents_cli.durations import duration  # noqa: PLC0415 -- only with --verify
    from td_currents_cli.read import sources  # noqa: PLC0415
    from td_currents_cli.verify import VerifyRequest  # noqa: PLC0415

    if not paths or "-" in paths:
        raise UsageError(
            "--verify reads the input a second time, which is not possible for standard input", hint="Send files."
        )
    arrivals = _arrivals(table, None, site=site, column=None, api_key_file=api_key_file)
    sent = sources(paths, max_document_size=max_document_size, event_type=event_type)
    waiting = duration(within, "--verify-within")
    return VerifyRequest(sent, arrivals, within=waiting, identified_only=identified_only)


def verify_sent(outcome: Outcome, request: "VerifyRequest", terminal: Terminal, line: ProgressLine) -> Outcome:
    """Verify what an outcome of `send` delivered, and return the outcome of both."""
    from td_currents_cli.render.reconcile import verification_updates  # noqa: PLC0415 -- only with --verify
    from td_currents_cli.verify import SendVerifyOutcome, run  # noqa: PLC0415

    if outcome.exit_code is not ExitCode.OK:
        terminal.report("not verified, because not all events were delivered", "yellow")
        return outcome
    # Before the end, for whoever does not wait for it.
    terminal.report(f"all events are delivered; waiting until they are in {request.arrivals.address}", "dim")
    updates = verification_updates(line, terminal)
    return SendVerifyOutcome.of(outcome, run(request, on_progress=updates))
