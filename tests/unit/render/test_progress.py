"""How far a run is and how a job stands: the figures, and where they are shown."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from td_currents_cli.model import Batch, Location
from td_currents_cli.read.options import Source
from td_currents_cli.render.progress import (
    LINE_INTERVAL,
    Speed,
    job_line,
    job_printer,
    sending_line,
    show_jobs,
    show_sending,
    show_waiting,
)
from td_currents_cli.render.terminal import When
from td_currents_cli.send.batching import Planner
from td_currents_cli.send.command import settled_share
from td_currents_cli.send.payload import PayloadLimits
from td_currents_cli.send.prefilter import SendFilter
from td_currents_cli.send.stats import InputProgress, SendProgress, SendStats
from td_currents_cli.treasure_data.errors import Job
from tests.rendering import Screen, screen_of


def at(delivered: int, share: float | None = None) -> SendProgress:
    """A run that has come so far."""
    return SendProgress(delivered=delivered, bytes=delivered * 900, requests=3, retries=1, in_flight=2, share=share)


def shown(when: When = When.auto, *, is_terminal: bool = False, quiet: bool = False) -> str:
    """What is written until progress has been asked for three times; a tenth of a second stands for ten."""
    screen = screen_of(100 if is_terminal else None, quiet=quiet)
    asked = threading.Semaphore(0)

    def gauge() -> SendProgress:
        asked.release()
        return at(1000, 0.5)

    with show_sending(screen.terminal, when, interval=0.1) as watch:
        watch(gauge)
        if when is not When.never and not (quiet and when is When.auto):
            assert all(asked.acquire(timeout=10) for _ in range(3))
    return screen.err


def test_off_a_terminal_there_are_lines_and_no_animation() -> None:
    """A log file gets whole lines of plain text."""
    text = shown()
    assert "50%, 1,000 events, 0.9 MB" in text
    assert "2 in flight, 1 retries" in text
    assert not {"\r", "\x1b"} & set(text)
    assert LINE_INTERVAL == 10


def test_on_a_terminal_there_is_a_bar_that_leaves_nothing_behind() -> None:
    """It is drawn over itself, and wiped at the end."""
    text = shown(is_terminal=True)
    assert "━" in text
    assert "1,000 events" in text
    assert text.endswith(("\x1b[2K", "\x1b[?25h"))
    assert text.count("\n") <= 1


@pytest.mark.parametrize("is_terminal", [True, False])
@pytest.mark.parametrize(("when", "quiet"), [(When.never, False), (When.auto, True), (When.always, True)])
def test_quiet_and_never_are_silent_and_always_is_not(when: When, quiet: bool, is_terminal: bool) -> None:
    """`--progress always` is asked for by whoever wants it beside `--quiet`."""
    text = shown(when, is_terminal=is_terminal, quiet=quiet)
    assert "1,000 events" in text if when is When.always else text == ""


def test_speed_and_time_left_come_from_the_last_half_minute() -> None:
    """A run that has become slower says so soon; what is not known is not shown. Time left reads as a clock."""
    now = 0.0
    speed = Speed(lambda: now)
    assert speed.update(at(0, 0.0)) == (None, None)
    now = 10.0
    rate, left = speed.update(at(10_000, 0.1))
    assert (rate, round(left or 0)) == (1000.0, 90)
    for _ in range(8):
        now += 10
        rate, left = speed.update(at(10_000, 0.1))
    assert (rate, left) == (0.0, None)
    now += 5
    assert sending_line(at(10_000), Speed(lambda: now)) == "10,000 events, 9.0 MB, 2 in flight, 1 retries"
    speed = Speed(lambda: now)
    speed.update(at(0, 0.0))
    now += 30
    assert ", 1:00:00 left," in sending_line(at(5, 30 / 3630), speed)


def test_a_run_ends_at_once_and_its_error_passes_through() -> None:
    """Ten seconds more would be noticed; the thread that shows is gone then, too."""
    terminal, threads, begun = screen_of().terminal, threading.active_count(), time.monotonic()

    def run() -> None:
        with show_sending(terminal) as watch:
            watch(lambda: at(1))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        run()
    assert threading.active_count() == threads
    assert time.monotonic() - begun < 9


def shares(sources: list[Source], *places: Location) -> list[float | None]:
    """The share of the input at the start, and at each place."""
    way = InputProgress(sources)
    return [way.share, *(way.share for _ in way.watch(Batch(b"{}", place) for place in places))]


def test_the_share_of_the_input_that_has_been_read(tmp_path: Path) -> None:
    """All files together are the whole."""
    first, second = tmp_path / "first.jsonl", tmp_path / "second.jsonl"
    first.write_bytes(b" " * 300)
    second.write_bytes(b" " * 700)
    places = (Location(str(first), offset=150), Location(str(second)), Location(str(second), offset=350))
    assert shares([Source(str(first), first), Source(str(second), second)], *places) == [0.0, 0.15, 0.3, 0.65]


@pytest.mark.parametrize("names", [["<stdin>"], ["a.jsonl", "b.jsonl.GZ"], ["empty.jsonl"]])
def test_no_share_where_the_size_is_not_known(tmp_path: Path, names: list[str]) -> None:
    """Not of standard input, not of what is packed, and not of nothing."""
    for name in names:
        (tmp_path / name).write_bytes(b"" if name == "empty.jsonl" else b" ")
    sources = [Source(name, None if name == "<stdin>" else tmp_path / name) for name in names]
    assert shares(sources, Location("a")) == [None, None]


def test_the_share_is_of_what_is_settled_not_of_what_waits() -> None:
    """Payloads that were read ahead while nothing can be delivered are no progress."""
    planner, stats = Planner(PayloadLimits(), SendFilter()), SendStats()
    assert settled_share(0.2, planner, stats) == 0.2
    planner.read = 1000
    assert settled_share(0.9, planner, stats) == 0
    stats.delivered, stats.dead, planner.already_delivered = 200, 50, 250
    assert settled_share(0.9, planner, stats) == 0.45
    assert settled_share(None, planner, stats) is None


STATES = ["queued", "queued", "running", "running", "running", "success"]
SECONDS = [0.0, 5.0, 6.0, 7.0, 17.0, 65.0]
LINES = ["job 7 queued, 0:00", "job 7 running, 0:06", "job 7 running, 0:17", "job 7 success, 1:05"]


def tell_all(tell: Callable[[Job], None]) -> None:
    """Tell of a job from its beginning to its end."""
    for state, seconds in zip(STATES, SECONDS, strict=True):
        tell(Job("7", state, seconds))


def test_a_line_for_each_change_of_a_job(screen: Screen) -> None:
    """A line for each new state, and for each ten seconds of an old one."""
    with show_jobs(screen.terminal) as tell:
        tell_all(tell)
    assert (screen.out, screen.err.splitlines()) == ("", LINES)


@pytest.mark.parametrize(("when", "lines"), [(When.auto, []), (When.always, LINES), (When.never, [])])
def test_jobs_with_quiet(when: When, lines: list[str]) -> None:
    """Nothing is said, unless it is asked for all the same."""
    screen = screen_of(quiet=True)
    with show_waiting(screen.terminal, when, job_line, job_printer(screen.terminal)) as tell:
        tell_all(tell)
    assert screen.err.splitlines() == lines


@pytest.mark.parametrize("last", [None, Job("8", "killed", 2.0)])
def test_a_line_for_jobs_that_changes_on_a_terminal(last: Job | None) -> None:
    """It is gone at the end, but for what was killed."""
    screen = screen_of(80)
    with show_jobs(screen.terminal) as tell:
        tell_all(tell)
        if last:
            tell(last)
    assert screen.err.endswith("\x1b[2K")
    assert ("job 8 killed, 0:02\n" in screen.err) is (last is not None)
