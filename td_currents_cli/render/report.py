"""What `tdcur report` prints about its page."""

from collections.abc import Iterator

from td_currents_cli.model import Severity
from td_currents_cli.render.reconcile import verdict
from td_currents_cli.render.terminal import Terminal, amount, printable
from td_currents_cli.report import ReportOutcome


def report_written(outcome: ReportOutcome, terminal: Terminal) -> None:
    """Report in a few lines what the page says, and where it is."""
    for words, style in verdicts(outcome):
        terminal.report(words, style)
    where = "standard output" if outcome.output is None else printable(str(outcome.output))
    terminal.report(f"report written to {where}", "dim")


def verdicts(outcome: ReportOutcome) -> Iterator[tuple[str, str]]:
    """Yield what was found, each with a style, for readers of nothing else."""
    validation = outcome.validation
    by_severity = validation.problems.by_severity
    found = [amount(by_severity[severity], severity) for severity in Severity if by_severity[severity]]
    events = amount(validation.balance.events_read, "event")
    if not validation.balance.events_read:
        yield "There are no events.", "yellow"
    if found:
        yield f"{events} checked: {', '.join(found)}.", "red" if validation.problems.errors else "yellow"
    elif validation.balance.events_read:
        yield f"{events} checked: all valid.", "green"
    if outcome.comparison:
        yield verdict(outcome.comparison)
