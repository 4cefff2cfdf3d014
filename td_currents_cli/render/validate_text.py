"""Problems for people, in the style of ruff: what and where, an excerpt with a mark, and what to do."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby, islice
from typing import Final

from rich.cells import cell_len
from rich.text import Text

from td_currents_cli.model import Code, Excerpt, Problem, Severity
from td_currents_cli.render.terminal import STYLES, Terminal, amount, print_wrapped, printable, problem_line
from td_currents_cli.validate import ValidateOutcome
from td_currents_cli.validate.checks import shortened
from td_currents_cli.validate.rules import RULES

INDENT: Final = "    "
"""Shown for a tab at the beginning of a line; elsewhere it is shown as `\\t`, since JSON strings contain no tabs."""

MORE: Final = "…"

_TOKEN: Final = re.compile(r'"(?:[^"\\]|\\.)*+"?|[\w+.-]+')
"""A JSON string, a number, or a word."""

_SHOWN_UNCHANGED: Final = {"\u3000", "\u200c", "\u200d"}
"""Not printable by Unicode's classes, but common in ordinary prose: the ideographic space, and the two joiners of emoji
and several scripts."""


@dataclass(frozen=True, slots=True)
class Snippet:
    """A line and its mark, in terminal cells."""

    text: str  # the line or a window of it, without characters that move the cursor or change the direction
    pad: int  # cells before the mark
    mark: str  # `^` under every cell of the token at the place


def snippet(excerpt: Excerpt, width: int) -> Snippet:
    """Fit an excerpt and its mark to a width in cells, truncated around the place if it is wider."""
    characters = _shown_characters(excerpt.text)
    begin, end = _window(characters, excerpt, width)
    caret = min(excerpt.caret, end)
    token = _TOKEN.match(excerpt.text, caret)
    stop = min(token.end() if token else caret + 1, end)
    before = (MORE if excerpt.cut_before or begin else "") + "".join(characters[begin:caret])
    after = MORE if excerpt.cut_after or end < len(characters) else ""
    marked = "".join(characters[caret:stop])
    return Snippet(
        text=before + marked + "".join(characters[stop:end]) + after,
        pad=cell_len(before),
        # Measured within its line: a joiner before it may make its first character narrower.
        mark="^" * max(1, cell_len(before + marked) - cell_len(before)),
    )


def _shown_characters(text: str) -> list[str]:
    """Return each character as it is shown: itself, or an escape."""
    indented = len(text) - len(text.lstrip("\t "))
    return [INDENT if each == "\t" and at < indented else _visible(each) for at, each in enumerate(text)]


def _visible(character: str) -> str:
    if character.isprintable() or character in _SHOWN_UNCHANGED:
        return character
    return character.encode("unicode_escape").decode()


def _window(characters: list[str], excerpt: Excerpt, width: int) -> tuple[int, int]:
    """Return which characters are shown: all, or those that fit with the place in the first third."""
    if sum(map(len, characters)) <= width // 2 - len(MORE):
        # No character is wider than two cells.
        return 0, len(characters)
    cells = [cell_len(each) for each in characters]
    room = width - len(MORE) * (excerpt.cut_before + excerpt.cut_after)
    if sum(cells) <= room:
        return 0, len(cells)
    room = max(width - 2 * len(MORE), 1)
    begin = _back(cells, excerpt.caret, room // 3)
    end = _forth(cells, begin, room)
    if end == len(cells):
        begin = _back(cells, end, room)
    return begin, end


def _back(cells: list[int], start: int, room: int) -> int:
    """Return how far before a character its predecessors fit."""
    begin = start
    while begin and cells[begin - 1] <= room:
        begin -= 1
        room -= cells[begin]
    # A combining mark is not shown without the character before it.
    while begin < start and not cells[begin]:
        begin += 1
    return begin


def _forth(cells: list[int], start: int, room: int) -> int:
    """Return how far a character and its successors fit; at least the character itself."""
    end = start
    while end < len(cells) and cells[end] <= room:
        room -= cells[end]
        end += 1
    return max(end, min(start + 1, len(cells)))


GUTTER: Final = "bold blue"
NARROWEST: Final = 20
"""Minimum width of a snippet, however narrow the terminal is."""


def problem_on_one_line(problem: Problem) -> Text:
    """Format place, code, severity, message, and the event."""
    event = ", ".join(_event_names(problem))
    return problem_line(problem).append(f" ({printable(event)})" if event else "", "dim")


def problem_with_excerpt(problem: Problem, width: int) -> Iterator[Text]:
    """Format place, code, severity, and message; an excerpt, fitted to the width of the terminal; the fix."""
    yield problem_line(problem)
    number = "" if problem.location.line is None else str(problem.location.line)
    if problem.excerpt is not None:
        bar = " | "
        line = snippet(problem.excerpt, max(width - len(number) - len(bar), NARROWEST))
        yield Text.assemble((number + bar, GUTTER), line.text)
        mark = (line.mark, STYLES[problem.severity])
        yield Text.assemble((" " * len(number) + bar, GUTTER), " " * line.pad, mark)
    margin = " " * len(number) + " = "
    place = [f"at {problem.pointer}"] if problem.pointer else []
    place += _event_names(problem)
    place += [shortened(problem.event_type)] if problem.event_type is not None else []
    if place:
        yield Text.assemble((margin, GUTTER), (printable(", ".join(place)), "dim"))
    yield Text.assemble((margin, GUTTER), ("hint", "bold cyan"), f": {printable(problem.hint)}")


def _event_names(problem: Problem) -> Iterator[str]:
    if problem.event_index is not None:
        yield f"event {problem.event_index}"
    if problem.event_id is not None:
        yield f"id {shortened(problem.event_id)}"


def statistics(by_code: Counter[Code]) -> Iterator[Text]:
    """Yield a line per rule with problems: count, code, severity, name; the most frequent first."""
    counts = sorted(((count, code) for code, count in by_code.items() if count), key=lambda each: (-each[0], each[1]))
    width = len(f"{counts[0][0]:,}") if counts else 0
    for count, code in counts:
        rule = RULES[code]
        yield Text.assemble(
            (f"{count:>{width},}", "bold"),
            "  ",
            (code, "magenta"),
            "  ",
            (f"{rule.severity:<7}", STYLES[rule.severity]),
            f"  {rule.name}",
        )


STDIN: Final = "<stdin>"
"""Standard input in `model.Location`: a CI server cannot show it as a file."""


def omitted_line(outcome: ValidateOutcome) -> str:
    """Format how many problems --limit omits; empty for none."""
    total = outcome.problems.total
    omitted = total - len(outcome.problems.kept)
    return f"{omitted:,} of {total:,} problems are not shown (see --limit)" if omitted else ""


def report_omitted(outcome: ValidateOutcome, terminal: Terminal) -> None:
    """Report on standard error what a machine format omits, if it has no field for it."""
    line = omitted_line(outcome)
    if line:
        terminal.report(line, "dim")


PRINT_LINES: Final = 50
"""Lines per call of rich's `print`, each of which takes as long as printing a few lines."""


