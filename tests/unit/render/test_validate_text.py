"""`tdcur validate --format text`, `concise`, and `grouped`: what a person sees, compared with approved output.

`TDCUR_UPDATE_CASES=1 pytest tests/unit/render/test_validate_text.py` updates it.
"""

import re
from collections import Counter
from collections.abc import Callable
from typing import Any, Final, TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from td_currents_cli.model import Code, Excerpt, Location, Problem, Severity
from td_currents_cli.outcome import Problems
from td_currents_cli.render.validate_text import print_concise, print_grouped, print_validation, snippet
from td_currents_cli.validate.groups import MAX_GROUPS, OTHER_TYPES, ExampleCounter, ProblemGroup, problem_group
from tests.rendering import WIDTHS, Screen, outcome_of, problem_of, screen_of

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
    # --limit hides problems, never their number.
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


FORMS: Final = {"text": print_validation, "concise": print_concise, "grouped": print_grouped}
LONG_NAMES = [problem_of(location=Location("payloads/2026-07-01/braze-currents.jsonl", 12, 345))] * 3
EXAMPLES = [*LONG_NAMES, *REPEATED, BARE]
EQUAL = Counter(map(problem_group, EXAMPLES)) + Counter({problem_group(ERROR): 295, problem_group(WARNING): 1200})


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("form", FORMS)
def test_equal_problems(form: str, width: str, stored: Callable[[str, str], None]) -> None:
    """A few examples, and how many more there are; in the end, what to do next."""
    by_severity = Counter({Severity.ERROR: 299, Severity.WARNING: 1203})
    by_code = Counter({ERROR.code: 298, WARNING.code: 1203, BARE.code: 1})
    kept = tuple(EXAMPLES if form != "grouped" else [ERROR, WARNING, BARE])
    screen = screen_of(WIDTHS[width])
    FORMS[form](
        outcome_of(
            problems=Problems(kept=kept, by_severity=by_severity),
            by_code=by_code,
            by_group=EQUAL,
            examples=len(kept) // 2,
        ),
        screen.terminal,
    )
    stored(f"validate_equal_{form}_{width}", f"{screen.out}--- standard error ---\n{screen.err}")


def test_many_kinds(stored: Callable[[str, str], None]) -> None:
    """Types are counted by themselves up to a bound; --limit is one of kinds, if they are what is shown."""
    counter = ExampleCounter(1)
    types = [problem_of(event_type=f"users.behaviors.X{number}") for number in range(MAX_GROUPS + 20)]
    kept = [each for each in types * 2 if counter.add(each)]
    assert len(kept) == len(counter.counts) == MAX_GROUPS + 1
    assert counter.counts[ProblemGroup(ERROR.code, OTHER_TYPES)] == 40
    problems = Problems(kept=tuple(kept), by_severity=Counter({Severity.ERROR: 2 * len(types)}))
    by_code = Counter({ERROR.code: 2 * len(types)})
    for form, printed in FORMS.items():
        screen = screen_of()
        printed(
            outcome_of(problems=problems, by_code=by_code, by_group=counter.counts, examples=1, limit=2),
            screen.terminal,
        )
        stored(f"validate_kinds_{form}", screen.out + screen.err)


def test_color_adds_nothing_but_color() -> None:
    """What is said is the same with and without; the mark has the color of the severity."""
    plain, colored = (shown([ERROR, WARNING, WARNING], screen_of(80, color=color), {}) for color in (False, True))
    assert re.sub(r"\x1b\[[\d;]*m", "", colored) == plain
    assert "\x1b[1;31m^^^^^^\x1b[0m" in colored
    assert "\x1b[33m^^^^^^\x1b[0m" in colored


WIDE = 10_000


def marked(excerpt: Excerpt, width: int = WIDE) -> tuple[str, str]:
    """The line, and the part of it that stands over the mark in a monospaced font."""
    shown = snippet(excerpt, width)
    begin, over = 0, ""
    for character in shown.text:
        if begin >= shown.pad and begin < shown.pad + len(shown.mark):
            over += character
        begin += cell_len(character)
    return shown.text, over


