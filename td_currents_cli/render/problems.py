"""Problems as lines of text: place, code, severity, message."""

from collections.abc import Container
from typing import Final

from rich.text import Text

from td_currents_cli.codes import Code
from td_currents_cli.model import Problem, Severity
from td_currents_cli.outcome import Problems
from td_currents_cli.render.terminal import Terminal, printable

STYLES: Final = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.INFO: "cyan"}
SHOWN: Final = 20

OF_ROWS: Final = frozenset({Code.UNKNOWN_FORM})
"""What is mended with an option of the commands that read rows."""


def problem_line(problem: Problem) -> Text:
    """One problem on one line, as `file:line:column TDC101 error message`."""
    return Text.assemble(
        (printable(str(problem.location)), "bold"),
        " ",
        (problem.code, "magenta"),
        " ",
        (problem.severity, STYLES[problem.severity]),
        f" {printable(problem.message)}",
    )


def show_problems(problems: Problems, terminal: Terminal, hinted: Container[Code] = ()) -> None:
    """The first problems of a run whose purpose is another, on standard error; with hints, those with such codes."""
    shown = problems.kept if terminal.verbose else problems.kept[:SHOWN]
    for problem in shown:
        if problem.severity is Severity.ERROR or not terminal.quiet:
            terminal.err.print(problem_line(problem), soft_wrap=True)
        if problem.code in hinted:
            terminal.err.print(Text.assemble(("hint", "bold cyan"), f": {problem.hint}"), soft_wrap=True)
    if problems.total > len(shown):
        terminal.say(f"… and {problems.total - len(shown):,} more problems", "dim")
