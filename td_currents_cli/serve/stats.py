"""Statistics of the requests."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from msgspec import Struct


class RequestResult(StrEnum):
    """Outcome of a request. Only `STORED` adds a row."""

    STORED = "stored"
    CONNECTION_TEST = "connection_test"
    WRONG_KEY = "wrong_key"
    REFUSED = "refused"
    FAILED = "failed"
    ABORTED = "aborted"
    FAULT = "fault"


class RequestLog(Struct, frozen=True, gc=False, kw_only=True):
    at: float  # time of the response, UNIX seconds
    method: str
    target: str  # path and query, without a write key
    status: int | None  # None: a fault, or the sender disconnected before the request was complete
    size: int  # received bytes of the body
    result: RequestResult
    events: int | None = None  # in the stored row, if its `events` is an array
    reason: str = ""  # why nothing was stored, if the result alone does not tell
    fault: str = ""  # the injected one, whatever the result; empty if none


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeStats:
    """Each request is counted once in `by_result`."""

    events: int  # in the stored rows
    bytes: int  # of all received bodies, stored or not
    by_result: Counter[RequestResult]
    by_status: Counter[int]
    by_fault: Counter[str]

    @property
    def requests(self) -> int:
        return self.by_result.total()

    @property
    def stored(self) -> int:
        return self.by_result[RequestResult.STORED]

    @property
    def not_stored(self) -> int:
        return self.requests - self.stored


class RequestCounter:
    """Counts requests, and passes each to the listener."""

    def __init__(self, listener: Callable[[RequestLog], None] | None = None) -> None:
        self._listener = listener
        self._events = 0
        self._bytes = 0
        self._by_result: Counter[RequestResult] = Counter()
        self._by_status: Counter[int] = Counter()
        self._by_fault: Counter[str] = Counter()

    def add(self, request: RequestLog) -> None:
        self._by_result[request.result] += 1
        self._bytes += request.size
        self._events += request.events or 0
        if request.status is not None:
            self._by_status[request.status] += 1
        if request.fault:
            self._by_fault[request.fault] += 1
        if self._listener is not None:
            self._listener(request)

    def add_unread(self, status: int | None, result: RequestResult, reason: str) -> None:
        """Log a request whose method and path are unknown; without a status, it is not counted: there was none."""
        request = RequestLog(
            at=time.time(), method="-", target="-", status=status, size=0, result=result, reason=reason
        )
        if status is not None:
            self.add(request)
        elif self._listener is not None:
            self._listener(request)

    def stats(self) -> ServeStats:
        """Return a snapshot. May be called from another thread."""
        return ServeStats(
            events=self._events,
            bytes=self._bytes,
            by_result=self._by_result.copy(),
            by_status=self._by_status.copy(),
            by_fault=self._by_fault.copy(),
        )
