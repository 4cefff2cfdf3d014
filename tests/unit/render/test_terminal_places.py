"""Places in what is printed."""

import pytest

from td_currents_cli.render.terminal import Terminal


def test_a_line_number_is_no_emoji(capsys: pytest.CaptureFixture[str]) -> None:
    """Rich knows an emoji named 100, and other names of fields between colons."""
    terminal = Terminal()
    terminal.print("a.json:100:5 `:bug:`")
    terminal.report("a.json:100:5 `:bug:`")
    captured = capsys.readouterr()
    assert captured.out == captured.err == "a.json:100:5 `:bug:`\n"
