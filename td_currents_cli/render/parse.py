"""What `tdcur parse` says beside its data."""

from td_currents_cli.parse import ParseOutcome
from td_currents_cli.render.figures import balance_line
from td_currents_cli.render.problems import show_problems
from td_currents_cli.render.terminal import Terminal


def text(outcome: ParseOutcome, terminal: Terminal) -> None:
    """The problems and the balance, on standard error."""
    show_problems(outcome.problems, terminal)
    terminal.say(balance_line(outcome.balance, "written"), "dim")
