"""What `tdcur parse` says beside its data."""

from td_currents_cli.parse import ParseOutcome
from td_currents_cli.render.figures import balance_line
from td_currents_cli.render.problems import show_problems
from td_currents_cli.render.terminal import Terminal


def text(outcome: ParseOutcome, terminal: Terminal) -> None:
    """The problems, where the batches were found, and the balance, on standard error."""
    show_problems(outcome.problems, terminal)
    if outcome.shapes:
        terminal.say("; ".join(map(str, outcome.shapes)), "dim")
    terminal.say(balance_line(outcome.balance, "written"), "dim")
