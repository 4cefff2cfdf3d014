"""How fast: how many requests may be under way at once, and how many events may go out in a second.

The number of requests follows what the endpoint does with them, unless it is given: it grows by addition and shrinks
by multiplication, as TCP's window does. It starts at 8 rather than 1, which senders that begin with one leave too
slowly.
"""

import asyncio
import re
from collections import deque
from dataclasses import dataclass
from typing import Final

from td_currents_cli.errors import UsageError
from td_currents_cli.send.answers import Answer, Failure
from td_currents_cli.send.clock import Clock

MOST: Final = 256
"""Requests at once that may be asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Concurrency:
    """How many requests there may be at once; always the same number where all three are equal."""

    least: int
    start: int
    most: int


AUTO: Final = Concurrency(least=1, start=8, most=64)
"""64 requests of 97 kB, which is a full batch, fill a line of 1 Gbit/s at 50 ms; of 1 MB, they take 64 MB of memory."""


def concurrency_of(text: str, option: str) -> Concurrency:
    """What `auto` or a number says.

    Raises:
        UsageError: it is neither, or too large a number; the message names the option.
    """
    if text == "auto":
        return AUTO
    number = int(text) if _NUMBER.fullmatch(text) else 0
    if not 1 <= number <= MOST:
        raise UsageError(f"{option} is neither auto nor a number from 1 to {MOST}", hint=f"Give {option} auto.")
    return Concurrency(least=number, start=number, most=number)


_NUMBER: Final = re.compile("[0-9]{1,4}")


class Window:
    """How many requests there may be at once, as learnt from those that have come back.

    A round is as many answers as there may be requests. After each in which all places were taken, there is room for
    more. Trouble halves the window at once, and only once for all requests that were under way then. When the answers
    of a round take twice as long as those of the best lately, more requests only queue up somewhere: the window
    shrinks a little, though not below its start, since an endpoint may have become slower for reasons of its own.
    """

    _MORE: Final = 2
    _TROUBLE: Final = 0.5
    _QUEUEING: Final = 0.9
    _SLOW: Final = 2.0
    _FORGET: Final = 60.0
    """Seconds in which the best latency becomes twice as long, while no answers are that fast."""

    def __init__(self, bounds: Concurrency) -> None:
        self._bounds = bounds
        self._size = float(bounds.start)
        self._since = float("-inf")
        self._best = float("inf")
        self._best_at = 0.0
        self._begin_round()

    @property
    def size(self) -> int:
        """Requests that there may be at once."""
        return int(self._size)

    def saw(self, *, begun: float, ended: float, full: bool, trouble: bool) -> None:
        """Learn from a request that has come back.

        Args:
            begun: when it was made.
            ended: when it came back.
            full: whether all places were taken meanwhile.
            trouble: whether it says that the endpoint cannot keep up.
        """
        if begun <= self._since:
            return
        if trouble:
            self._shrink(self._TROUBLE, self._bounds.least, ended)
            return
        self._answers += 1
        self._seconds += ended - begun
        self._was_full |= full
        if self._answers >= self._size:
            self._end_round(self._seconds / self._answers, ended)

    def _end_round(self, latency: float, now: float) -> None:
        self._best = min(latency, self._best * 2 ** ((now - self._best_at) / self._FORGET))
        self._best_at = now
        if latency > self._SLOW * self._best:
            self._shrink(self._QUEUEING, self._bounds.start, now)
        elif self._was_full:
            self._size = min(self._size + self._MORE, self._bounds.most)
        self._begin_round()

    def _shrink(self, factor: float, floor: int, now: float) -> None:
        self._size = min(self._size, max(self._size * factor, floor))
        self._since = now
        self._begin_round()

    def _begin_round(self) -> None:
        self._answers = 0
        self._seconds = 0.0
        self._was_full = False


class Meter:
    """Keeps to a number of events a second: a bucket of tokens, one an event, that is empty at first.

    A request goes when all its events are due, so that the rate is kept from the first request on.
    """

    _SLACK: Final = 0.25
    """Seconds that may be caught up after a delay; more would be a burst."""

    def __init__(self, rate: float, now: float) -> None:
        """Begin now.

        Args:
            rate: events a second, more than 0.
            now: seconds of a clock.
        """
        self._rate = rate
        self._due = now

    def wait(self, events: int, now: float) -> float:
        """Seconds until a request with so many events may go. It counts as gone."""
        self._due = max(self._due, now - self._SLACK) + events / self._rate
        return max(0.0, self._due - now)


class Pace:
    """Lets requests go when it is time for them.

    Attributes:
        in_flight: requests that went and have not come back.
        most: requests that there may ever be at once.
    """

    def __init__(self, concurrency: Concurrency, *, clock: Clock, rate: float | None = None) -> None:
        """Prepare.

        Args:
            concurrency: how many requests at once.
            clock: where time comes from.
            rate: events a second; None for as many as there can be.
        """
        self.in_flight = 0
        self.most = concurrency.most
        self._clock = clock
        self._window = Window(concurrency)
        self._meter = None if rate is None else Meter(rate, clock.now())
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._closed = asyncio.Event()

    async def enter(self, events: int) -> bool:
        """Wait until a request with so many events may go. False when none may any more."""
        if self._meter is not None and (seconds := self._meter.wait(events, self._clock.now())):
            await self._clock.pause(seconds, self._closed)
        while self.in_flight >= self._window.size and not self._closed.is_set():
            turn = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            await turn
        if self._closed.is_set():
            return False
        self.in_flight += 1
        return True

    def leave(self, result: Answer | Failure | None, begun: float) -> None:
        """A request has come back, or was broken off (None).

        Args:
            result: of the request.
            begun: when it was made.
        """
        full = self.in_flight >= self._window.size
        self.in_flight -= 1
        if result is not None:
            self._window.saw(begun=begun, ended=self._clock.now(), full=full, trouble=_is_trouble(result))
        self._let_in(self._window.size - self.in_flight)

    def close(self) -> None:
        """Let no more requests go; those that wait are told so at once."""
        self._closed.set()
        self._let_in(len(self._waiting))

    def _let_in(self, places: int) -> None:
        while places > 0 and self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                places -= 1


def _is_trouble(result: Answer | Failure) -> bool:
    """Whether the endpoint, or what is between, cannot keep up: 429, 5XX, a timeout, a connection that failed."""
    return isinstance(result, Failure) or result.status in {408, 429} or result.status >= 500
