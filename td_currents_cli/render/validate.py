"""Findings as text: a line each, its mend below it, and a last line that sums up."""

from rich.text import Text

from td_currents_cli.model import Severity
from td_currents_cli.render.figures import amount
from td_currents_cli.render.problems import STYLES, problem_line
from td_currents_cli.render.terminal import Terminal
from td_currents_cli.validate import ValidateOutcome


def text(outcome: ValidateOutcome, terminal: Terminal) -> None:
    """All findings on standard output: they are what the command is for."""
    for problem in outcome.problems.kept:
        if terminal.quiet and problem.severity is not Severity.ERROR:
            continue
        terminal.out.print(problem_line(problem), soft_wrap=True)
        if problem.hint:
            terminal.out.print(Text(f"    {problem.hint}", "dim"), soft_wrap=True)
    if not terminal.quiet:
        terminal.out.print(_last_line(outcome), soft_wrap=True)


def _last_line(outcome: ValidateOutcome) -> Text:
    counts = outcome.problems.by_severity
    found = [
        (amount(counts[severity], noun), STYLES[severity])
        for severity, noun in ((Severity.ERROR, "error"), (Severity.WARNING, "warning"), (Severity.INFO, "note"))
        if counts[severity]
    ]
    line = Text(f"{amount(outcome.balance.events_read, 'event')} in {amount(outcome.files, 'file')}: ")
    if not found:
        return line.append("all valid", "green")
    return line.append_text(Text(", ").join(Text(words, style) for words, style in found))
