"""How far a run is and how a job stands: the figures, and where they are shown."""

import gzip
import os
import re
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from multiprocessing import get_start_method
from pathlib import Path
from types import ModuleType

import pytest

from td_currents_cli.choices import When
from td_currents_cli.model import Batch, Location
from td_currents_cli.parallel.pool import ordered_map
from td_currents_cli.progress import Progress
from td_currents_cli.read import records
from td_currents_cli.read.options import Source
from td_currents_cli.read.sources import InputProgress
from td_currents_cli.render.progress import (
    ProgressWriter,
    Speed,
    Stall,
    bar,
    figures_of,
    fitted,
    job_line,
    job_printer,
    job_updates,
    updates,
)
from td_currents_cli.render.terminal import LINE_INTERVAL, ProgressLine, show_progress
from td_currents_cli.send.batching import Planner
from td_currents_cli.send.command import settled_share
from td_currents_cli.send.payload import PayloadLimits
from td_currents_cli.send.prefilter import SendFilter
from td_currents_cli.send.stats import SendStats
from td_currents_cli.treasure_data.updates import Download, Job, Retry
from tests.rendering import Screen, screen_of


def at(delivered: int, share: float | None = None) -> Progress:
    """A run that has come so far."""
    stats = SendStats(delivered=delivered, bytes=delivered * 900, requests=3, retries=1, in_flight=2)
    return stats.progress(share, 0.0)


def shown(when: When = When.auto, *, is_terminal: bool = False, quiet: bool = False) -> str:
    """What is written until progress has been asked for three times; a tenth of a second stands for ten."""
    screen = screen_of(100 if is_terminal else None, quiet=quiet)
    asked = 0

    def gauge() -> Progress:
        nonlocal asked
        asked += 1
        return at(1000, 0.5)

    with show_progress(screen.terminal, when, first_after=0.01, interval=0.1) as line:
        line.watch(gauge)
        if when is not When.never and not (quiet and when is When.auto):
            while asked < 3:
                time.sleep(0.01)
    return screen.err


def test_off_a_terminal_there_are_lines_and_no_animation() -> None:
    """A log file gets whole lines of plain text."""
    text = shown()
    assert "50%, 1,000 events, " in text
    assert "0.9 MB, 2 in flight, 1 retry\n" in text
    assert not {"\r", "\x1b"} & set(text)
    assert LINE_INTERVAL == 10


def test_on_a_terminal_there_is_a_bar_that_leaves_nothing_behind() -> None:
    """It is drawn over itself, and wiped at the end."""
    text = shown(is_terminal=True)
    assert "━" in text
    assert "1,000 events" in text
    assert text.endswith("\r\x1b[K")
    assert "\n" not in text


@pytest.mark.parametrize("is_terminal", [True, False])
@pytest.mark.parametrize(("when", "quiet"), [(When.never, False), (When.auto, True), (When.always, True)])
def test_quiet_and_never_are_silent_and_always_is_not(when: When, quiet: bool, is_terminal: bool) -> None:
    """`--progress always` is asked for by whoever wants it beside `--quiet`."""
    text = shown(when, is_terminal=is_terminal, quiet=quiet)
    assert "1,000 events" in text if when is When.always else text == ""


def test_a_message_is_not_printed_into_the_line() -> None:
    """The line makes room, and is drawn again below the message."""
    screen = screen_of(80)
    with show_progress(screen.terminal, first_after=60) as line:
        line.show(at(1000))
        line.tick()
        screen.terminal.report("a message")
        line.tick()
    assert "retry\x1b[K\r\x1b[Ka message\n\r1,000 events" in screen.err


def test_nothing_is_begun_before_it_is_needed() -> None:
    """A short run pays for no thread; the timer of whoever had one is left as it was."""
    screen, threads, before = screen_of(80), threading.active_count(), signal.getsignal(signal.SIGALRM)
    with show_progress(screen.terminal) as line:
        line.show(at(1000))
        assert threading.active_count() == threads
    assert screen.err == ""
    assert (signal.getsignal(signal.SIGALRM), signal.getitimer(signal.ITIMER_REAL)) == (before, (0.0, 0.0))


@pytest.mark.parametrize("width", [20, 39, 51, 60, 79, 200])
@pytest.mark.parametrize(
    "retrying", ["", "retrying in 7 s: connection refused (127.0.0.1:8888)", "retrying now: " + "x" * 300]
)
def test_a_line_is_never_cut(width: int, retrying: str) -> None:
    """Figures are left out, the last ones first; the bar has what is left."""
    now = Progress(done=1, total=2, unit="bytes", figures=("3 in flight",), retrying=retrying)
    figures = figures_of(now, Speed())
    text = ", ".join(fitted(figures, width))
    drawn = bar(0.5, width - len(text) - 1)
    assert len(drawn) + bool(drawn) + len(text) <= width
    assert retrying or text in {", ".join(figures[:number]) for number in range(1, 4)}
    assert drawn.count("━") == round(len(drawn) / 2)
    if retrying.endswith(")") and width > 35:
        assert text.startswith("retrying in 7 s: connection refused")
        assert "…" not in text


