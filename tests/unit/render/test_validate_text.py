"""`tdcur validate --format text`: what a person sees, compared with approved output.

`TDCUR_UPDATE_CASES=1 pytest tests/unit/render/test_validate_text.py` updates it.
"""

import re
from collections import Counter
from collections.abc import Callable
from typing import Any, Final, TypeAlias

import pytest

from td_currents_cli.model import Code, Excerpt, Location, Problem
from td_currents_cli.render.validate_text import print_validation
from tests.rendering import Screen, outcome_of, problem_of, screen_of

Case: TypeAlias = tuple[list[Problem], dict[str, Any], dict[str, Any]]
"""Problems, the screen, and what else the outcome has."""

ERROR, WARNING, INFO = (problem_of(code) for code in (Code.FIELD_TYPE, Code.NO_EXTERNAL_USER_ID, Code.UNKNOWN_FIELD))
BARE = Problem(code=Code.UNREADABLE, location=Location("rows.msgpack.gz"), message="it ends early", hint="Look.")
EVIL = "a\x1b[2Jb\n"
STEERING = problem_of(location=Location(EVIL, 100, 1), message=EVIL, pointer=f"/{EVIL}", event_id=EVIL, hint=EVIL)
LONG = '"x":' * 30 + '"9.99"' + ',"y"' * 30
REPEATED = [
    problem_of(WARNING.code, message="no id", event_index=at, event_id=f"e-{at}", location=Location("p", at + 1))
    for at in range(3)
]
FILES = [problem_of(location=Location(name, 1, 1)) for name in ("a.json", "a.json", "b.json")]
COUNTS = Counter({Code.FIELD_TYPE: 2, Code.UNKNOWN_FIELD: 12_345, Code.FIELD_MISSING: 2})

CASES: Final[dict[str, Case]] = {
    # A line that editors make a link of, the line of the input with a mark, the place's other names, the fix.
    "problem": ([problem_of(hint="Write a number.")], {}, {}),
    # An input without lines has no snippet; a document has no event.
    "bare": ([BARE], {}, {}),
    # The marks stay below their line, however wide its number is.
    "gutter": ([problem_of(location=Location("p.json", 12_345, 10, row=7))], {}, {}),
    # On a terminal a snippet fits its width: it is cut again around the place, and the mark stays under it.
    "narrow": ([problem_of(excerpt=Excerpt(LONG, 120, cut_before=True))], {"width": 60}, {}),
    # Off a terminal nothing is clipped.
    "long": ([problem_of(excerpt=Excerpt(LONG, 120), message="y" * 500)], {}, {}),
    # Escape sequences in names, ids and paths are shown, not obeyed.
    "steering": ([STEERING], {}, {}),
    # A warning of each of many events must not drown the errors, which are shown in full each time.
    "repeated": ([*REPEATED, ERROR, ERROR], {}, {}),
    "repeated_verbose": (REPEATED, {"verbose": True}, {}),
    # A pipe gets lines for grep; a single file needs no heading.
    "files": (FILES, {"width": 100}, {}),
    "files_pipe": (FILES, {}, {}),
    "files_single": (FILES[:1], {"width": 100}, {}),
    # What fails the run, which are with --strict warnings too; no last line.
    "quiet": ([ERROR, WARNING, INFO], {"quiet": True}, {}),
    "quiet_strict": ([ERROR, WARNING, INFO], {"quiet": True}, {"strict": True}),
    "clean": ([], {}, {}),
    # That there are no errors is said too.
    "severities": ([INFO, WARNING], {}, {}),
    # --max-findings hides problems, never their number.
    "hidden": ([ERROR] * 1200, {}, {"keep": 1}),
    # A clean run with a baseline is not the same as a clean run.
    "baseline": ([], {}, {"suppressed": 1234}),
    "statistics": ([ERROR, ERROR], {}, {"by_code": COUNTS, "statistics": True, "keep": 1}),
}


def shown(problems: list[Problem], screen: Screen, outcome: dict[str, Any]) -> str:
    print_validation(outcome_of(*problems, **outcome), screen.terminal)
    return screen.out + screen.err


@pytest.mark.parametrize("name", CASES)
def test_text(name: str, stored: Callable[[str, str], None]) -> None:
    problems, screen, outcome = CASES[name]
    text = shown(problems, screen_of(**screen), outcome)
    stored(f"validate_{name}", text)
    assert "\x1b" not in text


def test_color_adds_nothing_but_color() -> None:
    """What is said is the same with and without; the mark has the color of the severity."""
    plain, colored = (shown([ERROR, WARNING, WARNING], screen_of(80, color=color), {}) for color in (False, True))
    assert re.sub(r"\x1b\[[\d;]*m", "", colored) == plain
    assert "\x1b[1;31m^^^^^^\x1b[0m" in colored
    assert "\x1b[33m^^^^^^\x1b[0m" in colored
