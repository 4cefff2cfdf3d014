from dataclasses import dataclass
from typing import Any

import pytest

from td_currents_cli.errors import UsageError
from td_currents_cli.events.filter import EventFilter, Filter, TypeGlobs


@dataclass
class Event:
    event_type: Any = None
    time: Any = None


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
    assert [event.event_type for event in events_filter.filter([Event(name) for name in names])] == meant
    assert [name for name in names if events_filter.keeps(name, None)] == meant


def test_a_period_includes_its_start_and_not_its_end() -> None:
    """So that adjacent days share no event; an event without a usable time is in no period."""
    times = [9, 10, 15.5, "19", 20, None, -1, "x"]
    events_filter = EventFilter(Filter(since=10, until=20))
    assert [event.time for event in events_filter.filter([Event("a", time) for time in times])] == [10, 15.5, "19"]
    assert [event.time for event in EventFilter(Filter(since=10)).filter([Event("a", time) for time in times])][
        -1
    ] == 20
    assert [event.time for event in EventFilter(Filter(until=10)).filter([Event("a", time) for time in times])] == [9]


def test_type_and_time_must_match() -> None:
    events_filter = EventFilter(Filter(types=TypeGlobs.of(["a"]), since=10))
    assert [events_filter.keeps(*each) for each in (("a", 10), ("a", 9), ("b", 10))] == [True, False, False]


def test_an_empty_filter_keeps_all_events() -> None:
    assert not Filter()
    assert Filter(since=0)
    assert Filter(types=TypeGlobs.of(["a"]))
    events = [Event(), Event("a", "x")]
    assert EventFilter(Filter()).filter(events) == events


def test_options_become_a_filter() -> None:
    wanted = Filter.of(types=["a.*, b.*", "!*.x"], since="-1m", until="1970-01-01T01:00", now=100)
    assert wanted == Filter(types=TypeGlobs(("a.*", "b.*"), ("*.x",)), since=40, until=3600)
    assert Filter.of(types=None, since=None, until=None, now=0) == Filter()


@pytest.mark.parametrize(
    ("types", "since", "until"),
    [(["a,"], None, None), ([""], None, None), (["!"], None, None), (None, "@10", "@10"), (None, "@11", "@10")],
)
def test_options_that_select_nothing(types: list[str] | None, since: str | None, until: str | None) -> None:
    """An empty glob or an empty period is most likely a mistake."""
    with pytest.raises(UsageError):
        Filter.of(types=types, since=since, until=until, now=0)
