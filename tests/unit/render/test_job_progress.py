"""How a job stands: a line for each change, one that changes on a terminal, and nothing where quiet was asked for."""

from collections.abc import Callable

import pytest

from td_currents_cli.render.progress import job_line, job_printer, show_jobs, show_waiting
from td_currents_cli.render.terminal import When
from td_currents_cli.treasure_data.errors import Job
from tests.rendering import Screen, Tty, screen_of

STATES = ["queued", "queued", "running", "running", "running", "success"]
SECONDS = [0.0, 5.0, 6.0, 7.0, 17.0, 65.0]
LINES = ["job 7 queued, 0:00", "job 7 running, 0:06", "job 7 running, 0:17", "job 7 success, 1:05"]


def tell_all(tell: Callable[[Job], None]) -> None:
    """Tell of a job from its beginning to its end."""
    for state, seconds in zip(STATES, SECONDS, strict=True):
        tell(Job("7", state, seconds))


def test_lines_off_a_terminal(screen: Screen) -> None:
    """A line for each new state, and for each ten seconds of an old one."""
    with show_jobs(screen.terminal) as tell:
        tell_all(tell)
    assert (screen.out, screen.err.splitlines()) == ("", LINES)


@pytest.mark.parametrize(("when", "lines"), [(When.auto, []), (When.always, LINES), (When.never, [])])
def test_quiet(when: When, lines: list[str]) -> None:
    """Nothing is said, unless it is asked for all the same."""
    screen = screen_of(quiet=True)
    with show_waiting(screen.terminal, when, job_line, job_printer(screen.terminal)) as tell:
        tell_all(tell)
    assert screen.err.splitlines() == lines


@pytest.mark.parametrize("last", [None, Job("8", "killed", 2.0)])
def test_a_line_that_changes_on_a_terminal(last: Job | None) -> None:
    """It is gone at the end, but for what was killed."""
    screen = screen_of(80, file=Tty)
    with show_jobs(screen.terminal) as tell:
        tell_all(tell)
        if last:
            tell(last)
    assert screen.err.endswith("\x1b[2K")
    assert ("job 8 killed, 0:02\n" in screen.err) is (last is not None)
