"""Progress of a run: a line that is drawn over itself on a terminal, a line every ten seconds elsewhere."""

import math
import os
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Final, TypeVar

from msgspec import structs

from td_currents_cli.choices import wants_color
from td_currents_cli.progress import Progress
from td_currents_cli.render.terminal import ProgressLine, Terminal, amount, print_wrapped
from td_currents_cli.treasure_data.updates import ENDED, Download, Job, JobState, ProgressCallback, Retry, Update

_SMALLEST_BAR: Final = 6
_LARGEST_BAR: Final = 40
_LONGEST_TIME: Final = len("retrying in 900 s")
_ROOM_FOR_CTRL_C: Final = 3
"""Columns left free at the end: the terminal shows `^C` there. In a new line, it would leave the old one behind."""


class Speed:
    """Amount per second and remaining time, measured over the last `_WINDOW` seconds."""

    _WINDOW: Final = 30.0

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._samples: deque[tuple[float, Progress]] = deque()

    def update(self, now: Progress) -> tuple[float | None, float | None]:
        """Return the amount per second and seconds until the end; None for what is unknown."""
        if self._samples and _what(self._samples[-1][1]) != _what(now):
            self._samples.clear()
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
        return (now.done - first.done) / seconds, left


class Stall:
    """Tells requests that fail while others succeed, and are not worth a line, from a run that has stopped."""

    _AFTER: Final = 1.0  # seconds

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._done = 0.0
        self._moved_at = -math.inf

    def without_passing_retries(self, now: Progress) -> Progress:
        """Return the same without the reason of a retry if the run has moved a moment ago."""
        seconds = self._clock()
        if now.done != self._done:
            self._done, self._moved_at = now.done, seconds
        is_passing = now.retrying and seconds - self._moved_at < self._AFTER
        return structs.replace(now, retrying="") if is_passing else now


def _what(progress: Progress) -> tuple[str, str]:
    return progress.stage, progress.unit


def figures_of(now: Progress, speed: Speed) -> list[str]:
    """Format all figures, the most important first: a narrow terminal shows fewer."""
    rate, left = speed.update(now)
    # Why nothing moves comes first; speed and time left say nothing then.
    figures = [text for text in (now.retrying, now.stage) if text]
    if now.share is not None:
        figures.append(f"{now.share:.0%}")
    if left is not None and not now.retrying:
        figures.append(f"{clock_time(left)} left")
    figures.append(_amount(now))
    if rate is not None and not now.retrying:
        figures.append(f"{rate / 1e6:,.1f} MB/s" if now.unit == "bytes" else f"{rate:,.0f} {now.unit}/s")
    return [*figures, *now.figures]


def _amount(now: Progress) -> str:
    size, unit = (1e6, "MB") if now.unit == "bytes" else (1, now.unit)
    digits = 1 if now.unit == "bytes" else 0
    total = "" if now.total is None else f" of {now.total / size:,.{digits}f}"
    return f"{now.done / size:,.{digits}f}{total} {unit}"


