"""What the receiver has answered so far."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from msgspec import Struct


class RequestResult(StrEnum):
    """What became of a request. Only `STORED` leaves a row."""

    STORED = "stored"
    CONNECTION_TEST = "connection_test"
    WRONG_KEY = "wrong_key"
    REFUSED = "refused"
    FAILED = "failed"
    ABORTED = "aborted"
    FAULT = "fault"


class RequestLog(Struct, frozen=True, gc=False, kw_only=True):
    """One request and its answer.

    Attributes:
        at: when the answer was ready, UNIX seconds.
        method: of the request.
        target: path and query, without a write key.
        status: of the answer; None when there was none: the sender went away before its request was whole, or a fault.
        size: bytes of the body that were received.
        result: what became of it.
        events: in the stored row; None when there is none, or its `events` is not an array.
        reason: why nothing was stored, where the result alone does not say it.
        fault: the one it met, whatever became of it; empty for none.
    """

    at: float
    method: str
    target: str
    status: int | None
    size: int
    result: RequestResult
    events: int | None = None
    reason: str = ""
    fault: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeStats:
    """Figures of a receiver, each request counted once in `by_result`.

    Attributes:
        events: in the stored rows.
        bytes: of all bodies received, stored or not.
        by_result: number of requests by what became of them.
        by_status: number of requests by the status they were answered with.
        by_fault: number of requests by the fault they met.
    """

    events: int
    bytes: int
    by_result: Counter[RequestResult]
    by_status: Counter[int]
    by_fault: Counter[str]

    @property
    def requests(self) -> int:
        """All requests."""
        return self.by_result.total()

    @property
    def stored(self) -> int:
        """Rows stored."""
        return self.by_result[RequestResult.STORED]

    @property
    def not_stored(self) -> int:
        """Requests that left no row."""
        return self.requests - self.stored


class RequestCounter:
    """Counts exchanges as they are answered, and tells whoever listens."""

    def __init__(self, listener: Callable[[RequestLog], None] | None = None) -> None:
        self._listener = listener
        self._events = 0
        self._bytes = 0
        self._by_result: Counter[RequestResult] = Counter()
        self._by_status: Counter[int] = Counter()
        self._by_fault: Counter[str] = Counter()

    def add(self, exchange: RequestLog) -> None:
        """Count one."""
        self._by_result[exchange.result] += 1
        self._bytes += exchange.size
        self._events += exchange.events or 0
        if exchange.status is not None:
            self._by_status[exchange.status] += 1
        if exchange.fault:
            self._by_fault[exchange.fault] += 1
        if self._listener is not None:
            self._listener(exchange)

    def stats(self) -> ServeStats:
        """The figures so far. May be called from another thread."""
        return ServeStats(
            events=self._events,
            bytes=self._bytes,
            by_result=self._by_result.copy(),
            by_status=self._by_status.copy(),
            by_fault=self._by_fault.copy(),
        )
