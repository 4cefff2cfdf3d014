"""Progress of `send`: a bar on a terminal, a line every ten seconds elsewhere.

Both read the figures in a thread of their own, at no cost to the run.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Final, TypeAlias, TypeVar

from td_currents_cli.render.terminal import Terminal, When, print_wrapped
from td_currents_cli.treasure_data.errors import ENDED, Job, JobState, ProgressCallback

if TYPE_CHECKING:
    from td_currents_cli.send.stats import SendProgress

Gauge: TypeAlias = "Callable[[], SendProgress]"
"""Returns the current progress of the run."""

LINE_INTERVAL: Final = 10.0
"""Seconds between two lines."""

_LOOK: Final = 0.25  # seconds after which it is looked for a new reason of retries
_FRAMES: Final = 4  # per second
_BAR_WIDTH: Final = 16


class Speed:
    """Events per second and remaining time, measured over the last `_WINDOW` seconds."""

    _WINDOW: Final = 30.0

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._samples: deque[tuple[float, SendProgress]] = deque()

    def update(self, now: "SendProgress") -> tuple[float | None, float | None]:
        """Return events per second and seconds until the end; None for what is unknown."""
        self._samples.append((self._clock(), now))
        while self._samples[-1][0] - self._samples[0][0] > self._WINDOW:
            self._samples.popleft()
        (begun, first), (ended, _) = self._samples[0], self._samples[-1]
        seconds = ended - begun
        if seconds <= 0:
            return None, None
        left = None
        if now.share is not None and first.share is not None and now.share > first.share:
            left = (1 - now.share) * seconds / (now.share - first.share)
        return (now.delivered - first.delivered) / seconds, left


def sending_line(now: "SendProgress", speed: Speed) -> str:
    """Format all figures on one line, the most important first: a narrow terminal truncates the others."""
    rate, left = speed.update(now)
    figures = []
    if now.share is not None:
        figures.append(f"{now.share:.0%}")
    if left is not None:
        figures.append(f"{clock_time(left)} left")
    figures += [f"{now.delivered:,} events", f"{now.bytes / 1e6:,.1f} MB"]
    if rate is not None:
        figures.append(f"{rate:,.0f} events/s")
    figures += [f"{now.in_flight} in flight", f"{now.retries:,} retries"]
    # Why nothing moves comes first.
    figures = [now.retrying, *figures] if now.retrying else figures
    return ", ".join(figures)


def clock_time(seconds: float) -> str:
    """Format a duration: `0:07`, `1:00:00`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


@contextmanager
def show_sending(
    terminal: Terminal, mode: When = When.auto, *, interval: float = LINE_INTERVAL
) -> Iterator[Callable[[Gauge], None]]:
    """Yield a function that takes a gauge and shows its progress on standard error until the end of the block.

    Args:
        terminal: to print on.
        mode: `auto` is silent with `--quiet`, `always` is not.
        interval: seconds between two lines where there is no bar.
    """
    done = threading.Event()
    threads: list[threading.Thread] = []

    def watch(gauge: Gauge) -> None:
        # Not rich's `is_terminal`: color may be forced in a pipe.
        is_terminal = terminal.err.file.isatty() and not terminal.err.is_dumb_terminal
        show = _draw_bar if is_terminal else _print_lines
        arguments = (gauge, terminal, done, interval)
        thread = threading.Thread(target=show, args=arguments, name="tdcur-progress", daemon=True)
        threads.append(thread)
        thread.start()

    if mode is When.never or (mode is When.auto and terminal.quiet):
        yield lambda _: None
        return
    try:
        yield watch
    finally:
        done.set()
        for thread in threads:
            thread.join()


def _print_lines(gauge: Gauge, terminal: Terminal, done: threading.Event, interval: float) -> None:
    speed, shown_at, reason = Speed(), time.monotonic(), ""
    speed.update(gauge())
    while not done.wait(min(interval, _LOOK)):
        now, before = gauge(), reason
        # A line at once where the reason is new.
        reason = now.retrying.partition(": ")[2]
        if time.monotonic() - shown_at >= interval or (reason and reason != before):
            shown_at = time.monotonic()
            terminal.err.print(sending_line(now, speed), markup=False, highlight=False, soft_wrap=True)


def _draw_bar(gauge: Gauge, terminal: Terminal, done: threading.Event, _: float) -> None:
    from rich.live import Live  # noqa: PLC0415 -- only on a terminal
    from rich.progress_bar import ProgressBar  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    speed = Speed()
    # The bar disappears at the end: the outcome has the same figures. Rich must not redirect the standard streams.
    with Live(
        console=terminal.err, auto_refresh=False, transient=True, redirect_stdout=False, redirect_stderr=False
    ) as live:
        while not done.wait(1 / _FRAMES):
            now = gauge()
            row = Table.grid(padding=(0, 1))
            row.add_column(no_wrap=True)
            row.add_column(no_wrap=True, overflow="ellipsis")
            # Without a total, the bar pulses.
            bar = ProgressBar(total=None if now.share is None else 1.0, completed=now.share or 0.0, width=_BAR_WIDTH)
            row.add_row(bar, Text(sending_line(now, speed)))
            live.update(row, refresh=True)


N = TypeVar("N")


@contextmanager
def show_waiting(
    terminal: Terminal,
    mode: When,
    format_line: Callable[[N], str],
    print_update: Callable[[N], None],
    stays: Callable[[N], bool] = lambda _: False,
) -> Iterator[Callable[[N], None]]:
    """Yield a function that shows updates on standard error until the end of the block.

    Args:
        terminal: to print on.
        mode: `auto` is silent with `--quiet`, `always` is not.
        format_line: formats an update as one line, for a terminal.
        print_update: prints an update elsewhere.
        stays: whether an update stays on the terminal when the next one is shown.
    """
    console = terminal.err
    if mode is When.never or (mode is When.auto and terminal.quiet):
        yield lambda _: None
    elif console.file.isatty() and not console.is_dumb_terminal:
        # The line disappears at the end, when the outcome is printed.
        with console.status("querying Treasure Data") as status:

            def update(news: N) -> None:
                if stays(news):
                    print_wrapped(console, format_line(news))
                else:
                    status.update(format_line(news))

            yield update
    else:
        yield print_update


JOB_INTERVAL: Final = 10.0
"""Seconds between two lines about a job whose state stays the same."""


def job_line(job: Job) -> str:
    """Format a job on one line: `job 1234 running, 0:07`."""
    return f"job {job.id} {job.state}, {clock_time(job.seconds)}"


def show_jobs(terminal: Terminal) -> AbstractContextManager[ProgressCallback]:
    """Yield a function that shows the state of a job; see `show_waiting`."""
    return show_waiting(terminal, When.auto, job_line, job_printer(terminal), is_killed)


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
