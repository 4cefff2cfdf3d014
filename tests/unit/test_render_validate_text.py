"""`tdcur validate --format text`: what a person sees."""

import re
from collections import Counter
from collections.abc import Callable
from typing import Any

from td_currents_cli.codes import Code
from td_currents_cli.model import Excerpt, Location, Problem
from td_currents_cli.render.validate.report import print_validation
from td_currents_cli.validate import ValidateOutcome

MakeProblem = Callable[..., Problem]
MakeOutcome = Callable[..., ValidateOutcome]

LAST = "58 events in 2 files checked in 0.2 s: "


def test_a_finding_in_full(screen: Any, problem_of: MakeProblem, outcome_of: MakeOutcome) -> None:
    """A line that editors make a link of, the line of the input with a mark, the place's other names, the mend."""
    print_validation(outcome_of(problem_of(hint="Write a number.")), screen.terminal)
    assert screen.lines == [
        "payloads.jsonl:3:9 TDC203 error `properties.price` should be a number, found a text",
        '3 | {"price":"9.99"}',
        "  |          ^^^^^^",
        "  = at /events/57/properties/price, event 57, id e-57, users.behaviors.Purchase",
        "  = hint: Write a number.",
        "",
        f"{LAST}1 error",
        "",
    ]


def test_what_is_not_known_is_left_out(screen: Any, outcome_of: MakeOutcome) -> None:
    """An input without lines has no snippet; a document has no event."""
    problem = Problem(code=Code.UNREADABLE, location=Location("rows.msgpack.gz"), message="it ends early", hint="Look.")
    print_validation(outcome_of(problem), screen.terminal)
    assert screen.lines[:3] == [
        "rows.msgpack.gz TDC001 error it ends early",
        " = hint: Look.",
        "",
    ]


def test_the_gutter_is_as_wide_as_the_line_number(
    screen: Any, problem_of: MakeProblem, outcome_of: MakeOutcome
) -> None:
    """The marks stay below their line."""
    print_validation(
        outcome_of(problem_of(location=Location("p.json", line=12_345, column=10, row=7))), screen.terminal
    )
    assert screen.lines[0].startswith("p.json:12345:10 (row 7) TDC203 error ")
    assert screen.lines[1:3] == ['12345 | {"price":"9.99"}', "      |          ^^^^^^"]


def test_on_a_terminal_a_snippet_fits_its_width(
    screen_of: Callable[..., Any], problem_of: MakeProblem, outcome_of: MakeOutcome
) -> None:
    """It is cut again around the place, and the mark stays under it."""
    line = '"x":' * 30 + '"9.99"' + ',"y"' * 30
    narrow = screen_of(60)
    print_validation(outcome_of(problem_of(excerpt=Excerpt(line, 120, cut_before=True))), narrow.terminal)
    begin = next(at for at, each in enumerate(narrow.lines) if each.startswith("3 | "))
    shown, marks = narrow.lines[begin : begin + 2]
    assert len(shown) == 60
    assert shown.startswith("3 | …")
    assert shown[marks.index("^") : marks.rindex("^") + 1] == '"9.99"'


def test_off_a_terminal_nothing_is_clipped(screen: Any, problem_of: MakeProblem, outcome_of: MakeOutcome) -> None:
    line = '{"long":"' + "x" * 500 + '"}'
    print_validation(outcome_of(problem_of(excerpt=Excerpt(line, 8), message="y" * 500)), screen.terminal)
    assert screen.lines[0].endswith("y" * 500)
    assert screen.lines[1] == f"3 | {line}"


def test_names_from_the_data_cannot_steer_the_terminal(
    screen: Any, problem_of: MakeProblem, outcome_of: MakeOutcome
) -> None:
    """Escape sequences in names, ids and paths are shown, not obeyed."""
    evil = "a\x1b[2Jb\n"
    problem = problem_of(
        location=Location(evil, line=100, column=1), message=evil, pointer=f"/{evil}", event_id=evil, hint=evil
    )
    print_validation(outcome_of(problem), screen.terminal)
    assert "\x1b" not in screen.out
    assert screen.out.count("a\\x1b[2Jb\\n") == 5
    assert ":100:1" in screen.lines[0]


def test_a_repeated_warning_takes_one_line(screen: Any, problem_of: MakeProblem, outcome_of: MakeOutcome) -> None:
    """A remark on each of many events must not drown the errors, which are shown in full each time."""
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
    print_validation(outcome_of(*warnings, problem_of(), problem_of()), screen.terminal)
    assert screen.lines[5:9] == [
        "",
        "p:2 TDC301 warning no id (event 1, id e-1)",
        "p:3 TDC301 warning no id (event 2, id e-2)",
        "",
    ]
    assert sum(line.startswith("  = hint") for line in screen.lines) == 3
    assert screen.lines[-3:] == ["", f"{LAST}2 errors, 3 warnings", ""]


