"""Terminals to render outcomes on, and outcomes of `tdcur validate` built in memory."""

from collections import Counter
from dataclasses import dataclass
from io import StringIO
from typing import Any, Final

from rich.console import Console

from td_currents_cli.errors import ExitCode
from td_currents_cli.model import Code, Excerpt, Location, Problem, Severity
from td_currents_cli.outcome import Balance, Problems
from td_currents_cli.render.terminal import UNCLIPPED, Terminal
from td_currents_cli.validate import ValidateOutcome
from td_currents_cli.validate.command import Selection
from td_currents_cli.validate.groups import problem_group
from td_currents_cli.validate.rules import RULES


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


class Tty(StringIO):
    """A file that is animated on: a person looks at it."""

    def isatty(self) -> bool:
        return True


WIDTHS: Final = {"80": 80, "200": 200, "pipe": None}
"""Of screens, by names for approved output."""


def screen_of(width: int | None = None, *, color: bool = False, quiet: bool = False, verbose: bool = False) -> Screen:
    """Makes a screen: off a terminal without a width, else a terminal of that width, with or without color."""
    out, err = (
        Console(
            file=StringIO() if width is None else Tty(),
            width=width or UNCLIPPED,
            force_terminal=width is not None,
            color_system="standard" if color else None,
            highlight=False,
            legacy_windows=False,
        )
        for _ in range(2)
    )
    return Screen(Terminal(out, err, quiet=quiet, verbose=verbose))


def problem_of(code: Code = Code.FIELD_TYPE, **fields: Any) -> Problem:
    """Makes a problem: of any code, in an event's field, with what is given instead."""
    usual: dict[str, Any] = {
        "code": code,
        "severity": RULES[code].severity,
        "location": Location("payloads.jsonl", line=3, column=9),
        "message": "`properties.price` must be a number, got a string",
        "pointer": "/events/57/properties/price",
        "event_index": 57,
        "event_id": "e-57",
        "event_type": "users.behaviors.Purchase",
        "excerpt": Excerpt('{"price":"9.99"}', caret=9),
    }
    return Problem(**(usual | fields))


def outcome_of(*problems: Problem, keep: int | None = None, **fields: Any) -> ValidateOutcome:
    """Makes an outcome of these problems, all of them counted and, unless `keep` is given, all of them kept."""
    by_severity = Counter(problem.severity for problem in problems)
    usual: dict[str, Any] = {
        "files": 2,
        "balance": Balance(rows_read=3, rows_rejected=0, events_read=58, events_rejected=0, events_out=58),
        "problems": Problems(kept=problems[:keep], by_severity=by_severity),
        "by_code": Counter(problem.code for problem in problems),
        "by_group": Counter(map(problem_group, problems)),
        "seconds": 0.25,
        "statistics": False,
        "suppressed": 0,
        "strict": False,
        "selection": Selection.of([], []),
        "exit_code": ExitCode.FINDINGS if by_severity[Severity.ERROR] else ExitCode.OK,
    }
    return ValidateOutcome(**(usual | fields))


KEY: Final = "1/" + "0123456789abcdef0123" * 2

HOSTILE: Final = (
    "<script>window.hacked = 1</script>",
    '"><img src=x onerror="window.hacked = 1">',
    "{{ 7 * 7 }}</title></style></table><h1>hacked</h1>",
    "\u202egnihtyna\u202c \u2066x\u2069 \u200f\u061c \x1b[31m \x00",
    "\u05e9\u05dc\u05d5\u05dd 12 `\u05d0\u05d1",
    f"td_write_key={KEY}",
    "x" * 5000,
)
"""Names of event types, campaigns, files, and so on."""
