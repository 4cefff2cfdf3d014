"""Problems for people, in the style of ruff: what and where, an excerpt with a mark, and what to do."""

from collections.abc import Iterator
from itertools import groupby, islice
from typing import Final

from rich.text import Text

from td_currents_cli.model import Problem, Severity
from td_currents_cli.render.figures import amount
from td_currents_cli.render.problems import STYLES
from td_currents_cli.render.terminal import Terminal, print_wrapped, printable
from td_currents_cli.render.validate.finding import problem_on_one_line, problem_with_excerpt
from td_currents_cli.render.validate.shown import omitted_line, shown_problems
from td_currents_cli.render.validate.statistics import statistics
from td_currents_cli.validate import ValidateOutcome

PRINT_LINES: Final = 50
"""Lines per call of rich's `print`, each of which takes as long as printing a few lines."""

_NOUNS: Final = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "info"}


def print_validation(outcome: ValidateOutcome, terminal: Terminal) -> None:
    """Print the problems or the number per rule to standard output; then a summary, unless --quiet was given."""
    _print_lines(statistics(outcome.by_code) if outcome.statistics else _problem_lines(outcome, terminal), terminal)
    if not terminal.quiet:
        _print_lines(_summary_lines(outcome), terminal)


def _print_lines(lines: Iterator[Text], terminal: Terminal) -> None:
    while some := list(islice(lines, PRINT_LINES)):
        print_wrapped(terminal.out, Text("\n").join(some))


def _problem_lines(outcome: ValidateOutcome, terminal: Terminal) -> Iterator[Text]:
    problems = shown_problems(outcome, terminal)
    headed = terminal.out.is_terminal and len({problem.location.source for problem in problems}) > 1
    repeats = _RepeatFilter(verbose=terminal.verbose)
    for source, found in groupby(problems, key=lambda problem: problem.location.source):
        if headed:
            yield Text(f"── {printable(source)} ──", "bold blue")
            yield Text()
        yield from _lines_of_file(found, repeats, terminal)


def _lines_of_file(problems: Iterator[Problem], repeats: "_RepeatFilter", terminal: Terminal) -> Iterator[Text]:
    """Yield each problem, with an empty line after one of several lines and after each run of one-line problems."""
    for repeated, run in groupby(problems, key=repeats.was_shown):
        for problem in run:
            if repeated:
                yield problem_on_one_line(problem)
            else:
                yield from problem_with_excerpt(problem, terminal.out.width)
                yield Text()
        if repeated:
            yield Text()


class _RepeatFilter:
    """Shortens repeated warnings and infos to one line each. Errors are always shown in full."""

    def __init__(self, *, verbose: bool) -> None:
        self._verbose = verbose
        self._shown: set[tuple[str, str]] = set()

    def was_shown(self, problem: Problem) -> bool:
        """Tell whether a warning or info with the same message was shown in full, and record this one."""
        if self._verbose or problem.severity is Severity.ERROR:
            return False
        message = (problem.code, problem.message)
        if message in self._shown:
            return True
        self._shown.add(message)
        return False


def _summary_lines(outcome: ValidateOutcome) -> Iterator[Text]:
    omitted = omitted_line(outcome)
    if omitted and not outcome.statistics:
        yield Text(omitted, "yellow")
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
        line.append(f"; {outcome.suppressed:,} more in the baseline", "dim")
    yield line