def print_validation(outcome: ValidateOutcome, terminal: Terminal) -> None:
    """Print the problems or the number per rule to standard output; then a summary, unless --quiet was given."""
    _print_lines(statistics(outcome.by_code) if outcome.statistics else _problem_lines(outcome, terminal), terminal)
    if not terminal.quiet:
        _print_lines(_summary_lines(outcome), terminal)


def _print_lines(lines: Iterator[Text], terminal: Terminal) -> None:
    while some := list(islice(lines, PRINT_LINES)):
        print_wrapped(terminal.out, Text("\n").join(some))


def _problem_lines(outcome: ValidateOutcome, terminal: Terminal) -> Iterator[Text]:
    problems = outcome.problems.kept
    if terminal.quiet:
        problems = tuple(each for each in problems if each.severity in outcome.failing)
    headed = terminal.out.is_terminal and len({problem.location.source for problem in problems}) > 1
    shown: set[tuple[str, str]] = set()

    def was_shown(problem: Problem) -> bool:
        """Whether a warning or info with the same message was shown in full; errors always are. Record this one."""
        message = (problem.code, problem.message)
        is_repeated = message in shown and problem.severity is not Severity.ERROR and not terminal.verbose
        shown.add(message)
        return is_repeated

    for source, found in groupby(problems, key=lambda problem: problem.location.source):
        if headed:
            yield Text(f"── {printable(source)} ──", "bold blue")
            yield Text()
        # An empty line follows each problem of several lines, and each run of one-line problems.
        for repeated, run in groupby(found, key=was_shown):
            for problem in run:
                if repeated:
                    yield problem_on_one_line(problem)
                else:
                    yield from problem_with_excerpt(problem, terminal.out.width)
                    yield Text()
            if repeated:
                yield Text()


def _summary_lines(outcome: ValidateOutcome) -> Iterator[Text]:
    omitted = omitted_line(outcome)
    if omitted and not outcome.statistics:
        yield Text(omitted, "yellow")
    counts = outcome.problems.by_severity
    found = [
        Text(amount(counts[severity], severity), STYLES[severity] if counts[severity] else "")
        for severity in Severity
        if counts[severity] or severity is Severity.ERROR
    ]
    line = Text(f"{amount(outcome.balance.events_read, 'event')} in {amount(outcome.files, 'file')}")
    line.append(f" checked in {outcome.seconds:.1f} s: ")
    line.append_text(Text(", ").join(found) if counts.total() else Text("all valid", "green"))
    if outcome.suppressed:
        line.append(f"; {outcome.suppressed:,} more in the baseline", "dim")
    yield line
