"""What the page remembers of the requests, in bounded memory: counts, time lines, the latest requests and payloads."""

import time
from collections import Counter, deque
from collections.abc import Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from td_currents_cli.live_page.summary import LatestPayload, LatestRequest, Summary, TimeLine, TypeCount
from td_currents_cli.serve.stats import RequestLog, RequestResult, ServeStats

MAX_TYPES: Final = 500
MAX_TYPE_LENGTH: Final = 200
PERIODS: Final = 120
KEPT: Final = 50  # requests and payloads, and again of those that added no row
MAX_PAYLOAD_BYTES: Final = 16 << 20  # of all that are kept
TYPES_SHOWN: Final = 3  # of a payload
_MAX_UNCOUNTED: Final = 5000  # events whose types are counted later


class ReceivedPayload(Struct):
    """A body, and how many problems it has, once it was checked."""

    number: int  # of its request
    request: LatestRequest
    body: bytes
    event_types: Sequence[object] = ()  # of each event, as received; of many events, none
    errors: int | None = None
    warnings: int | None = None
    most_common: Sequence[TypeCount] | None = None

    def types(self) -> Sequence[TypeCount]:
        """The most frequent types of its events. They are counted when they are first shown."""
        if self.most_common is None:
            counts = counted(self.event_types).most_common(TYPES_SHOWN)
            self.most_common = [TypeCount(name[:MAX_TYPE_LENGTH], number) for name, number in counts]
            self.event_types = ()
        return self.most_common


class RecentRequests:
    """Add requests and read summaries in one thread. `changes` grows with everything that changes a summary."""

    def __init__(self, *, masked: bool) -> None:
        self.changes = 0
        self._masked = masked
        self._started = time.time()
        self._requests = 0
        self._types: Counter[str] = Counter()
        self._other_types = 0
        self._without_type = 0
        self._uncounted: list[object] = []
        self._by_second = _Periods(1)
        self._by_minute = _Periods(60)
        self._latest: deque[LatestRequest] = deque(maxlen=KEPT)
        self._not_stored: deque[LatestRequest] = deque(maxlen=KEPT)
        self._payloads = _KeptPayloads()
        self._payloads_not_stored = _KeptPayloads()
        # A page shows a summary until the next one arrives: what it shows can be looked at.
        self._shown: deque[dict[int, ReceivedPayload]] = deque(maxlen=2)

    def add(self, log: RequestLog) -> None:
        """Called for each request, before its response: must be quick."""
        self.changes += 1
        self._requests += 1
        is_kept = 0 < len(log.body) <= MAX_PAYLOAD_BYTES
        request = LatestRequest(
            number=self._requests,
            at=log.at,
            method=log.method,
            target=log.target,
            status=log.status,
            size=log.size,
            result=log.result.value,
            events=log.events,
            reason=log.reason,
            fault=log.fault,
            has_payload=is_kept,
        )
        self._latest.append(request)
        if log.result is not RequestResult.STORED:
            self._not_stored.append(request)
        if is_kept:
            event_types = log.event_types if len(log.event_types) <= _MAX_UNCOUNTED else ()
            payload = ReceivedPayload(self._requests, request, log.body, event_types)
            self._payloads.add(payload)
            if log.result is not RequestResult.STORED:
                self._payloads_not_stored.add(payload)
        if log.events:
            # Counting many at once takes a third of the time.
            self._uncounted.extend(log.event_types)
            self._without_type += log.events - len(log.event_types)
            if len(self._uncounted) > _MAX_UNCOUNTED:
                self._count_types()
            self._by_second.add(log.at, log.events)
            self._by_minute.add(log.at, log.events)

    def payload(self, number: int) -> ReceivedPayload | None:
        """The payload of a request, while it is kept."""
        kept = (self._payloads, self._payloads_not_stored, *self._shown)
        return next((payloads[number] for payloads in kept if number in payloads), None)

    def unchecked(self) -> ReceivedPayload | None:
        """The latest payload that is shown without the number of its problems."""
        return next((each for each in reversed(self._payloads.values()) if each.errors is None), None)

    def summary(self, stats: ServeStats) -> Summary:
        now = time.time()
        self._count_types()
        self._shown.append(dict(self._payloads))
        return Summary(
            started=self._started,
            now=now,
            masked=self._masked,
            totals=stats.summary(),
            event_types=[TypeCount(*each) for each in self._types.most_common()],
            other_event_types=self._other_types,
            without_event_type=self._without_type,
            last_minutes=self._by_second.until(now),
            last_hours=self._by_minute.until(now),
            requests=self._linked(self._latest),
            not_stored=self._linked(self._not_stored),
            payloads=[
                LatestPayload(
                    number=each.number,
                    at=each.request.at,
                    size=each.request.size,
                    result=each.request.result,
                    events=each.request.events,
                    event_types=each.types(),
                    errors=each.errors,
                    warnings=each.warnings,
                )
                for each in reversed(self._payloads.values())
            ],
        )

    def _linked(self, requests: deque[LatestRequest]) -> Sequence[LatestRequest]:
        """The latest first; those whose payload is no longer kept say so."""
        return [
            each if each.has_payload == (self.payload(each.number) is not None) else replace(each, has_payload=False)
            for each in reversed(requests)
        ]

    def _count_types(self) -> None:
        counts = counted(self._uncounted)
        self._without_type += len(self._uncounted) - counts.total()
        self._uncounted = []
        for name, number in counts.items():
            if name in self._types or (len(self._types) < MAX_TYPES and len(name) <= MAX_TYPE_LENGTH):
                self._types[name] += number
            else:
                self._other_types += number


def counted(event_types: Sequence[object]) -> Counter[str]:
    """The number of events of each type; what is not a string, or an empty one, is not a type."""
    return Counter([each for each in event_types if each and isinstance(each, str)])


class _KeptPayloads(dict[int, ReceivedPayload]):
    """The latest payloads by number, up to a number and a size."""

    _bytes = 0

    def add(self, payload: ReceivedPayload) -> None:
        self[payload.number] = payload
        self._bytes += len(payload.body)
        while len(self) > KEPT or self._bytes > MAX_PAYLOAD_BYTES:
            self._bytes -= len(self.pop(next(iter(self))).body)


class _Periods:
    """The number of events in each of the last periods of a length in seconds."""

    def __init__(self, seconds: int) -> None:
        self._seconds = seconds
        self._counts = [0] * PERIODS
        self._last = 0  # number of the latest period since 1970

    def add(self, at: float, events: int) -> None:
        period = int(at) // self._seconds
        if period != self._last:
            self._advance(period)
        # The clock may have been set back.
        if period > self._last - PERIODS:
            self._counts[period % PERIODS] += events

    def until(self, now: float) -> TimeLine:
        self._advance(int(now) // self._seconds)
        first = self._last - PERIODS + 1
        return TimeLine(
            begin=first * self._seconds,
            seconds=self._seconds,
            events=[self._counts[period % PERIODS] for period in range(first, self._last + 1)],
        )

    def _advance(self, period: int) -> None:
        for passed in range(max(self._last, period - PERIODS) + 1, period + 1):
            self._counts[passed % PERIODS] = 0
        self._last = max(self._last, period)
