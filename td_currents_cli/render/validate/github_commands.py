"""Problems as GitHub Actions workflow commands: `::error file=…,line=…,col=…,title=…::message`.

The syntax and its escapes are those of actions/toolkit (packages/core/src/command.ts).
"""

import sys
from typing import Final

from td_currents_cli.model import Problem, Severity
from td_currents_cli.render.terminal import Terminal, printable
from td_currents_cli.render.validate.shown import STDIN, report_omitted
from td_currents_cli.validate import ValidateOutcome

_ANNOTATIONS: Final = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}
_DATA: Final = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_PROPERTY: Final = _DATA | str.maketrans({":": "%3A", ",": "%2C"})


def write_github(outcome: ValidateOutcome, terminal: Terminal) -> None:
    """Write one command per problem to standard output, where the runner reads them."""
    for problem in outcome.problems.kept:
        sys.stdout.buffer.write(f"{annotation(problem)}\n".encode(errors="backslashreplace"))
    report_omitted(outcome, terminal)


def annotation(problem: Problem) -> str:
    """Format the command for one problem. For standard input, it names no file."""
    place = problem.location
    properties: dict[str, object] = {}
    if place.source != STDIN:
        properties = {"file": place.source, "line": place.line, "col": place.column}
    properties["title"] = problem.code
    fields = ",".join(
        f"{name}={str(value).translate(_PROPERTY)}" for name, value in properties.items() if value is not None
    )
    return f"::{_ANNOTATIONS[problem.severity]} {fields}::{_annotation_message(problem).translate(_DATA)}"


def _annotation_message(problem: Problem) -> str:
    # The log shows only the message, so it repeats the place and the code.
    lines = [f"{problem.location} {problem.code} {problem.message}"]
    if problem.pointer:
        lines.append(f"at {problem.pointer}")
    lines.append(problem.hint)
    return "\n".join(map(printable, lines))
