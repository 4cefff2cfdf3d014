"""`tdcur verify`."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Final, TypeAlias

import typer

from td_currents_cli.cli.common import Format, TextFormat, command
from td_currents_cli.cli.several import Sent, TakesSeveral
from td_currents_cli.cli.tables import ApiKeyFile, Column, TableSite, arrivals_of
from td_currents_cli.errors import ExitCode, UsageError
from td_currents_cli.names import Site
from td_currents_cli.outcome import Outcome
from td_currents_cli.render.send_progress import When
from td_currents_cli.render.terminal import Terminal

NO_ARGS_IS_HELP: Final = True
CLASS: Final = TakesSeveral


@command
def verify(
    *,
    sent: Sent = None,
    journal: Annotated[
        Path | None,
        typer.Option("--journal", metavar="FILE", help="A journal of `tdcur send`, instead of --sent."),
    ] = None,
    endpoint: Annotated[
        str | None,
        typer.Option("--endpoint", metavar="URL", help="With --journal: which of the endpoints that it knows."),
    ] = None,
    ingested: Annotated[
        str, typer.Option("--ingested", metavar="td://DATABASE/TABLE", help="The table it was sent to.")
    ],
    within: Annotated[
        str, typer.Option("--within", metavar="DURATION", help="How long to wait for what has not arrived.")
    ] = "10m",
    since: Annotated[
        str | None,
        typer.Option(
            "--since",
            metavar="TIME",
            help="Look at rows received from then on: 2026-07-01T10:00Z, -7d.",
            show_default="-1d",
        ),
    ] = None,
    site: TableSite = None,
    column: Column = None,
    api_key_file: ApiKeyFile = None,
    progress: Annotated[
        When, typer.Option("--progress", help="When to show how far it is; always: also with --quiet.")
    ] = When.auto,
    output_format: TextFormat = Format.text,  # noqa: ARG001 -- the command decorator renders with it
    terminal: Terminal,
) -> Outcome:
    """Prove that events arrived: ask the table for their ids until all are there, or time is up.

    A 200 proves receipt only: Treasure Data answers it to a wrong write key too, and drops the events.

    Example: tdcur verify --sent payloads/ --ingested td://braze/currents
    """
    from td_currents_cli.duration import duration  # noqa: PLC0415 -- a command loads only what it runs
    from td_currents_cli.read import sources  # noqa: PLC0415
    from td_currents_cli.render.verify import shown  # noqa: PLC0415
    from td_currents_cli.verify import VerifyRequest, run  # noqa: PLC0415

    if bool(sent) == bool(journal):
        what = "are both given" if sent else "are both missing"
        raise UsageError(f"--sent and --journal {what}", hint="Name the files that were sent, or the journal.")
    if endpoint and not journal:
        raise UsageError("--endpoint is one of a journal", hint="Add --journal FILE.")
    arrivals = arrivals_of(ingested, since, site=site, column=column, api_key_file=api_key_file)
    paths = sources(sent) if sent else ()
    request = VerifyRequest(paths, arrivals, journal=journal, endpoint=endpoint, within=duration(within, "--within"))
    with shown(terminal, progress) as told:
        return run(request, on_progress=told)


Proof: TypeAlias = Callable[[Outcome, Terminal, When], Outcome]
"""From the outcome of sending to that of sending and verifying."""


def proof_of(paths: list[str] | None, table: str, within: str, *, site: Site | None, api_key_file: str | None) -> Proof:
    """What `send --verify` does when all is sent. Settings that cannot work are found before that.

    Raises:
        UsageError: what was sent could not be read a second time, or the table cannot be asked.
    """
    from td_currents_cli.duration import duration  # noqa: PLC0415 -- only where it is asked for
    from td_currents_cli.read import sources  # noqa: PLC0415
    from td_currents_cli.render.verify import shown  # noqa: PLC0415
    from td_currents_cli.verify import VerifyRequest, run  # noqa: PLC0415
    from td_currents_cli.verify.sent import SendVerifyOutcome  # noqa: PLC0415

    if not paths or "-" in paths:
        raise UsageError("--verify reads what was sent once more: standard input cannot be", hint="Send files.")
    arrivals = arrivals_of(table, None, site=site, column=None, api_key_file=api_key_file)
    request = VerifyRequest(sources(paths), arrivals, within=duration(within, "--verify-within"))

    def prove(outcome: Outcome, terminal: Terminal, progress: When) -> Outcome:
        if outcome.exit_code is not ExitCode.OK:
            terminal.say("not verified: not everything was delivered", "yellow")
            return outcome
        with shown(terminal, progress) as told:
            return SendVerifyOutcome.of(outcome, run(request, on_progress=told))

    return prove
