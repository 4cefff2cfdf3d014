from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from td_currents_cli.braze import CANARY, LATEST
from td_currents_cli.errors import UsageError
from td_currents_cli.events.filter import (
    EventFilter,
    Filter,
    TypeGlobs,
    UsableTimes,
    iso,
    moment_of,
    seconds_of,
    usable_or_none,
    usable_seconds,
    zone_of,
)


@dataclass
class Event:
    event_type: Any = None
    time: Any = None


def kept(events_filter: EventFilter, events: list[Event]) -> list[Event]:
    return events_filter.filter(events, [event.event_type for event in events])


@pytest.mark.parametrize(
    ("globs", "meant"),
    [
        ([], ["a.b.Send", "a.c.Send", "a.b.Open", None, 5]),
        (["a.b.*"], ["a.b.Send", "a.b.Open"]),
        (["A.B.*"], ["a.b.Send", "a.b.Open"]),
        (["*.send"], ["a.b.Send", "a.c.Send"]),
        (["a.b.Send", "a.b.Open"], ["a.b.Send", "a.b.Open"]),
        (["!*.Send"], ["a.b.Open", None, 5]),
        (["a.b.*", "!*.Send"], ["a.b.Open"]),
        (["!*"], [None, 5]),
        (["*"], ["a.b.Send", "a.c.Send", "a.b.Open"]),
        (["a.[bc].Send"], ["a.b.Send", "a.c.Send"]),
    ],
)
def test_globs_select_event_types(globs: list[str], meant: list[object]) -> None:
    """Any glob is enough; `!` excludes; an event without a type is dropped if some glob includes types."""
    types = TypeGlobs.of(globs)
    events_filter = EventFilter(Filter(types=types))
    names: list[object] = ["a.b.Send", "a.c.Send", "a.b.Open", None, 5]
    assert [name for name in names if types(name)] == meant
    assert [event.event_type for event in kept(events_filter, [Event(name) for name in names])] == meant
    assert [name for name in names if events_filter.keeps(name, None)] == meant


def test_a_period_includes_its_start_and_not_its_end() -> None:
    """So that adjacent days share no event; an event without a usable time is in no period."""
    events = [Event("a", time) for time in [9, 10, 15.5, "19", 20, None, -1, "x"]]
    for wanted, times in (
        (Filter(since=10, until=20), [10, 15.5, "19"]),
        (Filter(since=10), [10, 15.5, "19", 20]),
        (Filter(until=10), [9]),
    ):
        assert [event.time for event in kept(EventFilter(wanted), events)] == times


def test_type_and_time_must_match() -> None:
    events_filter = EventFilter(Filter(types=TypeGlobs.of(["a"]), since=10))
    assert [events_filter.keeps(*each) for each in (("a", 10), ("a", 9), ("b", 10))] == [True, False, False]


def test_an_empty_filter_keeps_all_events() -> None:
    assert not Filter()
    assert Filter(since=0)
    assert Filter(types=TypeGlobs.of(["a"]))
    events = [Event(), Event("a", "x")]
    assert kept(EventFilter(Filter()), events) is events


def test_options_become_a_filter() -> None:
    wanted = Filter.of(types=["a.*, b.*", "!*.x"], since="-1m", until="1970-01-01T01:00", now=100)
    assert wanted == Filter(types=TypeGlobs(("a.*", "b.*"), ("*.x",)), since=40, until=3600, canaries=False)
    assert Filter.of(types=None, since=None, until=None, now=0) == Filter(canaries=False)


@pytest.mark.parametrize(
    ("types", "wanted"),
    [([], False), (["*"], False), (["users.*"], False), (["!users.*"], False)]
    + [([glob], True) for glob in ("tdcur.canary", "TDCUR.*", "a,tdcur.canary", "tdcur.c*")],
)
def test_canaries_are_left_out_unless_asked_for(types: list[str], wanted: bool) -> None:
    """By both ways through the filter, which count them."""
    found = Filter.of(types=types, since=None, until=None, now=0)
    assert found.canaries is wanted
    events = [Event(CANARY, 1), Event("users.x", 1)]
    at_once, one_by_one = EventFilter(found), EventFilter(found)
    assert (events[0] in kept(at_once, events)) is wanted
    assert one_by_one.keeps(CANARY, 1) is wanted
    assert at_once.canaries == one_by_one.canaries == (not wanted)


