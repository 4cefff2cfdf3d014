"""One problem for people."""

from collections.abc import Iterator
from typing import Final

from rich.text import Text

from td_currents_cli.model import Excerpt, Problem
from td_currents_cli.render.problems import STYLES, problem_line
from td_currents_cli.render.terminal import printable
from td_currents_cli.render.validate.snippet import snippet

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
        yield from _excerpt_lines(problem, problem.excerpt, number, width)
    margin = " " * len(number) + " = "
    place = ", ".join(_place_names(problem))
    if place:
        yield Text.assemble((margin, GUTTER), (printable(place), "dim"))
    yield Text.assemble((margin, GUTTER), ("hint", "bold cyan"), f": {printable(problem.hint)}")


def _excerpt_lines(problem: Problem, excerpt: Excerpt, number: str, width: int) -> Iterator[Text]:
    bar = " | "
    line = snippet(excerpt, max(width - len(number) - len(bar), NARROWEST))
    yield Text.assemble((number + bar, GUTTER), line.text)
    yield Text.assemble((" " * len(number) + bar, GUTTER), " " * line.pad, (line.mark, STYLES[problem.severity]))


def _place_names(problem: Problem) -> Iterator[str]:
    if problem.pointer:
        yield f"at {problem.pointer}"
    yield from _event_names(problem)
    if problem.event_type is not None:
        yield problem.event_type


def _event_names(problem: Problem) -> Iterator[str]:
    if problem.event_index is not None:
        yield f"event {problem.event_index}"
    if problem.event_id is not None:
        yield f"id {problem.event_id}"
