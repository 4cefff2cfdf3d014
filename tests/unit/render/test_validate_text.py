"""`tdcur validate --format text`: what a person sees."""

import re
from collections import Counter
from typing import Any

from td_currents_cli.model import Code, Excerpt, Location, Problem
from td_currents_cli.render.validate_text import print_validation
from tests.rendering import Screen, outcome_of, problem_of, screen_of

LAST = "58 events in 2 files checked in 0.2 s: "


def shown(
    *problems: Problem,
    width: int | None = None,
    color: bool = False,
    quiet: bool = False,
    verbose: bool = False,
    **outcome: Any,
) -> Screen:
    """What a person sees of an outcome."""
    screen = screen_of(width, color=color, quiet=quiet, verbose=verbose)
    print_validation(outcome_of(*problems, **outcome), screen.terminal)
    return screen


def test_a_problem_in_full() -> None:
    """A line that editors make a link of, the line of the input with a mark, the place's other names, the fix."""
    screen = shown(problem_of(hint="Write a number."))
    assert screen.lines == [
        "payloads.jsonl:3:9 TDC203 error `properties.price` must be a number, got a string",
        '3 | {"price":"9.99"}',
        "  |          ^^^^^^",
        "  = at /events/57/properties/price, event 57, id e-57, users.behaviors.Purchase",
        "  = hint: Write a number.",
        "",
        f"{LAST}1 error",
        "",
    ]


def test_what_is_not_known_is_left_out() -> None:
    """An input without lines has no snippet; a document has no event."""
    problem = Problem(code=Code.UNREADABLE, location=Location("rows.msgpack.gz"), message="it ends early", hint="Look.")
    screen = shown(problem)
    assert screen.lines[:3] == ["rows.msgpack.gz TDC001 error it ends early", " = hint: Look.", ""]


def test_the_gutter_is_as_wide_as_the_line_number() -> None:
    """The marks stay below their line."""
    screen = shown(problem_of(location=Location("p.json", line=12_345, column=10, row=7)))
    assert screen.lines[0].startswith("p.json:12345:10 (row 7) TDC203 error ")
    assert screen.lines[1:3] == ['12345 | {"price":"9.99"}', "      |          ^^^^^^"]


def test_on_a_terminal_a_snippet_fits_its_width() -> None:
    """It is cut again around the place, and the mark stays under it."""
    line = '"x":' * 30 + '"9.99"' + ',"y"' * 30
    narrow = shown(problem_of(excerpt=Excerpt(line, 120, cut_before=True)), width=60)
    begin = next(at for at, each in enumerate(narrow.lines) if each.startswith("3 | "))
    cut, marks = narrow.lines[begin : begin + 2]
    assert len(cut) == 60
    assert cut.startswith("3 | …")
    assert cut[marks.index("^") : marks.rindex("^") + 1] == '"9.99"'


def test_off_a_terminal_nothing_is_clipped() -> None:
    line = '{"long":"' + "x" * 500 + '"}'
    screen = shown(problem_of(excerpt=Excerpt(line, 8), message="y" * 500))
    assert screen.lines[0].endswith("y" * 500)
    assert screen.lines[1] == f"3 | {line}"


def test_names_from_the_data_cannot_steer_the_terminal() -> None:
    """Escape sequences in names, ids and paths are shown, not obeyed."""
    evil = "a\x1b[2Jb\n"
    problem = problem_of(
        location=Location(evil, line=100, column=1), message=evil, pointer=f"/{evil}", event_id=evil, hint=evil
    )
    screen = shown(problem)
    assert "\x1b" not in screen.out
    assert screen.out.count("a\\x1b[2Jb\\n") == 5
    assert ":100:1" in screen.lines[0]


