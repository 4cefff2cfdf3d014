"""What the page remembers of the requests, in bounded memory: counts, time lines, the latest requests and payloads."""

import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from td_currents_cli.live_page.summary import LatestPayload, LatestRequest, Summary, TimeLine, TypeCount
from td_currents_cli.serve.stats import RequestLog, RequestResult, ServeStats

MAX_TYPES: Final = 500
MAX_TYPE_LENGTH: Final = 200
PERIODS: Final = 120
SHOWN: Final = 50  # requests and payloads in a summary
TYPES_SHOWN: Final = 3  # of a payload
MAX_PAYLOADS: Final = 200
MAX_PAYLOAD_BYTES: Final = 16 << 20  # of all of them


class ReceivedPayload(Struct):
    """A body, and how many problems it has, once it was checked."""

    number: int  # of its request
    request: LatestRequest
    body: bytes
    event_types: Sequence[TypeCount] = ()
    errors: int | None = None
    warnings: int | None = None


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
        self._by_second = _Periods(1)
        self._by_minute = _Periods(60)
        self._latest: deque[LatestRequest] = deque(maxlen=SHOWN)
        self._not_stored: deque[LatestRequest] = deque(maxlen=SHOWN)
        self._payloads: dict[int, ReceivedPayload] = {}
        self._payload_bytes = 0

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
        counts = _count_types(log.event_types)
        if is_kept:
            event_types = [
                TypeCount(name[:MAX_TYPE_LENGTH], number) for name, number in counts.most_common(TYPES_SHOWN)
            ]
            self._keep(ReceivedPayload(self._requests, request, log.body, event_types))
        if log.events:
            self._add_types(counts, log.events)
            self._by_second.add(log.at, log.events)
            self._by_minute.add(log.at, log.events)

    def payload(self, number: int) -> ReceivedPayload | None:
        """The payload of a request, while it is kept."""
        return self._payloads.get(number)

    def unchecked(self) -> ReceivedPayload | None:
        """The latest payload that is shown without the number of its problems."""
        return next((each for each in self._shown_payloads() if each.errors is None), None)

    def summary(self, stats: ServeStats) -> Summary:
        now = time.time()
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
                    event_types=each.event_types,
                    errors=each.errors,
                    warnings=each.warnings,
                )
                for each in self._shown_payloads()
            ],
        )

    def _shown_payloads(self) -> Iterator[ReceivedPayload]:
        return islice(reversed(self._payloads.values()), SHOWN)

    def _linked(self, requests: deque[LatestRequest]) -> Sequence[LatestRequest]:
        """The latest first; those whose payload is no longer kept say so."""
        return [
            each if each.has_payload == (each.number in self._payloads) else replace(each, has_payload=False)
            for each in reversed(requests)
        ]

    def _keep(self, payload: ReceivedPayload) -> None:
        self._payloads[payload.number] = payload
        self._payload_bytes += len(payload.body)
        while len(self._payloads) > MAX_PAYLOADS or self._payload_bytes > MAX_PAYLOAD_BYTES:
            oldest = self._payloads.pop(next(iter(self._payloads)))
            self._payload_bytes -= len(oldest.body)

    def _add_types(self, counts: Counter[str], events: int) -> None:
        self._without_type += events - counts.total()
        for name, number in counts.items():
            if name in self._types or (len(self._types) < MAX_TYPES and len(name) <= MAX_TYPE_LENGTH):
                self._types[name] += number
            else:
                self._other_types += number


def _count_types(event_types: Sequence[object]) -> Counter[str]:
    """The number of events of each type; what is not a string, or an empty one, is not a type."""
    return Counter([each for each in event_types if each and isinstance(each, str)])


class _Periods:
    """The number of events in each of the last periods of a length in seconds."""

    def __init__(self, seconds: int) -> None:
        self._seconds = seconds
        self._counts = [0] * PERIODS
        self._last = 0  # number of the latest period since 1970

    def add(self, at: float, events: int) -> None:
        period = int(at) // self._seconds
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
