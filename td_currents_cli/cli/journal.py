"""`tdcur journal`."""

from pathlib import Path

import typer

from td_currents_cli.choices import JournalAction
from td_currents_cli.cli import options
from td_currents_cli.cli.command import ExplicitOptions, OutputFormat, command, refuse, state_option
from td_currents_cli.outcome import Outcome


@command(
    examples=(
        "tdcur journal list",
        "tdcur journal show ~/.local/state/tdcur/localhost/journal.sqlite",
        "tdcur journal prune --unused-for 90d --dry-run",
    ),
    no_args_is_help=True,
)
def journal(
    action: JournalAction = typer.Argument(metavar="ACTION", help="What to do with journals."),
    path: Path | None = typer.Argument(None, metavar="JOURNAL", help="With show: the file.", show_default=False),
    *,
    unused_for: str = state_option(
        default="90d", metavar="DURATION", help="With prune: remove journals that no run has used for this long."
    ),
    dry_run: bool = state_option("-n", "--dry-run", default=False, help="With prune: remove nothing."),
    output_format: OutputFormat = options.TEXT_FORMAT,  # noqa: ARG001 -- the command decorator renders with it
    given: ExplicitOptions,
) -> Outcome:
    """List, show, or remove journals of what `tdcur send` delivered.

    A journal records what was delivered to an endpoint, so that the same command sends only what is missing. After it
    is removed, everything is sent again. Dead letters are never removed.
    """
    from td_currents_cli.durations import duration  # noqa: PLC0415 -- a command loads only what it runs
    from td_currents_cli.journal.list_journals import JournalRequest, run  # noqa: PLC0415
    from td_currents_cli.send.state import state_folder  # noqa: PLC0415

    if action is not JournalAction.PRUNE:
        refuse(given & {"--unused-for", "--dry-run"}, f"`journal {action}`", "It works only with `journal prune`.")
    if action is not JournalAction.SHOW and path is not None:
        refuse(["JOURNAL"], f"`journal {action}`", "It works only with `journal show`.")
    return run(
        JournalRequest(
            action=action,
            folder=state_folder(),
            journal=path,
            unused_for=duration(unused_for, "--unused-for"),
            dry_run=dry_run,
        )
    )