@pytest.mark.parametrize(
    ("types", "since", "until"),
    [(["a,"], None, None), ([""], None, None), (["!"], None, None), (None, "@10", "@10"), (None, "@11", "@10")],
)
def test_options_that_select_nothing(types: list[str] | None, since: str | None, until: str | None) -> None:
    """An empty glob or an empty period is most likely a mistake."""
    with pytest.raises(UsageError):
        Filter.of(types=types, since=since, until=until, now=0)


NOW = 1_790_000_000.0
JULY = datetime(2026, 7, 1, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("time", "seconds"),
    [
        (1790000000, 1790000000),
        (1790000000.5, 1790000000.5),
        ("1790000000", 1790000000),
        (0, 0),
        (LATEST, LATEST),
        *((each, None) for each in (LATEST + 1, 1790000000000000, -1, True, None, "", "1.5", "²", "\u0661")),
        *((each, None) for each in ("9" * 5000, float("inf"), float("nan"), "\ud800", [1])),
    ],
)
def test_usable_times(time: object, seconds: float | None) -> None:
    """UNIX seconds between 1970 and 9999, as a number or a string of digits; None for anything else."""
    assert usable_seconds(time) == seconds


@pytest.mark.parametrize("odd", [0, 1, -1, LATEST, LATEST + 1, True, False, None, "5", "x", 1.5, float("inf"), [1], {}])
@pytest.mark.parametrize("others", [[], [5, 7], [2, LATEST]])
def test_the_usable_ones_of_some_times(odd: object, others: list[object]) -> None:
    """The same as of each: whether one that is not a plain number is among them, comes first, or is alone."""
    for times in ([odd, *others], [*others, odd], others):
        each = [usable_seconds(time) for time in times]
        usable = [seconds for seconds in each if seconds is not None]
        found = UsableTimes.of(times)
        assert [(type(time), time) for time in found.times] == [(type(time), time) for time in usable]
        assert (found.first, found.last) == (min(usable, default=None), max(usable, default=None))
        assert usable_or_none(times) == each


def test_times_are_written_in_utc() -> None:
    assert iso(datetime(2026, 11, 20, 10, 0, 0, 999_999, UTC)) == "2026-11-20T10:00:00Z"
    assert iso(datetime(33, 4, 3, tzinfo=UTC)) == "0033-04-03T00:00:00Z"
    assert iso(moment_of(JULY)) == "2026-07-01T00:00:00Z"
    assert iso(moment_of(None)) is None


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2026-07-01", JULY),
        (" 2026-07-01 ", JULY),
        ("2026-07-01T10:30", JULY + 10.5 * 3600),
        ("2026-07-01 10:30:15", JULY + 10.5 * 3600 + 15),
        ("2026-07-01T10:30Z", JULY + 10.5 * 3600),
        ("2026-07-01T10:30+02:00", JULY + 8.5 * 3600),
        ("1790000000", NOW),
        ("@0", 0),
        ("@1790000000", NOW),
        ("-90s", NOW - 90),
        ("-15m", NOW - 900),
        ("-36h", NOW - 36 * 3600),
        ("-7d", NOW - 7 * 86_400),
        ("-2w", NOW - 14 * 86_400),
    ],
)
def test_values_of_since_and_until(text: str, seconds: float) -> None:
    """ISO 8601, in UTC by default; UNIX seconds; a time ago."""
    assert seconds_of(text, "--since", now=NOW, zone=UTC) == seconds


def test_a_date_without_a_zone_is_in_the_requested_zone() -> None:
    """A day begins at midnight of that zone; a zone of its own wins."""
    berlin = ZoneInfo("Europe/Berlin")
    assert seconds_of("2026-07-01", "--since", now=NOW, zone=berlin) == JULY - 7200
    assert seconds_of("2026-07-01T00:00Z", "--since", now=NOW, zone=berlin) == JULY


@pytest.mark.parametrize(
    "text",
    ["", "yesterday", "7d", "-7y", "-d", "20260701", "2026", "1790000000000", "@1790000000000", "2026-13-01", "\u0661"],
)
def test_invalid_values_of_since_and_until(text: str) -> None:
    """The message names the option; digits that could be a date or seconds are refused, too."""
    with pytest.raises(UsageError, match="--until"):
        seconds_of(text, "--until", now=NOW, zone=UTC)


def test_time_zones_by_name() -> None:
    assert zone_of("UTC") is UTC
    assert str(zone_of("Asia/Kathmandu")) == "Asia/Kathmandu"
    for unknown in ("Mars/Olympus", "", "../UTC", "Europe", "/etc/passwd", "\0"):
        with pytest.raises(UsageError, match="--timezone"):
            zone_of(unknown)
