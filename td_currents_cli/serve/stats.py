"""Statistics of the requests."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import msgspec
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
    at: float = msgspec.field(default_factory=time.time)  # of the response, UNIX seconds
    method: str = "-"  # of a malformed request, method and target are unknown
    target: str = "-"  # path and query, without a write key
    status: int | None  # None: a fault, or the sender disconnected before the request was complete
    size: int = 0  # received bytes of the body
    result: RequestResult
    events: int | None = None  # in the stored row, if its `events` is an array
    reason: str = ""  # why nothing was stored, if the result alone does not tell
    fault: str = ""  # the injected one, whatever the result; empty if none
    body: bytes = b""  # if it was received completely
    event_types: Sequence[object] = ()  # `event_type` of each event in the stored row, whatever its JSON type


@dataclass(slots=True)
class ServeStats:
    """Counts each request once in `by_result`, and passes it to the listener."""

    listener: Callable[[RequestLog], None] = lambda _: None
    requests: int = 0
    events: int = 0  # in the stored rows
    bytes: int = 0  # of all received bodies, stored or not
    by_result: Counter[RequestResult] = field(default_factory=Counter)
    by_status: Counter[int] = field(default_factory=Counter)
    by_fault: Counter[str] = field(default_factory=Counter)

    @property
    def stored(self) -> int:
        return self.by_result[RequestResult.STORED]

    @property
    def not_stored(self) -> int:
        return self.requests - self.stored

    def summary(self) -> dict[str, object]:
        return {
            "requests": self.requests,
            "stored": self.stored,
            "not_stored": self.not_stored,
            "events": self.events,
            "bytes": self.bytes,
            "requests_by_result": {result.value: self.by_result[result] for result in RequestResult},
            "requests_by_status": {str(status): count for status, count in sorted(self.by_status.items())},
            "faults": dict(sorted(self.by_fault.items())),
        }

    def add(self, request: RequestLog) -> None:
        self.requests += 1
        self.by_result[request.result] += 1
        self.bytes += request.size
        self.events += request.events or 0
        if request.status is not None:
            self.by_status[request.status] += 1
        if request.fault:
            self.by_fault[request.fault] += 1
        self.listener(request)
