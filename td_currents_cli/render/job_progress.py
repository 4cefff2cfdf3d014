"""How a job of Treasure Data stands while it is waited for: a line that changes on a terminal, a few elsewhere."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from td_currents_cli.render.send_progress import When, clock_time
from td_currents_cli.render.terminal import Terminal
from td_currents_cli.warehouse.job import ENDED, Job, Told

if TYPE_CHECKING:
    from rich.status import Status

EVERY: Final = 10.0
"""Seconds between two lines about one state."""


def line(job: Job) -> str:
    """A job on one line: `job 1234 running, 0:07`."""
    return f"job {job.id} {job.state}, {clock_time(job.seconds)}"


@contextmanager
def shown(terminal: Terminal, when: When = When.auto) -> Iterator[Told]:
    """A function that is told how a job stands, and shows it.

    Args:
        terminal: its standard error is where to.
        when: `auto` is silent where `--quiet` was given, `always` is not.
    """
    if when is When.never or (when is When.auto and terminal.quiet):
        yield lambda _: None
        return
    console = terminal.err
    if console.file.isatty() and not console.is_dumb_terminal:
        # It vanishes at the end: what comes of the job is what matters then.
        with console.status("asking Treasure Data") as status:
            yield _changing(status)
        return
    yield _lines(terminal)


def _changing(status: "Status") -> Told:
    def tell(job: Job) -> None:
        status.update(line(job))

    return tell


def _lines(terminal: Terminal) -> Told:
    last: Job | None = None

    def tell(job: Job) -> None:
        nonlocal last
        news = last is None or (last.id, last.state) != (job.id, job.state) or job.seconds - last.seconds >= EVERY
        if news or job.state in ENDED:
            last = job
            terminal.err.print(line(job), markup=False, highlight=False, soft_wrap=True)

    return tell
