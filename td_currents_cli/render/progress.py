"""Progress of a run: a line that is drawn over itself on a terminal, a line every ten seconds elsewhere."""

import os
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Final, TypeVar

from td_currents_cli.progress import Progress
from td_currents_cli.render.terminal import ProgressLine, Terminal, amount, print_wrapped, wants_color
from td_currents_cli.treasure_data.updates import ENDED, Download, Job, JobState, ProgressCallback, Retry, Update

_SMALLEST_BAR: Final = 6
_LARGEST_BAR: Final = 40


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


def _what(progress: Progress) -> tuple[str, str]:
    return progress.stage, progress.unit


def figures_of(now: Progress, speed: Speed) -> list[str]:
    """Format all figures, the most important first: a narrow terminal shows fewer."""
    rate, left = speed.update(now)
    # Why nothing moves comes first.
    figures = [text for text in (now.retrying, now.stage) if text]
    if now.share is not None:
        figures.append(f"{now.share:.0%}")
    if left is not None:
        figures.append(f"{clock_time(left)} left")
    figures.append(_amount(now))
    if rate is not None:
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


def fitted(figures: list[str], share: float | None, width: int, *, ascii_only: bool = False) -> tuple[str, str]:
    """Return a bar and as many of the figures as fit on a line.

    Figures are left out, not cut, except for the first one; the bar takes the room that is left.
    """
    text, *others = figures
    if len(text) > width:
        # The reason of a retry, without the address.
        text = text.partition(" (")[0]
        text = text if len(text) <= width else f"{text[: max(width - 1, 0)]}…"
    for figure in others:
        if len(text) + 2 + len(figure) > width:
            break
        text += f", {figure}"
    room = min(width - len(text) - 1, _LARGEST_BAR)
    if share is None or room < _SMALLEST_BAR:
        return "", text
    done = round(share * room)
    full, empty = ("#", "-") if ascii_only else ("━", "─")
    return full * done + empty * (room - done), text


class ProgressWriter:
    """Writes the figures of a run to standard error."""

    def __init__(self, terminal: Terminal, *, is_redrawn: bool, since: float, interval: float) -> None:
        self._file = terminal.err_file
        self._is_redrawn = is_redrawn
        self._colored = is_redrawn and wants_color(terminal.color, is_terminal=True)
        self._ascii_only = not _encodes(self._file.encoding, "━─")
        self._interval = interval
        self._shown_at = since
        self._reason = ""
        self._is_drawn = False
        self._speed = Speed()

    def write(self, now: Progress | str) -> None:
        """Draw the line, or print one if it is time."""
        if self._is_redrawn:
            self._draw(now)
        elif isinstance(now, Progress):
            self._print(now)

    def _draw(self, now: Progress | str) -> None:
        figures = [now] if isinstance(now, str) else figures_of(now, self._speed)
        share = None if isinstance(now, str) else now.share
        # Not in the last column, where some terminals begin a new line.
        bar, text = fitted(figures, share, self._columns() - 1, ascii_only=self._ascii_only)
        if bar:
            text = f"\x1b[32m{bar}\x1b[0m {text}" if self._colored else f"{bar} {text}"
        self._is_drawn = True
        self._write(f"\r{text}\x1b[K")

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


def job_updates(line: ProgressLine, terminal: Terminal) -> ProgressCallback:
    """Return a function that shows the state of a job."""
    return updates(line, terminal, job_line, job_printer(terminal), is_killed)


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
