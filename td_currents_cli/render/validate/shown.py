"""Which findings are shown, and how many are not."""

from typing import Final

from td_currents_cli.model import Problem, Severity
from td_currents_cli.render.terminal import Terminal
from td_currents_cli.validate import ValidateOutcome

STDIN: Final = "<stdin>"
"""What `model.Location` calls standard input: no file that a CI server could show."""


def remarks_shown(outcome: ValidateOutcome, terminal: Terminal) -> list[Problem]:
    """The findings for a person: with --quiet only those that make the run fail."""
    if not terminal.quiet:
        return list(outcome.problems.kept)
    failing = {Severity.ERROR, Severity.WARNING} if outcome.strict else {Severity.ERROR}
    return [problem for problem in outcome.problems.kept if problem.severity in failing]


def cut_line(outcome: ValidateOutcome) -> str:
    """How many findings are only counted, since --max-findings bounds what is shown; empty where none are."""
    total = outcome.problems.total
    cut = total - len(outcome.problems.kept)
    return f"{cut:,} of {total:,} findings are not shown (see --max-findings)" if cut else ""


def say_what_is_cut(outcome: ValidateOutcome, terminal: Terminal) -> None:
    """Tell on standard error what a machine form, which has no place for it, leaves out."""
    line = cut_line(outcome)
    if line:
        terminal.say(line, "dim")
