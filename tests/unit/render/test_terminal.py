from collections import Counter
from io import BytesIO, TextIOWrapper

import pytest

from td_currents_cli.choices import When
from td_currents_cli.errors import UsageError
from td_currents_cli.model import Code, Location, Problem, Severity
from td_currents_cli.outcome import Balance, ProblemLog, Problems
from td_currents_cli.render.terminal import Terminal, balance_line, print_error, print_problems, printable
from tests.rendering import Tty, screen_of


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("users.messages.email.Open", "users.messages.email.Open"),
        ("é 😀", "é 😀"),
        ("a\nb\r\tc", "a\\nb\\r\\tc"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("\u2028\u202e\ud800\x00", "\\u2028\\u202e\\ud800\\x00"),
    ],
)
def test_text_from_data_stays_on_its_line(text: str, shown: str) -> None:
    """No line ends, no escape sequences, no change of direction: a name in a payload cannot forge output."""
    assert printable(text) == shown


def test_a_character_that_the_terminal_does_not_have_is_no_reason_to_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = BytesIO()
    stream = TextIOWrapper(raw, encoding="latin-1")
    monkeypatch.setattr("sys.stdout", stream)
    Terminal(color=When.never).print("é …")
    assert raw.getvalue() == b"\xe9 \\u2026\n"


def test_equal_mistakes_do_not_fill_the_screen() -> None:
    """Three of each rule and event type; what has no event, such as an unreadable file, is always of interest."""
    place = Location("a.jsonl", line=1)
    alike = [Problem(code=Code.TIME_AS_TEXT, location=place, message=f"m{n}", event_type="a.B") for n in range(9)]
    others = [Problem(code=Code.NOT_JSON, location=place, message=f"f{n}") for n in range(9)]
    problems = Problems(kept=(*alike, *others), by_severity=Counter({Severity.ERROR: 19}))
    screen, verbose = screen_of(), screen_of(verbose=True)
    for each in (screen, verbose):
        print_problems(problems, each.terminal)
    *lines, rest = screen.err.splitlines()
    assert [line.split()[-1] for line in lines] == [*(f"m{n}" for n in range(3)), *(f"f{n}" for n in range(9))]
    assert rest == "… and 7 more problems; --verbose shows more"
    assert verbose.err.splitlines()[-1] == "… and 1 more problem"


def test_a_line_number_is_no_emoji(capsys: pytest.CaptureFixture[str]) -> None:
    """Rich knows an emoji named 100, and other names of fields between colons."""
    terminal = Terminal()
    terminal.print("a.json:100:5 `:bug:`")
    terminal.report("a.json:100:5 `:bug:`")
    assert capsys.readouterr() == ("a.json:100:5 `:bug:`\n",) * 2


@pytest.mark.parametrize(
    ("color", "environment", "escapes"),
    [
        (When.auto, {}, True),
        (When.always, {"NO_COLOR": "1"}, True),
        (When.never, {}, False),
        (When.auto, {"NO_COLOR": "1"}, False),
        (When.auto, {"TERM": "dumb"}, False),
    ],
)
def test_without_color_text_is_plain(
    monkeypatch: pytest.MonkeyPatch, color: When, environment: dict[str, str], escapes: bool
) -> None:
    """On a terminal too: neither colors nor bold."""
    for name in ("NO_COLOR", "FORCE_COLOR", "COLORTERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"TERM": "xterm-256color", **environment}.items():
        monkeypatch.setenv(name, value)
    stream = Tty()
    monkeypatch.setattr("sys.stdout", stream)
    Terminal(color=color).print("text", "bold red")
    assert ("\x1b" in stream.getvalue()) is escapes


@pytest.mark.parametrize("width", [80, None])
def test_messages_are_wrapped_at_words_on_a_terminal(width: int | None) -> None:
    """No line is wider than 80 columns, and no word is cut. A pipe or a log has no width, however long the line is."""
    screen, words = screen_of(width), " ".join(["treasure"] * 4000)
    screen.terminal.report(words)
    screen.terminal.print(words)
    print_error(UsageError(words, hint=words), screen.terminal)
    assert len(screen.lines) == (446 if width else 2)
    for printed in (screen.out, screen.err):
        assert (max(map(len, printed.splitlines())) <= 80) is (width == 80)
        assert set(printed.split()) <= {"treasure", "error:", "hint:"}


def test_the_width_is_that_of_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Tty()
    monkeypatch.setattr("sys.stderr", screen)
    monkeypatch.setenv("COLUMNS", "30")
    Terminal(color=When.never).report("not verified, because not all events were delivered")
    assert screen.getvalue() == "not verified, because not all\nevents were delivered\n"


def test_a_path_that_is_wider_than_the_terminal_stays_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """A path in pieces can be neither copied nor clicked."""
    screen = Tty()
    monkeypatch.setattr("sys.stderr", screen)
    monkeypatch.setenv("COLUMNS", "20")
    path = "a/" * 30
    Terminal(color=When.never).report(f"written to {path} in a second")
    assert screen.getvalue().splitlines()[1] == path


def test_the_balance_names_truncated_rows() -> None:
    """The equation is there where something is not good."""
    good, truncated = Balance(rows_read=3, events_read=4, events_out=4), Balance(3, 1, 4, 0, 3, lost=1)
    assert balance_line(good, "written") == "3 rows, 4 events written"
    assert balance_line(truncated, "written") == (
        "3 rows read = 1 good + 1 truncated + 1 rejected; 4 events read = 3 written + 1 lost in truncated cells"
    )


def test_each_hint_is_printed_once() -> None:
    """And a warning neither with its hint, if only errors are wanted."""
    place = Location(source="x")
    problems = ProblemLog()
    for hint, severity in (("A", Severity.ERROR), ("B", Severity.WARNING), ("A", Severity.ERROR), ("", Severity.ERROR)):
        problems.add(Problem(code=Code.BAD_ROW, location=place, message="m", hint=hint, severity=severity))
    error, warning = "x TDC020 error m", "x TDC020 warning m"
    for quiet, lines in (
        (False, [error, "hint: A", warning, "hint: B", error, error]),
        (True, [error, "hint: A", error, error]),
    ):
        screen = screen_of(quiet=quiet)
        print_problems(problems.result(), screen.terminal)
        assert screen.err.splitlines() == lines
