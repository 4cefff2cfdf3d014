"""Numbers and nouns for people."""

import json
from collections.abc import Container
from typing import Any, Final

from rich.text import Text

from td_currents_cli.model import Code, Problem, Severity
from td_currents_cli.outcome import Balance, Problems
from td_currents_cli.render.terminal import Terminal, print_wrapped, printable

LOST: Final = "lost in truncated cells"


def amount(number: int, noun: str, plural: str = "") -> str:
    """Format a number with its noun: `1 event`, `1,200 events`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def percent(share: float) -> str:
    """Format a share between 0 and 1: `12.5 %`."""
    return f"{share:.1%}".replace("%", " %")


def balance_line(balance: Balance, verb: str) -> str:
    """Account for every row and event of a run on one line, leaving out what did not happen.

    Args:
        balance: of the run.
        verb: what was done to the events, such as `counted`.
    """
    others = (
        (balance.duplicates, "duplicates"),
        (balance.filtered, "filtered"),
        (balance.events_rejected, "rejected"),
        (balance.lost, LOST),
    )
    return format_balance(balance, balance.events_out, verb, others)


def format_balance(balance: Balance, used: int, verb: str, others: tuple[tuple[int, str], ...]) -> str:
    """Format rows and events, as an equation only where some were not used."""
    rows, separator = amount(balance.rows_read, "row"), ", "
    if balance.rows_rejected:
        rows, separator = f"{rows} read = {balance.rows_good:,} good + {balance.rows_rejected:,} rejected", "; "
    if used == balance.events_read:
        return f"{rows}{separator}{amount(used, 'event')} {verb}"
    parts = [f"{used:,} {verb}", *(f"{number:,} {what}" for number, what in others if number)]
    return f"{rows}{separator}{amount(balance.events_read, 'event')} read = {' + '.join(parts)}"


STYLES: Final = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.INFO: "cyan"}
SHOWN_PROBLEMS: Final = 20
"""Problems printed without --verbose."""

ROW_CODES: Final = frozenset({Code.UNKNOWN_FORM, Code.DOCUMENT_TOO_LARGE, Code.NOT_UTF8})
"""Problems that an option can fix, or another encoding: printed with their hint."""


def problem_line(problem: Problem) -> Text:
    """Format a problem on one line, as `file:line:column TDC101 error message`."""
    return Text.assemble(
        (printable(str(problem.location)), "bold"),
        " ",
        (problem.code, "magenta"),
        " ",
        (problem.severity, STYLES[problem.severity]),
        f" {printable(problem.message)}",
    )


def print_problems(problems: Problems, terminal: Terminal, hinted: Container[Code] = ()) -> None:
    """Print the first problems of a run on standard error; those with a code in `hinted` with their hint."""
    shown = problems.kept if terminal.verbose else problems.kept[:SHOWN_PROBLEMS]
    for problem in shown:
        if problem.severity is Severity.ERROR or not terminal.quiet:
            print_wrapped(terminal.err, problem_line(problem))
        if problem.hint and problem.code in hinted:
            print_wrapped(terminal.err, Text.assemble(("hint", "bold cyan"), f": {problem.hint}"))
    if problems.total > len(shown):
        terminal.report(f"… and {problems.total - len(shown):,} more problems", "dim")


LINE_WIDTH: Final = 120


def format_json(value: Any, *, indent: str = "", taken: int = 0) -> str:  # noqa: ANN401 -- any JSON value
    """Format a JSON value, without a line end after it.

    Args:
        value: any JSON value, with no lone surrogates in its strings.
        indent: of the line that it begins on.
        taken: columns of that line that are already used after the indent, for the name and the comma.
    """
    line = json.dumps(value, ensure_ascii=False)
    if not value or not isinstance(value, dict | list) or len(indent) + taken + len(line) <= LINE_WIDTH:
        return line
    deeper = f"{indent}  "
    if isinstance(value, dict):
        names = [f"{json.dumps(name, ensure_ascii=False)}: " for name in value]
        fields = zip(names, value.values(), strict=True)
        lines = [name + format_json(field, indent=deeper, taken=len(name) + 1) for name, field in fields]
        return "{\n" + ",\n".join(deeper + each for each in lines) + f"\n{indent}}}"
    lines = [format_json(item, indent=deeper, taken=1) for item in value]
    return "[\n" + ",\n".join(deeper + each for each in lines) + f"\n{indent}]"