def test_a_repeated_warning_takes_one_line() -> None:
    """A problem of each of many events must not drown the errors, which are shown in full each time."""
    warnings = [
        problem_of(
            Code.NO_EXTERNAL_USER_ID,
            message="no id",
            event_index=at,
            event_id=f"e-{at}",
            location=Location("p", at + 1),
        )
        for at in range(3)
    ]
    screen = shown(*warnings, problem_of(), problem_of())
    assert screen.lines[5:9] == [
        "",
        "p:2 TDC301 warning no id (event 1, id e-1)",
        "p:3 TDC301 warning no id (event 2, id e-2)",
        "",
    ]
    assert sum(line.startswith("  = hint") for line in screen.lines) == 3
    assert screen.lines[-3:] == ["", f"{LAST}2 errors, 3 warnings", ""]


def test_verbose_shows_repeated_warnings_in_full() -> None:
    screen = shown(*[problem_of(Code.UNKNOWN_FIELD)] * 3, verbose=True)
    assert sum("= hint" in line for line in screen.lines) == 3


def test_files_are_headed_on_a_terminal_only() -> None:
    """A pipe gets lines for grep; a single file needs no heading."""
    problems = [problem_of(location=Location(name, 1, 1)) for name in ("a.json", "a.json", "b.json")]
    terminal, pipe, single = shown(*problems, width=100), shown(*problems), shown(problems[0], width=100)
    assert [line for line in terminal.lines if line.startswith("──")] == ["── a.json ──", "── b.json ──"]
    assert "──" not in pipe.out + single.out


def test_quiet_shows_what_fails_the_run_and_no_more() -> None:
    """Errors; with --strict warnings too; no last line."""
    problems = [problem_of(), problem_of(Code.NO_EXTERNAL_USER_ID), problem_of(Code.UNKNOWN_FIELD)]
    lax, strict = shown(*problems, quiet=True), shown(*problems, quiet=True, strict=True)
    codes = [code for code in ("TDC203", "TDC301", "TDC204") if code in strict.out]
    assert codes == ["TDC203", "TDC301"]
    assert "TDC301" not in lax.out
    assert "checked" not in lax.out + strict.out


def test_a_clean_run_says_so() -> None:
    """One line: what was checked, in what time."""
    screen = shown()
    assert screen.lines == [f"{LAST}all valid", ""]


def test_the_last_line_counts_all_severities() -> None:
    """That there are no errors is said too."""
    screen = shown(problem_of(Code.UNKNOWN_FIELD), problem_of(Code.NO_EXTERNAL_USER_ID))
    assert screen.lines[-2] == f"{LAST}0 errors, 1 warning, 1 info"


def test_problems_that_are_not_shown_are_counted() -> None:
    """--max-findings hides problems, never their number."""
    screen = shown(*[problem_of()] * 1200, keep=1)
    assert screen.lines[-3:] == [
        "1,199 of 1,200 problems are not shown (see --max-findings)",
        f"{LAST}1,200 errors",
        "",
    ]


def test_problems_that_the_baseline_accepts_are_counted() -> None:
    """A clean run with a baseline is not the same as a clean run."""
    screen = shown(suppressed=1234)
    assert screen.lines == [f"{LAST}all valid; 1,234 more in the baseline", ""]


def test_statistics_are_counts_a_rule() -> None:
    counts = Counter({Code.FIELD_TYPE: 2, Code.UNKNOWN_FIELD: 12_345, Code.FIELD_MISSING: 2})
    screen = shown(problem_of(), problem_of(), by_code=counts, statistics=True, keep=1)
    assert screen.lines == [
        "12,345  TDC204  info     unknown field",
        "     2  TDC202  error    required field missing",
        "     2  TDC203  error    wrong type of field",
        f"{LAST}2 errors",
        "",
    ]


def test_color_adds_nothing_but_color() -> None:
    """What is said is the same with and without; the mark has the color of the severity."""
    problems = [problem_of(), problem_of(Code.NO_EXTERNAL_USER_ID), problem_of(Code.NO_EXTERNAL_USER_ID)]
    plain, colored = shown(*problems, width=80), shown(*problems, width=80, color=True)
    assert re.sub(r"\x1b\[[\d;]*m", "", colored.out) == plain.out
    assert "\x1b[1;31m^^^^^^\x1b[0m" in colored.out
    assert "\x1b[33m^^^^^^\x1b[0m" in colored.out
