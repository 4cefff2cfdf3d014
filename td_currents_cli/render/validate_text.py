"""Problems for people, in the style of ruff: what and where, an excerpt with a mark, and what to do."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from td_currents_cli.model import Code, Excerpt, Problem, Severity
from td_currents_cli.outcome import most_severe
from td_currents_cli.patterns import pattern
from td_currents_cli.render.layout import NARROWEST, hanging
from td_currents_cli.render.terminal import STYLES, Terminal, amount, print_wrapped, printable, problem_line
from td_currents_cli.secrets import mask
from td_currents_cli.validate import ValidateOutcome
from td_currents_cli.validate.checks import shortened
from td_currents_cli.validate.groups import ProblemGroup, problem_group
from td_currents_cli.validate.rules import RULES

INDENT: Final = "    "
"""Shown for a tab at the beginning of a line; elsewhere it is shown as `\\t`, since JSON strings contain no tabs."""

MORE: Final = "…"

_TOKEN: Final = pattern(r'"(?:[^"\\]|\\.)*+"?|[\w+.-]+')
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


def problem_on_one_line(problem: Problem) -> Text:
    """Format place, code, severity, message, and the event."""
    event = ", ".join(_event_names(problem))
    return problem_line(problem).append(f" ({printable(event)})" if event else "", "dim")


def problem_with_excerpt(problem: Problem, console: Console) -> Iterator[Text]:
    """Format place, code, severity, and message; an excerpt, fitted to the width of the terminal; the fix."""
    yield problem_line(problem)
    number = "" if problem.location.line is None else str(problem.location.line)
    if problem.excerpt is not None:
        bar = " | "
        line = snippet(problem.excerpt, max(console.width - len(number) - len(bar), NARROWEST))
        yield Text.assemble((number + bar, GUTTER), line.text)
        mark = (line.mark, STYLES[problem.severity])
        yield Text.assemble((" " * len(number) + bar, GUTTER), " " * line.pad, mark)
    margin = Text(" " * len(number) + " = ", GUTTER)
    place = [f"at {problem.pointer}"] if problem.pointer else []
    place += _event_names(problem)
    place += [shortened(problem.event_type)] if problem.event_type is not None else []
    if place:
        yield from hanging(margin, Text(printable(", ".join(place)), "dim"), console)
    yield from hanging(margin, Text.assemble(("hint", "bold cyan"), f": {printable(problem.hint)}"), console)


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
        yield _counted(count, width, code).append(RULES[code].name)
    if counts:
        yield Text()


def _counted(count: int, width: int, code: Code) -> Text:
    severity = RULES[code].severity
    return Text.assemble(
        (f"{count:>{width},}", "bold"),
        "  ",
        (code, "magenta"),
        "  ",
        (f"{severity:<7}", STYLES[severity]),
        "  ",
    )


STDIN: Final = "<stdin>"
"""Standard input in `model.Location`: a CI server cannot show it as a file."""


def omitted_line(outcome: ValidateOutcome) -> str:
    """Format how many problems --limit omits; empty for none."""
    omitted = outcome.problems.total - len(outcome.problems.kept)
    return _omitted_line(omitted, outcome) if omitted else ""


def _omitted_line(omitted: int, outcome: ValidateOutcome) -> str:
    return f"{omitted:,} of {outcome.problems.total:,} problems are not shown (see --limit)"


def report_omitted(outcome: ValidateOutcome, terminal: Terminal) -> None:
    """Report on standard error what a machine format omits, if it has no field for it."""
    line = omitted_line(outcome)
    if line:
        terminal.report(line, "dim")


PRINT_LINES: Final = 50
"""Lines per call of rich's `print`, each of which takes as long as printing a few lines."""


def print_validation(outcome: ValidateOutcome, terminal: Terminal) -> None:
    """Print examples with excerpts, and a summary, to standard output."""
    problems = _shown_problems(outcome, terminal)
    _print(outcome, terminal, _problem_lines(problems, outcome, terminal), _omitted_of(problems, outcome))


def print_concise(outcome: ValidateOutcome, terminal: Terminal) -> None:
    """Print examples on one line each to standard output, for grep; a summary to standard error."""
    problems = _shown_problems(outcome, terminal)
    omitted = _omitted_of(problems, outcome)
    _print(outcome, terminal, _concise_lines(problems, outcome), omitted, summary_to=terminal.err)


def print_grouped(outcome: ValidateOutcome, terminal: Terminal) -> None:
    """Print the number of problems of each group, and an example, to standard output; the most frequent first."""
    counts = sorted(outcome.by_group.items(), key=lambda each: (-each[1], each[0].code, each[0].event_type or ""))
    if terminal.quiet:
        counts = [each for each in counts if RULES[each[0].code].severity in outcome.failing]
    shown = dict(counts[: outcome.limit])
    omitted = outcome.by_group.total() - sum(shown.values())
    _print(outcome, terminal, _group_lines(shown, outcome, terminal.out), omitted, is_grouped=True)


def _print(
    outcome: ValidateOutcome,
    terminal: Terminal,
    lines: Iterator[Text],
    omitted: int,  # problems that are neither shown nor counted next to an example
    *,
    summary_to: Console | None = None,
    is_grouped: bool = False,
) -> None:
    is_concise = summary_to is not None
    _print_lines(statistics(outcome.by_code) if outcome.statistics else lines, terminal.out, wraps=not is_concise)
    if terminal.quiet:
        return
    _print_lines(_summary_lines(outcome, omitted), summary_to or terminal.out)
    _print_lines(_next_steps(outcome, is_grouped=is_grouped), terminal.err)


