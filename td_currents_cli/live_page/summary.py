"""What the page shows and `/api/summary` returns; fields are added, never renamed."""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from td_currents_cli.outcome import SCHEMA


class TypeCount(Struct, frozen=True):
    event_type: str
    events: int


class TimeLine(Struct, frozen=True):
    """Stored events by the time of their arrival, in periods without gaps."""

    begin: int  # UNIX seconds
    seconds: int  # length of a period
    events: Sequence[int]  # of each period; the last one is not over

    @property
    def end(self) -> int:
        return self.begin + self.seconds * len(self.events)


class LatestRequest(Struct, frozen=True, kw_only=True):
    number: int  # from 1, in the order of the responses
    at: float  # of the response, UNIX seconds
    method: str
    target: str  # without a write key
    status: int | None
    size: int  # bytes of the body
    result: str
    events: int | None
    reason: str
    fault: str
    has_payload: bool = False  # whether its payload can be looked at


class LatestPayload(Struct, frozen=True, kw_only=True):
    number: int  # of its request
    at: float
    size: int
    result: str
    events: int | None
    event_types: Sequence[TypeCount]  # of a stored payload, the most frequent first, up to a number
    errors: int | None  # None: not checked yet
    warnings: int | None


class Summary(Struct, frozen=True, kw_only=True):
    schema: int = SCHEMA
    started: float  # UNIX seconds
    now: float
    masked: bool  # whether personal data in payloads is hidden
    totals: dict[str, Any]  # the summary of `tdcur serve --format json`
    event_types: Sequence[TypeCount]  # of the stored events, the most frequent first
    other_event_types: int  # events of types beyond the first that are counted by name
    without_event_type: int
    last_minutes: TimeLine
    last_hours: TimeLine
    requests: Sequence[LatestRequest]  # the latest first
    not_stored: Sequence[LatestRequest]  # those that added no row
    payloads: Sequence[LatestPayload]
