"""Problems as lines: place, code, severity, message."""

from collections.abc import Container
from typing import Final

from rich.text import Text

from td_currents_cli.model import Code, Problem, Severity
from td_currents_cli.outcome import Problems
from td_currents_cli.render.terminal import Terminal, print_wrapped, printable

STYLES: Final = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.INFO: "cyan"}
SHOWN_PROBLEMS: Final = 20
"""Problems printed without --verbose."""

ROW_CODES: Final = frozenset({Code.UNKNOWN_FORM})
"""Problems that an option of the commands that read rows can fix: printed with their hint."""


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
        if problem.code in hinted:
            print_wrapped(terminal.err, Text.assemble(("hint", "bold cyan"), f": {problem.hint}"))
    if problems.total > len(shown):
        terminal.report(f"… and {problems.total - len(shown):,} more problems", "dim")