def drawn_lines(gauges: list[Progress], width: int) -> list[str]:
    """What is drawn for each of these figures on one terminal."""
    screen = screen_of(width)
    writer = ProgressWriter(screen.terminal, is_redrawn=True, since=0.0, interval=10)
    writer._columns = lambda: width  # type: ignore[method-assign]  # noqa: SLF001
    for now in gauges:
        writer.write(now)
    return re.sub(r"\x1b\[\d*[mK]", "", screen.err).split("\r")[1:]


def test_there_is_always_a_bar_and_room_for_ctrl_c() -> None:
    """However many figures there are: some are left out. `^C` does not begin a new line, where it would stay."""
    figures = ("0.9 MB", "12 in flight", "1,234 retries", "another figure")
    now = Progress(done=100_000, unit="events", settled=0.25, figures=figures)
    for width in (60, 80, 120):
        (line,) = drawn_lines([now], width)
        assert re.match("━+─+ 25%, 100,000 events", line)
        assert len(line) <= width - len("^C") - 1


def test_the_line_does_not_flip_between_two_forms() -> None:
    """A figure for which there was no room once stays out, whether the next attempt is `now` or `in 12 s`."""

    def failing(when: str) -> Progress:
        retrying = f"retrying {when}: connection refused (127.0.0.1:8888)"
        return Progress(done=0, unit="events", settled=0.04, figures=("0.0 MB", "0 in flight"), retrying=retrying)

    for width in range(40, 90):
        lines = drawn_lines([failing(when) for when in ("in 12 s", "now", "in 9 s", "now")], width)
        forms = {re.sub("(now|in [0-9]+ s)", "", line) for line in lines[1:]}
        assert len(forms) == 1
        assert "━" not in "".join(lines)
        assert "events/s" not in "".join(lines)


def test_a_retry_is_shown_where_the_run_has_stopped() -> None:
    """A line for each request that fails while others succeed would flicker, and fill a log."""
    now = 100.0
    stall = Stall(lambda: now)

    def seen(done: int) -> bool:
        gauge = Progress(done=done, unit="events", retrying="retrying now: HTTP 503")
        return bool(stall.without_passing_retries(gauge).retrying)

    assert seen(0)
    assert not seen(100)
    now += 0.5
    assert not seen(100)
    now += 0.5
    assert seen(100)
    assert not seen(200)


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
    assert figures_of(at(10_000), Speed(lambda: now)) == ["10,000 events", "9.0 MB", "2 in flight", "1 retry"]
    speed = Speed(lambda: now)
    speed.update(at(0, 0.0))
    now += 30
    assert "1:00:00 left" in figures_of(at(5, 30 / 3630), speed)
    # Another part of the run has another speed.
    assert figures_of(Progress(done=5e6, total=2e7, unit="bytes", stage="writing"), speed) == [
        "writing",
        "25%",
        "5.0 of 20.0 MB",
    ]


def test_the_error_of_a_run_passes_through() -> None:
    def run() -> None:
        with show_progress(screen_of().terminal) as line:
            line.watch(lambda: at(1))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        run()


def shares(sources: list[Source], *places: Location) -> list[float | None]:
    """The share of the input at the start, and at each place."""
    way = InputProgress()
    way.watched(sources)
    return [way.now().share, *(way.now().share for _ in way.watch(Batch(b"{}", place) for place in places))]


def test_the_share_of_the_input_that_has_been_read(tmp_path: Path) -> None:
    """All files together are the whole. Of a file that is read, what the buffer holds is not yet done."""
    first, second = tmp_path / "first.jsonl", tmp_path / "second.jsonl"
    first.write_bytes(b'{"events":[]}\n' * 30)
    second.write_bytes(b'{"events":[]}\n' * 70)
    way = InputProgress()
    sources = way.watched([Source(str(first), first), Source(str(second), second)])
    found = [way.now().share for _ in way.watch(records(sources))]
    assert found == pytest.approx([number / 100 for number in range(100)])
    assert way.now().total == 1400


def test_the_share_of_a_compressed_file_and_of_what_others_read(tmp_path: Path) -> None:
    """Packed bytes are measured in the file; other processes report what they have read."""
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"x" * 1000)
    way = InputProgress()
    (source,) = way.watched([Source(str(path), path)])
    with source.open() as raw:
        way.follow(source, raw)
        raw.read(250)
        assert way.now().share == 0.25
    assert way.now().share == 1
    way.reach(source, 500)
    assert way.now().share == 0.5
    way.reach(source)
    assert way.now().share == 1


