"""Outcomes of `tdcur validate` built in memory, and terminals to render them on."""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from td_currents_cli.codes import Code
from td_currents_cli.errors import ExitCode
from td_currents_cli.model import Excerpt, Location, Problem, Severity
from td_currents_cli.outcome import Balance, Problems
from td_currents_cli.render.terminal import UNCLIPPED, Terminal
from td_currents_cli.validate import ValidateOutcome
from td_currents_cli.validate.rules import RULES
from td_currents_cli.validate.selection import Selection
from tests.td_service.canned import Canned
from tests.td_service.service import Service


@dataclass(frozen=True, slots=True)
class Screen:
    """A terminal whose standard output and standard error are kept."""

    terminal: Terminal

    @property
    def out(self) -> str:
        return _written(self.terminal.out)

    @property
    def err(self) -> str:
        return _written(self.terminal.err)

    @property
    def lines(self) -> list[str]:
        return self.out.split("\n")


def _written(console: Console) -> str:
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


@pytest.fixture(scope="session")
def running() -> Iterator[Service]:
    """A stand-in for Treasure Data's REST API, which each test resets to tables and an engine of its own."""
    with Service(Canned((), ())) as running:
        yield running


@pytest.fixture
def stored() -> Callable[[str, str], None]:
    """Compares a text with the one stored under a name in tests/cases/tables; with TDCUR_UPDATE_CASES=1, stores it."""

    def check(name: str, text: str) -> None:
        path = Path(__file__).parents[1] / "cases" / "tables" / f"{name}.txt"
        if os.environ.get("TDCUR_UPDATE_CASES"):
            path.write_text(text, encoding="utf-8")
        assert text == path.read_text(encoding="utf-8")

    return check


@pytest.fixture
def screen_of() -> Callable[..., Screen]:
    """Makes a screen: off a terminal without a width, else a terminal of that width, with or without colour."""

    def make(width: int | None = None, *, colour: bool = False, quiet: bool = False, verbose: bool = False) -> Screen:
        def console() -> Console:
            return Console(
                file=StringIO(),
                width=width or UNCLIPPED,
                force_terminal=width is not None,
                color_system="standard" if colour else None,
                highlight=False,
                legacy_windows=False,
            )

        return Screen(Terminal(console(), console(), quiet=quiet, verbose=verbose))

    return make


@pytest.fixture
def screen(screen_of: Callable[..., Screen]) -> Screen:
    """Standard output and standard error in a pipe."""
    return screen_of()


@pytest.fixture
def problem_of() -> Callable[..., Problem]:
    """Makes a problem: of any code, in an event's field, with what is given instead."""

    def make(code: Code = Code.FIELD_TYPE, **members: Any) -> Problem:
        usual: dict[str, Any] = {
            "code": code,
            "severity": RULES[code].severity,
            "location": Location("payloads.jsonl", line=3, column=9),
            "message": "`properties.price` should be a number, found a text",
            "pointer": "/events/57/properties/price",
            "event_index": 57,
            "event_id": "e-57",
            "event_type": "users.behaviors.Purchase",
            "excerpt": Excerpt('{"price":"9.99"}', caret=9),
        }
        return Problem(**(usual | members))

    return make


@pytest.fixture
def outcome_of() -> Callable[..., ValidateOutcome]:
    """Makes an outcome of these problems, all of them counted and, unless `keep` is given, all of them kept."""

    def make(*problems: Problem, keep: int | None = None, **members: Any) -> ValidateOutcome:
        by_severity = Counter(problem.severity for problem in problems)
        usual: dict[str, Any] = {
            "files": 2,
            "balance": Balance(rows_read=3, rows_rejected=0, events_read=58, events_rejected=0, events_out=58),
            "problems": Problems(kept=problems[:keep], by_severity=by_severity),
            "by_code": Counter(problem.code for problem in problems),
            "seconds": 0.25,
            "statistics": False,
            "suppressed": 0,
            "strict": False,
            "selection": Selection.of([], []),
            "exit_code": ExitCode.FINDINGS if by_severity[Severity.ERROR] else ExitCode.OK,
        }
        return ValidateOutcome(**(usual | members))

    return make
