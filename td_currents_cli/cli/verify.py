"""`tdcur verify`."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from td_currents_cli.braze import Site
from td_currents_cli.cli.command import OutputFormat, command, filters_option, input_option, limits_option
from td_currents_cli.cli.options import (
    API_KEY_FILE,
    MAX_DOCUMENT_SIZE,
    PROGRESS,
    SENT,
    TABLE_COLUMN,
    TABLE_SITE,
    TEXT_FORMAT,
    MultiValueCommand,
    arrivals_of,
)
from td_currents_cli.errors import ExitCode, UsageError
from td_currents_cli.outcome import Outcome
from td_currents_cli.render.terminal import Terminal, When


@command(
    examples=(
        "tdcur verify --sent payloads/ --ingested td://braze/currents",
        "tdcur verify --journal sent.journal --ingested td://braze/currents --within 30m",
    ),
    no_args_is_help=True,
    typer_class=MultiValueCommand,
)
def verify(
    *,
    sent: list[str] | None = SENT,
    journal: Path | None = input_option(metavar="FILE", help="Journal of `tdcur send`, instead of --sent."),
    endpoint: str | None = input_option(
        metavar="URL", help="With --journal: the endpoint, if the journal has several."
    ),
    ingested: str = input_option(
        default=..., metavar="td://DATABASE/TABLE", help="The table that the events were sent to."
    ),
    site: Site | None = TABLE_SITE,
    column: str | None = TABLE_COLUMN,
    api_key_file: str | None = API_KEY_FILE,
    output_format: OutputFormat = TEXT_FORMAT,  # noqa: ARG001 -- the command decorator renders with it
    since: str | None = filters_option(
        metavar="TIME",
        help="Search only rows received at or after this time: 2026-07-01T10:00Z, -7d.",
        show_default="-1d",
    ),
    within: str = limits_option(default="10m", metavar="DURATION", help="How long to wait for missing events."),
    max_document_size: str = MAX_DOCUMENT_SIZE,
    progress: When = PROGRESS,
    terminal: Terminal,
) -> Outcome:
    """Verify that events were stored: query the table for their ids until all are found or time is up.

    HTTP 200 only means that a request was received: Treasure Data also returns it for a wrong write key, and then drops
    the events.
    """
    from td_currents_cli.durations import duration  # noqa: PLC0415 -- a command loads only what it runs
    from td_currents_cli.read import byte_size, sources  # noqa: PLC0415
    from td_currents_cli.render.reconcile import show_verification  # noqa: PLC0415
    from td_currents_cli.verify import VerifyRequest, run  # noqa: PLC0415

    if sent and journal:
        raise UsageError("--sent and --journal cannot be used together", hint="Remove one of them.")
    if not sent and not journal:
        raise UsageError("--sent or --journal is required", hint="Give the files that were sent, or the journal.")
    if endpoint and not journal:
        raise UsageError("--endpoint works only with --journal", hint="Add --journal FILE.")
    arrivals = arrivals_of(ingested, since, site=site, column=column, api_key_file=api_key_file)
    limit = byte_size(max_document_size)
    paths = sources(sent, max_document_size=limit) if sent else ()
    request = VerifyRequest(paths, arrivals, journal=journal, endpoint=endpoint, within=duration(within, "--within"))
    with show_verification(terminal, progress) as told:
        return run(request, on_progress=told)


Verification: TypeAlias = Callable[[Outcome, Terminal, When], Outcome]
"""Verifies what an outcome of `send` delivered, and returns the outcome of both."""


def verification_of(
    paths: list[str] | None,
    table: str,
    within: str,
    *,
    site: Site | None,
    api_key_file: str | None,
    max_document_size: int,
) -> Verification:
    """Prepare the verification of `send --verify`, so that wrong settings are reported before anything is sent.

    Raises:
        UsageError: the sent events cannot be read a second time, or a setting is invalid.
    """
    from td_currents_cli.durations import duration  # noqa: PLC0415 -- only with --verify
    from td_currents_cli.read import sources  # noqa: PLC0415
    from td_currents_cli.render.reconcile import show_verification  # noqa: PLC0415
    from td_currents_cli.verify import SendVerifyOutcome, VerifyRequest, run  # noqa: PLC0415

    if not paths or "-" in paths:
        raise UsageError(
            "--verify reads the input a second time, which is not possible for standard input", hint="Send files."
        )
    arrivals = arrivals_of(table, None, site=site, column=None, api_key_file=api_key_file)
    request = VerifyRequest(
        sources(paths, max_document_size=max_document_size), arrivals, within=duration(within, "--verify-within")
    )

    def verify_sent(outcome: Outcome, terminal: Terminal, progress: When) -> Outcome:
        if outcome.exit_code is not ExitCode.OK:
            terminal.report("not verified, because not all events were delivered", "yellow")
            return outcome
        with show_verification(terminal, progress) as told:
            return SendVerifyOutcome.of(outcome, run(request, on_progress=told))

    return verify_sent
