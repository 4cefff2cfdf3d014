"""Findings as GitHub Actions workflow commands: `::error file=…,line=…,col=…,title=…::message`.

The form and its escapes are those of actions/toolkit (packages/core/src/command.ts), which the runner undoes.
"""

import sys
from typing import Final

from td_currents_cli.model import Problem, Severity
from td_currents_cli.render.terminal import Terminal, printable
from td_currents_cli.render.validate.shown import STDIN, say_what_is_cut
from td_currents_cli.validate import ValidateOutcome

_COMMANDS: Final = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}
_DATA: Final = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_PROPERTY: Final = _DATA | str.maketrans({":": "%3A", ",": "%2C"})


def write(outcome: ValidateOutcome, terminal: Terminal) -> None:
    """One command a finding, on standard output, where the runner looks for them."""
    for problem in outcome.problems.kept:
        sys.stdout.buffer.write(f"{annotation(problem)}\n".encode(errors="backslashreplace"))
    say_what_is_cut(outcome, terminal)


def annotation(problem: Problem) -> str:
    """The command for one finding. Where no file was read, as on standard input, it names none."""
    place = problem.location
    properties: dict[str, object] = {}
    if place.source != STDIN:
        properties = {"file": place.source, "line": place.line, "col": place.column}
    properties["title"] = problem.code
    said = ",".join(
        f"{name}={str(value).translate(_PROPERTY)}" for name, value in properties.items() if value is not None
    )
    return f"::{_COMMANDS[problem.severity]} {said}::{_message(problem).translate(_DATA)}"


def _message(problem: Problem) -> str:
    # The log shows the message alone: the place and code are said in it once more.
    lines = [f"{problem.location} {problem.code} {problem.message}"]
    if problem.pointer:
        lines.append(f"at {problem.pointer}")
    lines.append(problem.hint)
    return "\n".join(map(printable, lines))
