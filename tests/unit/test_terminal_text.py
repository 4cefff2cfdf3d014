from io import BytesIO, TextIOWrapper

import pytest

from td_currents_cli.render.terminal import Color, Terminal, printable


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
    Terminal.open(color=Color.never).show("é …")
    assert raw.getvalue() == b"\xe9 \\u2026\n"


class _Tty(TextIOWrapper):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("color", "environment", "escapes"),
    [
        (Color.auto, {}, True),
        (Color.always, {"NO_COLOR": "1"}, True),
        (Color.never, {}, False),
        (Color.auto, {"NO_COLOR": "1"}, False),
        (Color.auto, {"TERM": "dumb"}, False),
    ],
)
def test_without_colour_text_is_plain(
    monkeypatch: pytest.MonkeyPatch, color: Color, environment: dict[str, str], escapes: bool
) -> None:
    """On a terminal too: neither colours nor bold."""
    for name in ("NO_COLOR", "FORCE_COLOR", "COLORTERM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    raw = BytesIO()
    monkeypatch.setattr("sys.stdout", _Tty(raw, encoding="utf-8"))
    Terminal.open(color=color).show("text", "bold red")
    assert (b"\x1b" in raw.getvalue()) is escapes
