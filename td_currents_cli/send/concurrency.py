"""How fast: how many requests there may be at once (concurrency), and how many events per second (rate).

Unless it is given, the concurrency follows what the endpoint does with the requests: it grows by addition and shrinks
by multiplication, as TCP's window does. It starts at 8 rather than 1, which senders that begin with one leave too
slowly.
"""

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import Final

from td_currents_cli.errors import UsageError
from td_currents_cli.send.retry import Clock, HttpResponse, RequestFailure

MAX_CONCURRENCY: Final = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Concurrency:
    """How many requests there may be at once; fixed where all three are equal."""

    least: int
    start: int
    most: int


# 64 requests of 97 kB, which is a full batch, fill a line of 1 Gbit/s at 50 ms; of 1 MB, they take 64 MB of memory.
AUTO: Final = Concurrency(least=1, start=8, most=64)


def concurrency_of(text: str) -> Concurrency:
    if text == "auto":
        return AUTO
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 5 else 0
    if not 1 <= number <= MAX_CONCURRENCY:
        raise UsageError(
            f"--concurrency must be auto or a number from 1 to {MAX_CONCURRENCY}", hint="Use --concurrency auto."
        )
    return Concurrency(least=number, start=number, most=number)


class AdaptiveLimit:
    """How many requests there may be at once, as learned from those that have ended.

    A round is as many responses as there may be requests. After each in which the limit was reached, it grows. An
    overload halves the limit at once, and only once for all requests that were in flight then. When the responses of a
    round take twice as long as the best lately, more requests only queue up somewhere: the limit shrinks a little,
    though not below its start, because an endpoint may have become slower for reasons of its own.
    """

    _INCREASE: Final = 2
    _OVERLOAD: Final = 0.5
    _QUEUEING: Final = 0.9
    _SLOW: Final = 2.0
    _FORGET: Final = 60.0  # seconds in which the best latency doubles, while no responses are that fast

    def __init__(self, bounds: Concurrency) -> None:
        self._bounds = bounds
        self._size = float(bounds.start)
        self._since = float("-inf")
        self._best = float("inf")
        self._best_at = 0.0
        self._begin_round()

    @property
    def size(self) -> int:
        return int(self._size)

    def record(self, *, started: float, ended: float, full: bool, overloaded: bool) -> None:
        """Learn from a request that has ended; `full` is whether the limit was reached meanwhile."""
        if started <= self._since:
            return
        if overloaded:
            self._shrink(self._OVERLOAD, self._bounds.least, ended)
            return
        self._responses += 1
        self._seconds += ended - started
        self._was_full |= full
        if self._responses >= self._size:
            self._end_round(self._seconds / self._responses, ended)

    def _end_round(self, latency: float, now: float) -> None:
        self._best = min(latency, self._best * 2 ** ((now - self._best_at) / self._FORGET))
        self._best_at = now
        if latency > self._SLOW * self._best:
            self._shrink(self._QUEUEING, self._bounds.start, now)
        elif self._was_full:
            self._size = min(self._size + self._INCREASE, self._bounds.most)
        self._begin_round()

    def _shrink(self, factor: float, floor: int, now: float) -> None:
        self._size = min(self._size, max(self._size * factor, floor))
        self._since = now
        self._begin_round()

    def _begin_round(self) -> None:
        self._responses = 0
        self._seconds = 0.0
        self._was_full = False


class TokenBucket:
    """A rate limit in events per second, with one token per event; empty at first.

    A request goes when all its events are due, so that the rate is kept from the first request on.
    """

    _SLACK: Final = 0.25  # seconds that may be caught up after a delay; more would be a burst

    def __init__(self, rate: float, now: float) -> None:
        self._rate = rate
        self._due = now

    def wait(self, events: int, now: float) -> float:
        """Return the seconds until a request with that many events may go. It counts as sent."""
        self._due = max(self._due, now - self._SLACK) + events / self._rate
        return max(0.0, self._due - now)


class RequestLimiter:
    """Lets requests go when the concurrency and the rate permit."""

    def __init__(self, concurrency: Concurrency, *, clock: Clock, rate: float | None = None) -> None:
        self.in_flight = 0
        self.most = concurrency.most
        self._clock = clock
        self._limit = AdaptiveLimit(concurrency)
        self._bucket = None if rate is None else TokenBucket(rate, clock.now())
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._retries: deque[asyncio.Future[None]] = deque()  # go before those that wait for their first request
        self._closed = asyncio.Event()

    async def enter(self, events: int, *, is_retry: bool = False) -> bool:
        """Wait until a request with that many events may go. False when no more may go."""
        if self._bucket is not None and (seconds := self._bucket.wait(events, self._clock.now())):
            await self._clock.pause(seconds, self._closed)
        while self.in_flight >= self._limit.size and not self._closed.is_set():
            turn = asyncio.get_running_loop().create_future()
            (self._retries if is_retry else self._waiting).append(turn)
            await turn
        if self._closed.is_set():
            return False
        self.in_flight += 1
        return True

    def leave(self, result: HttpResponse | RequestFailure | None, started: float) -> None:
        """Count a request that has ended, or was canceled (None)."""
        full = self.in_flight >= self._limit.size
        self.in_flight -= 1
        if result is not None:
            ended = self._clock.now()
            self._limit.record(started=started, ended=ended, full=full, overloaded=_is_overload(result))
        self._admit(self._limit.size - self.in_flight)

    def close(self) -> None:
        """Let no more requests go; those that wait return at once."""
        self._closed.set()
        self._admit(len(self._waiting) + len(self._retries))

    def _admit(self, places: int) -> None:
        while places > 0 and (waiting := self._retries or self._waiting):
            turn = waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                places -= 1


def _is_overload(result: HttpResponse | RequestFailure) -> bool:
    """Return whether the endpoint, or what is between, cannot keep up: 429, 5xx, a timeout, a failed connection."""
    return isinstance(result, RequestFailure) or result.status in {408, 429} or result.status >= 500
