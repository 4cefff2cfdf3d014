"""Which problems are shown, and how many are omitted."""

from typing import Final

from td_currents_cli.model import Problem, Severity
from td_currents_cli.render.terminal import Terminal
from td_currents_cli.validate import ValidateOutcome

STDIN: Final = "<stdin>"
"""Standard input in `model.Location`: a CI server cannot show it as a file."""


def shown_problems(outcome: ValidateOutcome, terminal: Terminal) -> list[Problem]:
    """Select the problems to show to a person: with --quiet, only those that make the run fail."""
    if not terminal.quiet:
        return list(outcome.problems.kept)
    failing = {Severity.ERROR, Severity.WARNING} if outcome.strict else {Severity.ERROR}
    return [problem for problem in outcome.problems.kept if problem.severity in failing]


def omitted_line(outcome: ValidateOutcome) -> str:
    """Format how many problems --max-findings omits; empty for none."""
    total = outcome.problems.total
    omitted = total - len(outcome.problems.kept)
    return f"{omitted:,} of {total:,} problems are not shown (see --max-findings)" if omitted else ""


def report_omitted(outcome: ValidateOutcome, terminal: Terminal) -> None:
    """Report on standard error what a machine format omits, if it has no field for it."""
    line = omitted_line(outcome)
    if line:
        terminal.report(line, "dim")