def _print_lines(lines: Iterator[Text], console: Console, *, wraps: bool = True) -> None:
    is_plain = not console.is_terminal and console.color_system is None
    while some := list(islice(lines, PRINT_LINES)):
        if is_plain:  # rich would take twice as long for the same text
            console.file.write("".join(f"{mask(line.plain)}\n" for line in some))
        elif wraps:
            print_wrapped(console, Text("\n").join(some))
        else:
            console.print(Text("\n").join(some), soft_wrap=True)
    console.file.flush()  # before what goes to the other stream


def _shown_problems(outcome: ValidateOutcome, terminal: Terminal) -> Sequence[Problem]:
    problems = outcome.problems.kept
    if terminal.quiet:
        problems = tuple(each for each in problems if each.severity in outcome.failing)
    return most_severe(problems, outcome.limit)


def _omitted_of(shown: Sequence[Problem], outcome: ValidateOutcome) -> int:
    if outcome.examples is None:
        return outcome.problems.total - len(shown)
    groups = {problem_group(problem, outcome.by_group) for problem in shown}
    return sum(count for group, count in outcome.by_group.items() if group not in groups)


def _with_rest(problems: Sequence[Problem], outcome: ValidateOutcome) -> Iterator[tuple[Problem, int]]:
    """Yield each problem, and, with the last of its group, how many more of them are not shown."""
    if outcome.examples is None:
        yield from ((problem, 0) for problem in problems)
        return
    groups = [problem_group(problem, outcome.by_group) for problem in problems]
    last = {group: index for index, group in enumerate(groups)}
    shown = Counter(groups)
    for index, (problem, group) in enumerate(zip(problems, groups, strict=True)):
        yield problem, outcome.by_group[group] - shown[group] if last[group] == index else 0


def _rest_line(rest: int) -> Text:
    return Text(f"{MORE} and {rest:,} more like it", "dim")


def _problem_lines(problems: Sequence[Problem], outcome: ValidateOutcome, terminal: Terminal) -> Iterator[Text]:
    headed = terminal.out.is_terminal and len({problem.location.source for problem in problems}) > 1
    shown: set[tuple[str, str]] = set()
    source, in_run = "", False
    for problem, rest in _with_rest(problems, outcome):
        message = (problem.code, problem.message)
        # Errors are always shown in full, a warning or info once.
        is_repeated = message in shown and problem.severity is not Severity.ERROR and not terminal.verbose
        shown.add(message)
        is_headed = headed and problem.location.source != source
        source = problem.location.source
        # An empty line follows each problem of several lines, and each run of one-line problems.
        if in_run and (is_headed or not is_repeated):
            yield Text()
        if is_headed:
            yield Text(f"── {printable(source)} ──", "bold blue")
            yield Text()
        if is_repeated:
            yield problem_on_one_line(problem)
        else:
            yield from problem_with_excerpt(problem, terminal.out)
        if rest:
            yield _rest_line(rest)
        if not is_repeated:
            yield Text()
        in_run = is_repeated
    if in_run:
        yield Text()


def _concise_lines(problems: Sequence[Problem], outcome: ValidateOutcome) -> Iterator[Text]:
    for problem, rest in _with_rest(problems, outcome):
        yield problem_line(problem)
        if rest:
            # Also found by a search for the code or the type.
            group = problem_group(problem, outcome.by_group)
            names = ", ".join(filter(None, (group.code, printable(group.event_type or ""))))
            yield _rest_line(rest).append(f" ({names})")


def _group_lines(counts: Mapping[ProblemGroup, int], outcome: ValidateOutcome, console: Console) -> Iterator[Text]:
    examples: dict[ProblemGroup, list[Problem]] = defaultdict(list)
    for problem in outcome.problems.kept:
        examples[problem_group(problem, outcome.by_group)].append(problem)
    width = len(f"{max(counts.values(), default=0):,}")
    for group, count in counts.items():
        event_type = f" in {printable(group.event_type)}" if group.event_type else ""
        what = Text(RULES[group.code].name).append(event_type, "dim")
        yield from hanging(_counted(count, width, group.code), what, console)
        for problem in examples[group]:
            line = Text.assemble((printable(str(problem.location)), "bold"), f" {printable(problem.message)}")
            yield from hanging(Text(" " * (width + 2)), line, console)
    if counts:
        yield Text()


MANY_GROUPS: Final = 10
VERY_MANY: Final = 1000


def _next_steps(outcome: ValidateOutcome, *, is_grouped: bool) -> Iterator[Text]:
    counts, groups = outcome.by_code, outcome.by_group
    if not counts.total():
        return
    severity = next(each for each in Severity if outcome.problems.by_severity[each])
    code = max(counts, key=lambda code: (RULES[code].severity is severity, counts[code]))
    yield _hint(f"`tdcur rules {code}` explains the {f'most frequent {severity}' if len(counts) > 1 else 'rule'}")
    if len(groups) > MANY_GROUPS and not is_grouped:
        yield _hint(f"`--format grouped` lists the {len(groups):,} kinds of problems, the most frequent first")
    elif counts.total() >= VERY_MANY and not outcome.suppressed:
        yield _hint("`--write-baseline FILE` accepts these, so that only new problems fail")
    elif counts.total() > len(outcome.problems.kept) and outcome.examples is not None:
        yield _hint("`--verbose` shows all problems")


def _hint(text: str) -> Text:
    return Text.assemble(("hint", "bold cyan"), f": {text}")


def _summary_lines(outcome: ValidateOutcome, omitted: int) -> Iterator[Text]:
    if omitted and not outcome.statistics:
        yield Text(_omitted_line(omitted, outcome), "yellow")
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
