"""How far `send` is while it runs: a bar on a terminal, a line every ten seconds elsewhere.

Both look the figures up from a thread of their own: the run does nothing for them.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, Final, TypeAlias

from td_currents_cli.render.terminal import Terminal
from td_currents_cli.send.progress import SendProgress

if TYPE_CHECKING:
    from rich.table import Table

Gauge: TypeAlias = Callable[[], SendProgress]
"""Tells how far the run is at that moment."""

EVERY: Final = 10.0
"""Seconds between two lines."""

_FRAMES: Final = 4
"""How often the bar is drawn in a second."""

_BAR: Final = 16
"""Columns of the bar."""


class When(StrEnum):
    """When to tell how far a run is."""

    auto = "auto"
    always = "always"
    never = "never"


class Speed:
    """Events a second and the time that is left, from the last half minute."""

    _WINDOW: Final = 30.0

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._samples: deque[tuple[float, SendProgress]] = deque()

    def look(self, now: SendProgress) -> tuple[float | None, float | None]:
        """Events a second, and seconds until the end; None for what is not known yet, or at all."""
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


def line(now: SendProgress, speed: Speed) -> str:
    """All figures in one line, those first that one waits for: a narrow terminal cuts the others off."""
    rate, left = speed.look(now)
    figures = []
    if now.share is not None:
        figures.append(f"{now.share:.0%}")
    if left is not None:
        figures.append(f"{clock_time(left)} left")
    figures += [f"{now.delivered:,} events", f"{now.bytes / 1e6:,.1f} MB"]
    if rate is not None:
        figures.append(f"{rate:,.0f} events/s")
    figures += [f"{now.in_flight} in flight", f"{now.retries:,} retries"]
    return ", ".join(figures)


def clock_time(seconds: float) -> str:
    """A duration as a clock shows it: `0:07`, `1:00:00`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


@contextmanager
def shown(terminal: Terminal, when: When = When.auto, *, every: float = EVERY) -> Iterator[Callable[[Gauge], None]]:
    """A function that is told by what to see how far the run is; it is shown until the end of the block.

    Args:
        terminal: its standard error is where to.
        when: `auto` is silent where `--quiet` was given, `always` is not.
        every: seconds between two lines where there is no bar.
    """
    done = threading.Event()
    threads: list[threading.Thread] = []

    def watch(gauge: Gauge) -> None:
        # Not what rich takes for a terminal: colour may have been forced for a pipe.
        is_terminal = terminal.err.file.isatty() and not terminal.err.is_dumb_terminal
        show = _bar if is_terminal else _lines
        thread = threading.Thread(target=show, args=(gauge, terminal, done, every), name="tdcur-progress", daemon=True)
        threads.append(thread)
        thread.start()

    if when is When.never or (when is When.auto and terminal.quiet):
        yield lambda _: None
        return
    try:
        yield watch
    finally:
        done.set()
        for thread in threads:
            thread.join()


def _lines(gauge: Gauge, terminal: Terminal, done: threading.Event, every: float) -> None:
    speed = Speed()
    speed.look(gauge())
    while not done.wait(every):
        terminal.err.print(line(gauge(), speed), markup=False, highlight=False, soft_wrap=True)


def _bar(gauge: Gauge, terminal: Terminal, done: threading.Event, _: float) -> None:
    from rich.live import Live  # noqa: PLC0415 -- only on a terminal

    speed = Speed()
    # It vanishes at the end: the outcome has the same figures. Standard output and error are the run's, not rich's.
    with Live(
        console=terminal.err, auto_refresh=False, transient=True, redirect_stdout=False, redirect_stderr=False
    ) as live:
        while not done.wait(1 / _FRAMES):
            live.update(_drawn(gauge(), speed), refresh=True)


def _drawn(now: SendProgress, speed: Speed) -> "Table":
    from rich.progress_bar import ProgressBar  # noqa: PLC0415 -- as above
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    row = Table.grid(padding=(0, 1))
    row.add_column(no_wrap=True)
    row.add_column(no_wrap=True, overflow="ellipsis")
    # A bar that pulses where nobody knows how much there is.
    bar = ProgressBar(total=None if now.share is None else 1.0, completed=now.share or 0.0, width=_BAR)
    row.add_row(bar, Text(line(now, speed)))
    return row
