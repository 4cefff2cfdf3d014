"""Progress of Treasure Data jobs."""

from contextlib import AbstractContextManager
from typing import Final

from td_currents_cli.render.send_progress import clock_time
from td_currents_cli.render.terminal import ProgressMode, Terminal, print_wrapped
from td_currents_cli.render.waiting import show_waiting
from td_currents_cli.treasure_data.client import ENDED, Job, JobState, ProgressCallback

JOB_INTERVAL: Final = 10.0
"""Seconds between two lines about a job whose state stays the same."""


def job_line(job: Job) -> str:
    """Format a job on one line: `job 1234 running, 0:07`."""
    return f"job {job.id} {job.state}, {clock_time(job.seconds)}"


def show_jobs(terminal: Terminal, mode: ProgressMode = ProgressMode.auto) -> AbstractContextManager[ProgressCallback]:
    """Yield a function that shows the state of a job; see `show_waiting`."""
    return show_waiting(terminal, mode, job_line, job_printer(terminal), is_killed)


def is_killed(update: object) -> bool:
    """Tell whether a job was killed. The line stays visible: after Ctrl-C, it shows that the job costs nothing more."""
    return isinstance(update, Job) and update.state == JobState.killed


def job_printer(terminal: Terminal, after: float = 0.0) -> ProgressCallback:
    """Make a function that prints a line for each new state of a job, and again every `JOB_INTERVAL`.

    Args:
        terminal: to print on, on standard error.
        after: seconds of a job in which nothing is printed, except that it was killed.
    """
    last: Job | None = None

    def print_job(job: Job) -> None:
        nonlocal last
        if job.seconds < after and not is_killed(job):
            return
        is_new = last is None or (last.id, last.state) != (job.id, job.state)
        if last is None or is_new or job.seconds - last.seconds >= JOB_INTERVAL or job.state in ENDED:
            last = job
            print_wrapped(terminal.err, job_line(job))

    return print_job