def _begin_to_read() -> Callable[[Source], int]:
    def read(source: Source) -> int:
        assert source.progress is not None
        next(source.progress.report(source, records([source])))
        return os.getpid()

    return read


def test_what_another_process_has_read_of_a_compressed_file(tmp_path: Path) -> None:
    """It need not have read all of it, if it began as a copy of this process."""
    paths = [tmp_path / f"{number}.jsonl.gz" for number in range(11)]
    for path in paths:
        path.write_bytes(gzip.compress(b'{"events":[]}\n' * 1000))
    paths[-1].write_bytes(b"\x1f\x8bdamaged")
    way = InputProgress()
    sources = way.watched([Source(str(path), path) for path in paths])
    total, elsewhere = way.now().total, 0
    with closing(ordered_map(_begin_to_read, (), sources, 2)) as results:
        for source, process in results:
            if process != os.getpid() and source is not sources[-1]:
                before = sum(path.stat().st_size for path in paths[: sources.index(source)])
                assert (way.done > before) is (get_start_method() == "fork")
                elsewhere += 1
            way.reach(source)
    assert (way.done, elsewhere) == (total, 2)


def test_a_pipe_has_bytes_but_no_share() -> None:
    """Its size is not known."""
    reader, writer = os.pipe()
    os.write(writer, b"x" * 1000)
    os.close(writer)
    way = InputProgress()
    (source,) = way.watched([Source("/dev/fd", Path(f"/dev/fd/{reader}"))])
    with source.open() as raw:
        os.close(reader)
        way.follow(source, raw)
        raw.read(300)
        assert (way.now().done, way.now().share) == (300, None)


@pytest.mark.parametrize("names", [["<stdin>"], ["empty.jsonl"]])
def test_no_share_where_the_size_is_not_known(
    tmp_path: Path, names: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not of standard input, and not of nothing."""
    monkeypatch.setattr("sys.stdin", None)
    for name in names:
        (tmp_path / name).write_bytes(b"")
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
    with show_progress(screen.terminal) as line:
        tell_all(job_updates(line, screen.terminal))
    assert (screen.out, screen.err.splitlines()) == ("", LINES)


@pytest.mark.parametrize(("when", "lines"), [(When.auto, []), (When.always, LINES), (When.never, [])])
def test_jobs_with_quiet(when: When, lines: list[str]) -> None:
    """Nothing is said, unless it is asked for all the same."""
    screen = screen_of(quiet=True)
    with show_progress(screen.terminal, when) as line:
        tell_all(updates(line, screen.terminal, job_line, job_printer(screen.terminal)))
    assert screen.err.splitlines() == lines


@pytest.mark.parametrize("last", [None, Job("8", "killed", 2.0)])
def test_a_line_for_jobs_that_changes_on_a_terminal(last: Job | None) -> None:
    """It is gone at the end, but for what was killed."""
    screen = screen_of(80)
    with show_progress(screen.terminal) as line:
        tell = job_updates(line, screen.terminal)
        tell_all(tell)
        line.tick()
        if last:
            tell(last)
    assert screen.err.startswith("\rjob 7 success, 1:05\x1b[K\r\x1b[K")
    assert ("job 8 killed, 0:02\n" in screen.err) is (last is not None)


def test_a_download_and_a_retry() -> None:
    """How many of the rows are there; why a request failed and when it is sent again."""
    screen, log = screen_of(80), screen_of()
    for each in (screen, log):
        with show_progress(each.terminal) as line:
            tell = job_updates(line, each.terminal)
            tell(Download(1_000, 4_000))
            line.tick()
            tell(Retry("api.treasuredata.com returned HTTP 503", 3.4))
            line.tick()
    assert "downloading, 25%, 1,000 of 4,000 rows\x1b[K" in screen.err
    assert "\rretrying in 3 s: api.treasuredata.com returned HTTP 503\x1b[K" in screen.err
    assert log.err == "retrying in 3 s: api.treasuredata.com returned HTTP 503\n"


def test_a_signal_in_the_middle_of_an_import(monkeypatch: pytest.MonkeyPatch) -> None:
    """The timer may interrupt the import of what progress needs: then it is shown later, and the run goes on."""
    screen = screen_of(100)
    line = ProgressLine(screen.terminal, is_silent=False, interval=0)
    line.show("reading")
    with monkeypatch.context() as incomplete:
        incomplete.setitem(sys.modules, "td_currents_cli.render.progress", ModuleType("progress"))
        line.tick()
    assert not screen.err
    line.tick()
    assert "reading" in screen.err
