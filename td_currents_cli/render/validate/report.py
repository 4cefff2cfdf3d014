"""Findings for people, in the manner of ruff: what and where, the line with a mark under the place, what to do."""

from collections.abc import Iterator
from itertools import groupby, islice
from typing import Final

from rich.text import Text

from td_currents_cli.model import Problem, Severity
from td_currents_cli.render.figures import amount
from td_currents_cli.render.problems import STYLES
from td_currents_cli.render.terminal import Terminal, printable
from td_currents_cli.render.validate.finding import brief, full
from td_currents_cli.render.validate.shown import cut_line, remarks_shown
from td_currents_cli.render.validate.statistics import statistics
from td_currents_cli.validate import ValidateOutcome

AT_ONCE: Final = 50
"""Lines printed in one go."""

_NOUNS: Final = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "info"}


def write(outcome: ValidateOutcome, terminal: Terminal) -> None:
    """All findings on standard output, or counts a rule; then a line that sums up, unless quiet was asked for."""
    _print(statistics(outcome.by_code) if outcome.statistics else _findings(outcome, terminal), terminal)
    if not terminal.quiet:
        _print(_last_lines(outcome), terminal)


def _print(lines: Iterator[Text], terminal: Terminal) -> None:
    # Rich takes as long to begin to print as for the printing of a few lines.
    while some := list(islice(lines, AT_ONCE)):
        terminal.out.print(Text("\n").join(some), soft_wrap=True)


def _findings(outcome: ValidateOutcome, terminal: Terminal) -> Iterator[Text]:
    problems = remarks_shown(outcome, terminal)
    headed = terminal.out.is_terminal and len({problem.location.source for problem in problems}) > 1
    repeats = _Repeats(verbose=terminal.verbose)
    for source, found in groupby(problems, key=lambda problem: problem.location.source):
        if headed:
            yield Text(f"── {printable(source)} ──", "bold blue")
            yield Text()
        yield from _of_one_file(found, repeats, terminal)


def _of_one_file(problems: Iterator[Problem], repeats: "_Repeats", terminal: Terminal) -> Iterator[Text]:
    """Each finding, with an empty line after one of several lines and after each run of those of one line."""
    for repeated, run in groupby(problems, key=repeats.is_said):
        for problem in run:
            if repeated:
                yield brief(problem)
            else:
                yield from full(problem, terminal.out.width)
                yield Text()
        if repeated:
            yield Text()


class _Repeats:
    """What was said before need not be said again: a remark on each of many events takes a line each.

    Errors are always shown in full, since each of them is to be mended.
    """

    def __init__(self, *, verbose: bool) -> None:
        self._verbose = verbose
        self._said: set[tuple[str, str]] = set()

    def is_said(self, problem: Problem) -> bool:
        """Whether a warning or an info with the same words was shown in full; from now on it was."""
        if self._verbose or problem.severity is Severity.ERROR:
            return False
        words = (problem.code, problem.message)
        if words in self._said:
            return True
        self._said.add(words)
        return False


def _last_lines(outcome: ValidateOutcome) -> Iterator[Text]:
    cut = cut_line(outcome)
    if cut and not outcome.statistics:
        yield Text(cut, "yellow")
    counts = outcome.problems.by_severity
    found = [
        Text(amount(counts[severity], noun), STYLES[severity] if counts[severity] else "")
        for severity, noun in _NOUNS.items()
        if counts[severity] or severity is Severity.ERROR
    ]
    line = Text(f"{amount(outcome.balance.events_read, 'event')} in {amount(outcome.files, 'file')}")
    line.append(f" checked in {outcome.seconds:.1f} s: ")
    line.append_text(Text(", ").join(found) if counts.total() else Text("all valid", "green"))
    if outcome.suppressed:
        line.append(f"; {outcome.suppressed:,} more accepted by the baseline", "dim")
    yield line
