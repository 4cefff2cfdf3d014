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
    """It is escaped."""
    raw = BytesIO()
    stream = TextIOWrapper(raw, encoding="latin-1")
    monkeypatch.setattr("sys.stdout", stream)
    Terminal.open(color=Color.never).show("é …")
    assert raw.getvalue() == b"\xe9 \\u2026\n"