def clock_time(seconds: float) -> str:
    """Format a duration: `0:07`, `1:00:00`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def fitted(figures: list[str], width: int) -> list[str]:
    """Return as many of the figures as fit on a line. They are left out, not cut, except for the first one."""
    first, *others = figures
    if len(first) > width:
        # The reason of a retry, without the address.
        first = first.partition(" (")[0]
        first = first if len(first) <= width else f"{first[: max(width - 1, 0)]}…"
    shown, used = [first], len(first)
    for figure in others:
        used += len(", ") + len(figure)
        if used > width:
            break
        shown.append(figure)
    return shown


def bar(share: float, room: int, *, ascii_only: bool = False) -> str:
    """Draw a bar of up to `room` cells; empty where there are too few."""
    if room < _SMALLEST_BAR:
        return ""
    room = min(room, _LARGEST_BAR)
    done = round(share * room)
    full, empty = ("#", "-") if ascii_only else ("━", "─")
    return full * done + empty * (room - done)


class ProgressWriter:
    """Writes the figures of a run to standard error."""

    def __init__(self, terminal: Terminal, *, is_redrawn: bool, since: float, interval: float) -> None:
        self._file = terminal.err_stream.file
        self._is_redrawn = is_redrawn
        self._colored = is_redrawn and wants_color(terminal.color, is_terminal=True)
        self._ascii_only = not _encodes(self._file.encoding, "━─")
        self._interval = interval
        self._shown_at = since
        self._reason = ""
        self._is_drawn = False
        self._speed = Speed()
        self._stall = Stall()
        self._kind: tuple[object, ...] = ()  # of the line that is drawn
        self._most: int | None = None  # figures of such a line

    def write(self, now: Progress | str) -> None:
        """Draw the line, or print one if it is time."""
        if isinstance(now, Progress):
            now = self._stall.without_passing_retries(now)
        if self._is_redrawn:
            self._draw(now)
        elif isinstance(now, Progress):
            self._print(now)

    def _draw(self, now: Progress | str) -> None:
        width = self._columns() - _ROOM_FOR_CTRL_C
        if isinstance(now, str):
            text = fitted([now], width)[0]
        else:
            # A reason takes the place of the bar.
            share = None if now.retrying else now.share
            figures = self._steady(figures_of(now, self._speed), now, width - (share is not None) * (_SMALLEST_BAR + 1))
            text = ", ".join(figures)
            drawn = "" if share is None else bar(share, width - len(text) - 1, ascii_only=self._ascii_only)
            if drawn:
                text = f"\x1b[32m{drawn}\x1b[0m {text}" if self._colored else f"{drawn} {text}"
        self._is_drawn = True
        self._write(f"\r{text}\x1b[K")

    def _steady(self, figures: list[str], now: Progress, width: int) -> list[str]:
        """Return what fits, without a figure that did not fit before: the line must not flip between two forms."""
        kind = now.stage, now.retrying.partition(": ")[2], width
        # The time to the next attempt changes its length.
        width -= max(0, _LONGEST_TIME - len(now.retrying.partition(":")[0])) if now.retrying else 0
        if kind != self._kind:
            self._kind, self._most = kind, None
        shown = fitted(figures[: self._most], width)
        if len(shown) < len(figures):
            self._most = len(shown)
        return shown

    def _print(self, now: Progress) -> None:
        figures, before = figures_of(now, self._speed), self._reason
        # A line at once where the reason of a retry is new.
        self._reason = now.retrying.partition(": ")[2]
        seconds = time.monotonic()
        if seconds - self._shown_at >= self._interval or (self._reason and self._reason != before):
            self._shown_at = seconds
            self._write(", ".join(figures) + "\n")

    def erase(self) -> None:
        """Make room for another message; the line is drawn again by the next tick."""
        if self._is_drawn:
            self._write("\r\x1b[K")
            self._is_drawn = False

    def _columns(self) -> int:
        try:
            return os.get_terminal_size(self._file.fileno()).columns or 80
        except OSError:
            return 80

    def _write(self, text: str) -> None:
        data = text.encode(self._file.encoding or "utf-8", "backslashreplace")
        # Not through the buffer, which the signal may have interrupted.
        with suppress(OSError):
            try:
                descriptor = self._file.fileno()
            except OSError:
                self._file.write(text)
            else:
                os.write(descriptor, data)


def _encodes(encoding: str | None, text: str) -> bool:
    try:
        text.encode(encoding or "utf-8")
    except UnicodeEncodeError:
        return False
    return True


N = TypeVar("N")


def updates(
    line: ProgressLine,
    terminal: Terminal,
    format_line: Callable[[N], str],
    print_update: Callable[[N], None],
    stays: Callable[[N], bool] = lambda _: False,
) -> Callable[[N], None]:
    """Return a function that shows updates.

    Args:
        line: to show them on, on a terminal.
        terminal: to print on.
        format_line: formats an update as one line, for a terminal.
        print_update: prints an update elsewhere.
        stays: whether an update stays on the terminal when the next one is shown.
    """

    def update(news: N) -> None:
        if line.is_silent:
            return
        if isinstance(news, Download):
            line.show(Progress(done=news.rows, total=news.total, unit="rows", stage="downloading"))
        elif not line.is_redrawn:
            line.show("")  # the download is over
            print_update(news)
        elif stays(news):
            line.erase()
            print_wrapped(terminal.err, format_line(news))
        else:
            line.show(format_line(news))

    return update


JOB_INTERVAL: Final = 10.0
"""Seconds between two lines about a job whose state stays the same."""


def job_line(update: Update) -> str:
    """Format an update on one line: `job 1234 running, 0:07`."""
    if isinstance(update, Retry):
        when = f"in {update.seconds:.0f} s" if update.seconds >= 0.5 else "now"
        return f"retrying {when}: {update.reason}"
    if isinstance(update, Download):
        return f"downloading: {amount(update.rows, 'row')}"
    return f"job {update.id} {update.state}, {clock_time(update.seconds)}"


def job_updates(line: ProgressLine, terminal: Terminal, after: float = 0.0) -> ProgressCallback:
    """Return a function that shows the state of a job; see `job_printer`."""
    return updates(line, terminal, job_line, job_printer(terminal, after), is_killed)


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

    def print_job(update: Update) -> None:
        nonlocal last
        if isinstance(update, Retry):
            print_wrapped(terminal.err, job_line(update))
        if not isinstance(update, Job) or (update.seconds < after and not is_killed(update)):
            return
        is_new = last is None or (last.id, last.state) != (update.id, update.state)
        if last is None or is_new or update.seconds - last.seconds >= JOB_INTERVAL or update.state in ENDED:
            last = update
            print_wrapped(terminal.err, job_line(update))

    return print_job
