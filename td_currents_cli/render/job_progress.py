"""How a job of Treasure Data stands while it is waited for."""

from contextlib import AbstractContextManager
from typing import Final

from td_currents_cli.render.send_progress import When, clock_time
from td_currents_cli.render.terminal import Terminal
from td_currents_cli.render.waiting import say, waiting
from td_currents_cli.warehouse.job import ENDED, Job, JobState, ProgressCallback

EVERY: Final = 10.0
"""Seconds between two lines about one state."""


def line(job: Job) -> str:
    """A job on one line: `job 1234 running, 0:07`."""
    return f"job {job.id} {job.state}, {clock_time(job.seconds)}"


def shown(terminal: Terminal, when: When = When.auto) -> AbstractContextManager[ProgressCallback]:
    """A function that is told how a job stands, and shows it, until the end of the block; see `waiting`."""
    return waiting(terminal, when, line, lines(terminal), was_killed)


def was_killed(job: object) -> bool:
    """Whether somebody has ended a job: after Ctrl-C it is good to know that it costs nothing any more."""
    return isinstance(job, Job) and job.state == JobState.killed


def lines(terminal: Terminal, after: float = 0.0) -> ProgressCallback:
    """A function that prints a line for each state of a job, and again while it lasts.

    Args:
        terminal: its standard error is where to.
        after: seconds in which nothing is said of a job, but that it was killed.
    """
    last: Job | None = None

    def tell(job: Job) -> None:
        nonlocal last
        if job.seconds < after and not was_killed(job):
            return
        news = last is None or (last.id, last.state) != (job.id, job.state) or job.seconds - last.seconds >= EVERY
        if news or job.state in ENDED:
            last = job
            say(terminal, line(job))

    return tell