def test_verbose_shows_repeated_warnings_in_full(
    screen_of: Callable[..., Any], problem_of: MakeProblem, outcome_of: MakeOutcome
) -> None:
    screen = screen_of(verbose=True)
    print_validation(outcome_of(*[problem_of(Code.UNKNOWN_FIELD)] * 3), screen.terminal)
    assert sum("= hint" in line for line in screen.lines) == 3


def test_files_are_headed_on_a_terminal_only(
    screen_of: Callable[..., Any], problem_of: MakeProblem, outcome_of: MakeOutcome
) -> None:
    """A pipe gets lines for grep; a single file needs no heading."""
    problems = [problem_of(location=Location(name, 1, 1)) for name in ("a.json", "a.json", "b.json")]
    terminal, pipe, single = screen_of(100), screen_of(), screen_of(100)
    print_validation(outcome_of(*problems), terminal.terminal)
    print_validation(outcome_of(*problems), pipe.terminal)
    print_validation(outcome_of(problems[0]), single.terminal)
    assert [line for line in terminal.lines if line.startswith("──")] == ["── a.json ──", "── b.json ──"]
    assert "──" not in pipe.out + single.out


def test_quiet_shows_what_fails_the_run_and_no_more(
    screen_of: Callable[..., Any], problem_of: MakeProblem, outcome_of: MakeOutcome
) -> None:
    """Errors; with --strict warnings too; no last line."""
    problems = [problem_of(), problem_of(Code.NO_EXTERNAL_USER_ID), problem_of(Code.UNKNOWN_FIELD)]
    lax, strict = screen_of(quiet=True), screen_of(quiet=True)
    print_validation(outcome_of(*problems), lax.terminal)
    print_validation(outcome_of(*problems, strict=True), strict.terminal)
    codes = [code for code in ("TDC203", "TDC301", "TDC204") if code in strict.out]
    assert codes == ["TDC203", "TDC301"]
    assert "TDC301" not in lax.out
    assert "checked" not in lax.out + strict.out


def test_a_clean_run_says_so(screen: Any, outcome_of: MakeOutcome) -> None:
    """One line: what was checked, in what time."""
    print_validation(outcome_of(), screen.terminal)
    assert screen.lines == [f"{LAST}all valid", ""]


def test_the_last_line_counts_all_severities(screen: Any, problem_of: MakeProblem, outcome_of: MakeOutcome) -> None:
    """That there are no errors is said too."""
    print_validation(outcome_of(problem_of(Code.UNKNOWN_FIELD), problem_of(Code.NO_EXTERNAL_USER_ID)), screen.terminal)
    assert screen.lines[-2] == f"{LAST}0 errors, 1 warning, 1 info"


def test_findings_that_are_not_shown_are_counted(screen: Any, problem_of: MakeProblem, outcome_of: MakeOutcome) -> None:
    """--max-findings hides findings, never their number."""
    print_validation(outcome_of(*[problem_of()] * 1200, keep=1), screen.terminal)
    assert screen.lines[-3:] == [
        "1,199 of 1,200 problems are not shown (see --max-findings)",
        f"{LAST}1,200 errors",
        "",
    ]


def test_findings_that_the_baseline_accepts_are_counted(screen: Any, outcome_of: MakeOutcome) -> None:
    """A clean run with a baseline is not the same as a clean run."""
    print_validation(outcome_of(suppressed=1234), screen.terminal)
    assert screen.lines == [f"{LAST}all valid; 1,234 more in the baseline", ""]


def test_statistics_are_counts_a_rule(screen: Any, problem_of: MakeProblem, outcome_of: MakeOutcome) -> None:
    counts = Counter({Code.FIELD_TYPE: 2, Code.UNKNOWN_FIELD: 12_345, Code.FIELD_MISSING: 2})
    print_validation(outcome_of(problem_of(), problem_of(), by_code=counts, statistics=True, keep=1), screen.terminal)
    assert screen.lines == [
        "12,345  TDC204  info     unknown field",
        "     2  TDC202  error    required field missing",
        "     2  TDC203  error    wrong type of field",
        f"{LAST}2 errors",
        "",
    ]


def test_colour_adds_nothing_but_colour(
    screen_of: Callable[..., Any], problem_of: MakeProblem, outcome_of: MakeOutcome
) -> None:
    """What is said is the same with and without; the mark has the colour of the severity."""
    plain, coloured = screen_of(80), screen_of(80, colour=True)
    outcome = outcome_of(problem_of(), problem_of(Code.NO_EXTERNAL_USER_ID), problem_of(Code.NO_EXTERNAL_USER_ID))
    print_validation(outcome, plain.terminal)
    print_validation(outcome, coloured.terminal)
    assert re.sub(r"\x1b\[[\d;]*m", "", coloured.out) == plain.out
    assert "\x1b[1;31m^^^^^^\x1b[0m" in coloured.out
    assert "\x1b[33m^^^^^^\x1b[0m" in coloured.out
