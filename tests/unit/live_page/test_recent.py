"""What the page remembers: the right numbers, in bounded memory."""

from collections.abc import Callable
from typing import Any

import pytest

from td_currents_cli.live_page.recent import (
    KEPT,
    MAX_PAYLOAD_BYTES,
    MAX_TYPE_LENGTH,
    MAX_TYPES,
    PERIODS,
    RecentRequests,
)
from td_currents_cli.serve.stats import RequestLog, RequestResult, ServeStats

NOW = 1_800_000_030.5  # half a second into the second half of a minute


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> RecentRequests:
    monkeypatch.setattr("td_currents_cli.live_page.recent.time.time", lambda: NOW)
    return RecentRequests(masked=True)


def stored(*event_types: object, at: float = NOW, body: bytes = b"{}", events: int | None = None) -> RequestLog:
    number = len(event_types) if events is None else events
    return RequestLog(at=at, status=200, result=RequestResult.STORED, events=number, body=body, event_types=event_types)


def refused(reason: str, body: bytes = b"") -> RequestLog:
    return RequestLog(at=NOW, status=400, result=RequestResult.REFUSED, reason=reason, body=body)


def types(seen: RecentRequests) -> tuple[dict[str, int], int, int]:
    summary = seen.summary(ServeStats())
    named = {each.event_type: each.events for each in summary.event_types}
    return named, summary.other_event_types, summary.without_event_type


def test_events_are_counted_by_type(seen: RecentRequests) -> None:
    """The most frequent first; a type that is not a string, or no type, is counted as none."""
    seen.add(stored("a", "b", "b", None, 7, "", True))
    seen.add(stored("a", ["x"], {"y": 1}, "b"))
    seen.add(stored(events=3))
    assert types(seen) == ({"b": 3, "a": 2}, 0, 9)
    assert [*types(seen)[0]] == ["b", "a"]


def test_types_are_bounded(seen: RecentRequests) -> None:
    """A sender that invents types does not fill the memory: those beyond the limits are counted together."""
    seen.add(stored(*(f"type {number}" for number in range(MAX_TYPES + 20))))
    seen.add(stored("x" * MAX_TYPE_LENGTH, "x" * (MAX_TYPE_LENGTH + 1), "type 7"))
    named, others, without = types(seen)
    assert (len(named), named["type 7"], others, without) == (MAX_TYPES, 2, 22, 0)


@pytest.mark.parametrize(("line", "seconds"), [("last_minutes", 1), ("last_hours", 60)])
def test_the_time_lines(seen: RecentRequests, line: str, seconds: int) -> None:
    """Each period has its events, without gaps, up to now; what is older is left out."""
    for ago in (0, 0.4, 1, 5, PERIODS - 1, PERIODS, 10 * PERIODS):
        seen.add(stored("a", "b", at=NOW - ago * seconds))
    shown = getattr(seen.summary(ServeStats()), line)
    expected = dict.fromkeys(range(PERIODS), 0) | {PERIODS - 1: 4, PERIODS - 2: 2, PERIODS - 6: 2, 0: 2}
    assert dict(enumerate(shown.events)) == expected
    assert (shown.seconds, shown.end) == (seconds, (int(NOW) // seconds + 1) * seconds)


def test_a_clock_that_is_set_back_or_stands_still(seen: RecentRequests, monkeypatch: pytest.MonkeyPatch) -> None:
    seen.add(stored("a"))
    seen.add(stored("a", at=NOW - 3))
    assert seen.summary(ServeStats()).last_minutes.events[-4:] == [1, 0, 0, 1]
    monkeypatch.setattr("td_currents_cli.live_page.recent.time.time", lambda: NOW + 2)
    assert seen.summary(ServeStats()).last_minutes.events[-4:] == [0, 1, 0, 0]
    monkeypatch.setattr("td_currents_cli.live_page.recent.time.time", lambda: NOW + 10_000)
    assert set(seen.summary(ServeStats()).last_minutes.events) == {0}


def test_what_is_refused_is_not_crowded_out(seen: RecentRequests) -> None:
    """The latest requests, and apart from them those that added no row, the latest first."""
    seen.add(refused("first"))
    for _ in range(2 * KEPT):
        seen.add(stored("a"))
    seen.add(refused("last"))
    summary = seen.summary(ServeStats())
    assert [each.reason for each in summary.not_stored] == ["last", "first"]
    assert [each.number for each in summary.not_stored] == [2 * KEPT + 2, 1]
    assert [each.number for each in summary.requests] == [*range(2 * KEPT + 2, KEPT + 2, -1)]


def count(seen: RecentRequests, numbers: int) -> int:
    return sum(seen.payload(number) is not None for number in range(numbers + 1))


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        (lambda _: b"{}", KEPT),
        (lambda _: b"x" * (MAX_PAYLOAD_BYTES // 4), 4),
        (lambda number: b"x" * (MAX_PAYLOAD_BYTES + 1 + number % 2), 0),
    ],
    ids=["many", "large", "too large"],
)
def test_payloads_are_bounded(seen: RecentRequests, body: Callable[[int], bytes], kept: int) -> None:
    """In number and in bytes: the oldest go, and the requests no longer link to them."""
    for number in range(1, KEPT + 10):
        seen.add(stored("a", body=body(number)))
    last = KEPT + 9
    assert count(seen, last) == kept
    summary = seen.summary(ServeStats())
    assert [each.number for each in summary.payloads] == [*range(last, last - kept, -1)]
    assert [each.number for each in summary.requests if each.has_payload] == [each.number for each in summary.payloads]


def test_what_was_refused_can_be_looked_at(seen: RecentRequests) -> None:
    """Its body, if there was one, is kept as that of any other request."""
    seen.add(refused("the body is not JSON", b"{"))
    seen.add(refused("no write key"))
    found = seen.payload(1)
    assert found is not None
    assert found.body == b"{"
    assert seen.payload(2) is None
    assert [each.has_payload for each in seen.summary(ServeStats()).requests] == [False, True]


def test_what_a_page_shows_can_be_looked_at(seen: RecentRequests) -> None:
    """However much has arrived since, until the summary after the next."""
    seen.add(stored("a"))
    for kept in (True, True, True, False):
        assert (seen.payload(1) is not None) == kept
        seen.summary(ServeStats())
        for _ in range(2 * KEPT):
            seen.add(stored("a"))


def test_refused_payloads_are_not_crowded_out(seen: RecentRequests) -> None:
    """They are what someone looks for."""
    seen.add(refused("the body is not JSON", b"{"))
    for _ in range(2 * KEPT):
        seen.add(stored("a"))
    summary = seen.summary(ServeStats())
    assert ([each.has_payload for each in summary.not_stored], 1 in {each.number for each in summary.payloads}) == (
        [True],
        False,
    )
    assert seen.payload(1) is not None
    for _ in range(KEPT):
        seen.add(refused("the body is not JSON", b"{"))
    assert seen.payload(1) is None


def test_payloads_are_checked_from_the_latest_on(seen: RecentRequests) -> None:
    for _ in range(3):
        seen.add(stored("a"))
    order: list[Any] = []
    while found := seen.unchecked():
        order.append(found.number)
        found.errors = found.number
    assert order == [3, 2, 1]
    assert [each.errors for each in seen.summary(ServeStats()).payloads] == [3, 2, 1]
