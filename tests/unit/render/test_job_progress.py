"""How a job stands: a line for each change, one that changes on a terminal, and nothing where quiet was asked for."""

import io

import pytest
from rich.console import Console

from td_currents_cli.render.progress import show_jobs
from td_currents_cli.render.terminal import Terminal, When
from td_currents_cli.treasure_data.errors import Job
from tests.rendering import Screen, screen_of

STATES = ["queued", "queued", "running", "running", "running", "success"]
SECONDS = [0.0, 5.0, 6.0, 7.0, 17.0, 65.0]
LINES = ["job 7 queued, 0:00", "job 7 running, 0:06", "job 7 running, 0:17", "job 7 success, 1:05"]


def told(terminal: Terminal, *further: Job, when: When = When.auto) -> None:
    """Tell of a job from its beginning to its end."""
    with show_jobs(terminal, when) as tell:
        for state, seconds in zip(STATES, SECONDS, strict=True):
            tell(Job("7", state, seconds))
        for job in further:
            tell(job)


def test_lines_off_a_terminal(screen: Screen) -> None:
    """A line for each new state, and for each ten seconds of an old one."""
    told(screen.terminal)
    assert screen.err.splitlines() == LINES
    assert screen.out == ""


@pytest.mark.parametrize(("when", "lines"), [(When.auto, []), (When.always, LINES)])
def test_quiet(when: When, lines: list[str]) -> None:
    """Nothing is said, unless it is asked for all the same."""
    screen = screen_of(quiet=True)
    told(screen.terminal, when=when)
    assert screen.err.splitlines() == lines


def test_a_line_that_changes_on_a_terminal() -> None:
    """It is gone at the end, but for what was killed."""

    class Tty(io.StringIO):
        def isatty(self) -> bool:
            return True

    def written(*further: Job) -> str:
        console = Console(file=(file := Tty()), force_terminal=True, width=80, color_system=None)
        told(Terminal(console, console), *further)
        return file.getvalue()

    assert written().endswith("\x1b[2K")
    assert "job 8 killed, 0:02\n" in written(Job("8", "killed", 2.0))