@pytest.mark.parametrize(
    ("text", "place", "shown", "over"),
    [
        ('{"price":"9.99","currency":"USD"}', 9, None, '"9.99"'),
        ('{"price":"9.99"}', 1, None, '"price"'),
        ('{"a":-1.5e+3,"b":true}', 5, None, "-1.5e+3"),
        ('{"a":-1.5e+3,"b":true}', 17, None, "true"),
        ('{"a":"say \\"x\\" twice"}', 5, None, '"say \\"x\\" twice"'),
        ('{"user":{}}', 8, None, "{"),
        ('{"open":"never closed', 8, None, '"never closed'),
        ("[1,]", 3, None, "]"),
        # Two cells for an ideograph and the ideographic space, none for a combining accent.
        ('{"商品　名":1,"cafe\u0301":2,"price":"x"}', '"x"', None, '"x"'),
        # Nothing in a payload moves the cursor, colors the terminal or turns the text around.
        ('{"a\x1b[31m":"\u202ex\x00","b":"y"}', '"y"', '{"a\\x1b[31m":"\\u202ex\\x00","b":"y"}', '"y"'),
        ('"\ud800"', 0, '"\\ud800"', '"\\ud800"'),
        # Tabs that indent are spaces; a tab inside a string is what is wrong with it.
        ('\t\t"a": 1', 2, '        "a": 1', '"a"'),
        ('{"a":"x\ty"}', 7, '{"a":"x\\ty"}', "\\t"),
        # A joiner is part of ordinary text, though Unicode counts it among the formats.
        ('{"name":"👩\u200d💻"}', 1, None, '"name"'),
    ],
)
def test_the_mark_is_under_the_whole_token(text: str, place: int | str, shown: str | None, over: str) -> None:
    """A string with its quotes, a number, a word; one character where the place is none of these."""
    caret = text.index(place) if isinstance(place, str) else place
    assert marked(Excerpt(text, caret)) == (shown or text, over)


@pytest.mark.parametrize(
    ("excerpt", "pad", "mark"),
    [
        (Excerpt('["商品"]', 1), 1, "^" * 6),
        # As where the text ends too early.
        (Excerpt('{"a":', 5), 5, "^"),
    ],
    ids=["a wide token", "the end of the line"],
)
def test_the_mark_is_as_wide_as_what_it_marks(excerpt: Excerpt, pad: int, mark: str) -> None:
    shown = snippet(excerpt, WIDE)
    assert (shown.pad, shown.mark) == (pad, mark)


def test_what_the_reader_cut_off_is_shown_by_ellipses() -> None:
    """The mark counts the first of them."""
    excerpt = Excerpt('"a":1,"b":2', 10, cut_before=True, cut_after=True)
    assert marked(excerpt) == ('…"a":1,"b":2…', "2")


@pytest.mark.parametrize(("after", "end", "cells"), [(',"x",' + "b" * 100, "b…", 40), (',"x"', ',"x"', 39)])
def test_a_long_line_is_cut_around_the_place(after: str, end: str, cells: int) -> None:
    """As much as fits, with the place in it and the cuts shown; to its end where the place is there."""
    shown, over = marked(Excerpt("a" * 100 + after, 101), width=40)
    assert (over, shown[:2], shown[-len(end) :], cell_len(shown)) == ('"x"', "…a", end, cells)


CHARACTERS = st.text(st.sampled_from('ab"\\:,{} \t\x07商　é\u0301👩\u200d'), max_size=80)


@given(before=CHARACTERS, after=CHARACTERS, cut=st.tuples(st.booleans(), st.booleans()), width=st.integers(20, 120))
def test_a_snippet_fits_and_its_mark_is_inside(before: str, after: str, cut: tuple[bool, bool], width: int) -> None:
    """Whatever the line holds: never wider than there is room, never a mark beyond it but one at its end."""
    shown = snippet(Excerpt(before + after, len(before), *cut), width)
    assert cell_len(shown.text) <= width
    assert shown.pad + len(shown.mark) <= cell_len(shown.text) + 1
    assert not set("\t\x07") & set(shown.text)
