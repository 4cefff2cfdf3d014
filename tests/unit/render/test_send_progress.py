"""How far a run is: the figures, where they are shown, and that the run does nothing for them."""

import io
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from td_currents_cli.model import Batch, Location, Record
from td_currents_cli.read.options import Source
from td_currents_cli.render.progress import LINE_INTERVAL, Gauge, Speed, sending_line, show_sending
from td_currents_cli.render.terminal import Terminal, When
from td_currents_cli.send.batching import Planner
from td_currents_cli.send.command import settled_share
from td_currents_cli.send.payload import PayloadLimits
from td_currents_cli.send.prefilter import SendFilter
from td_currents_cli.send.stats import InputProgress, SendProgress, SendStats


def at(delivered: int, share: float | None = None) -> SendProgress:
    """A run that has come so far."""
    return SendProgress(delivered=delivered, bytes=delivered * 900, requests=3, retries=1, in_flight=2, share=share)


class Screen(io.StringIO):
    """What a person sees."""

    def __init__(self, *, is_terminal: bool) -> None:
        super().__init__()
        self._is_terminal = is_terminal

    def isatty(self) -> bool:
        return self._is_terminal


def screened(when: When, *, is_terminal: bool, quiet: bool = False, wait: float = 1.0) -> str:
    """What is written while a run of a second goes on; a tenth of a second stands for ten."""
    screen = Screen(is_terminal=is_terminal)
    console = Console(file=screen, force_terminal=is_terminal, width=100, color_system=None)
    asked = threading.Semaphore(0)

    def gauge() -> SendProgress:
        asked.release()
        return at(1000, 0.5)

    with show_sending(Terminal(console, console, quiet=quiet), when, interval=0.1) as watch:
        watch(gauge)
        if when is not When.never and not (quiet and when is When.auto):
            assert all(asked.acquire(timeout=10) for _ in range(3))
    return screen.getvalue()


def test_off_a_terminal_there_are_lines_and_no_animation() -> None:
    """A log file gets whole lines of plain text."""
    text = screened(When.auto, is_terminal=False)
    assert "50%, 1,000 events, 0.9 MB" in text
    assert "2 in flight, 1 retries" in text
    assert "\r" not in text
    assert "\x1b" not in text
    assert LINE_INTERVAL == 10


def test_on_a_terminal_there_is_a_bar_that_leaves_nothing_behind() -> None:
    """It is drawn over itself, and wiped at the end."""
    text = screened(When.auto, is_terminal=True)
    assert "━" in text
    assert "1,000 events" in text
    assert text.endswith(("\x1b[2K", "\x1b[?25h"))
    assert text.count("\n") <= 1


@pytest.mark.parametrize("is_terminal", [True, False])
def test_quiet_and_never_are_silent_and_always_is_not(is_terminal: bool) -> None:
    """`--progress always` is asked for by whoever wants it beside `--quiet`."""
    assert screened(When.never, is_terminal=is_terminal) == ""
    assert screened(When.auto, is_terminal=is_terminal, quiet=True) == ""
    assert "1,000 events" in screened(When.always, is_terminal=is_terminal, quiet=True)


def test_speed_and_time_left_come_from_the_last_half_minute() -> None:
    """A run that has become slower says so soon; what is not known is not shown."""
    now = 0.0
    speed = Speed(lambda: now)
    assert speed.update(at(0, 0.0)) == (None, None)
    now = 10.0
    rate, left = speed.update(at(10_000, 0.1))
    assert rate == 1000.0
    assert left == pytest.approx(90.0)
    for _ in range(8):
        now += 10
        rate, left = speed.update(at(10_000, 0.1))
    assert (rate, left) == (0.0, None)
    now += 5
    assert sending_line(at(10_000), Speed(lambda: now)) == "10,000 events, 9.0 MB, 2 in flight, 1 retries"


def test_time_left_reads_as_a_clock() -> None:
    now = 0.0
    speed = Speed(lambda: now)
    speed.update(at(0, 0.0))
    now = 30.0
    assert ", 1:00:00 left," in sending_line(at(5, 30 / 3630), speed)


def test_a_run_ends_without_waiting_for_the_next_line() -> None:
    """Ten seconds more for a command that has done its work would be noticed."""
    console = Console(file=Screen(is_terminal=False))
    begun = time.monotonic()
    with show_sending(Terminal(console, console)) as watch:
        watch(lambda: at(1))
    assert time.monotonic() - begun < 9


def test_an_error_of_the_run_passes_through() -> None:
    """And the thread that shows is gone then, too."""
    console = Console(file=Screen(is_terminal=False))
    before = threading.active_count()

    def run(gauge: Gauge) -> None:
        with show_sending(Terminal(console, console)) as watch:
            watch(gauge)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        run(lambda: at(1))
    assert threading.active_count() == before


def records(*places: Location) -> Iterator[Record]:
    """Records at those places."""
    for place in places:
        yield Batch(b"{}", place)


def test_the_share_of_the_input_that_has_been_read(tmp_path: Path) -> None:
    """All files together are the whole."""
    first, second = tmp_path / "first.jsonl", tmp_path / "second.jsonl"
    first.write_bytes(b" " * 300)
    second.write_bytes(b" " * 700)
    way = InputProgress([Source(str(first), first), Source(str(second), second)])
    assert way.share == 0.0
    shares = [
        way.share
        for _ in way.watch(
            records(Location(str(first), offset=150), Location(str(second)), Location(str(second), offset=350))
        )
    ]
    assert shares == [0.15, 0.3, 0.65]


def test_no_share_where_the_size_is_not_known(tmp_path: Path) -> None:
    """Not of standard input, not of what is packed, and not of nothing."""
    plain, packed, empty = tmp_path / "a.jsonl", tmp_path / "b.jsonl.GZ", tmp_path / "c.jsonl"
    plain.write_bytes(b" ")
    packed.write_bytes(b" ")
    empty.write_bytes(b"")
    for sources in (
        [Source("<stdin>", None)],
        [Source("a", plain), Source("b.jsonl.GZ", packed)],
        [Source("c", empty)],
    ):
        way = InputProgress(sources)
        assert way.share is None
        assert [way.share for _ in way.watch(records(Location("a")))] == [None]


def test_the_share_is_of_what_is_settled_not_of_what_waits() -> None:
    """Payloads that were read ahead while nothing can be delivered are no progress."""
    planner, stats = Planner(PayloadLimits(), SendFilter()), SendStats()
    assert settled_share(0.2, planner, stats) == 0.2
    planner.read = 1000
    assert settled_share(0.9, planner, stats) == 0
    stats.delivered, stats.dead, planner.already_delivered = 200, 50, 250
    assert settled_share(0.9, planner, stats) == 0.45
    assert settled_share(None, planner, stats) is None
