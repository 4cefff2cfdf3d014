import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import pytest

from td_currents_cli.catalog import load
from td_currents_cli.choices import Sort
from td_currents_cli.count import CountOutcome, CountRequest, run
from td_currents_cli.errors import ExitCode, UsageError
from td_currents_cli.events.filter import Filter, TypeGlobs, iso, zone_of
from td_currents_cli.read import sources

Counter = Callable[..., CountOutcome]
Event = dict[str, Any]


@pytest.fixture
def count(tmp_path: Path) -> Counter:
    """Counts events, which have a type unless they say otherwise, or any other text."""

    def counted(events: str | list[Event], **options: Any) -> CountOutcome:
        path = tmp_path / "events.jsonl"
        text = events if isinstance(events, str) else "\n".join(json.dumps({"event_type": "a"} | e) for e in events)
        path.write_text(text, encoding="utf-8")
        return run(CountRequest(sources([str(path)]), **options))

    return counted


def counts(outcome: CountOutcome) -> list[tuple[Any, ...]]:
    return [(*each.key, each.count) for each in outcome.counts]


def times(*seconds: float | None) -> list[Event]:
    return [{"time": each} for each in seconds]


def types(names: str) -> list[Event]:
    """Events with a type of one letter each, a second after another."""
    return [{"event_type": name, "time": place} for place, name in enumerate(names)]


DAYS: Final = times(86400, 0, 86400, None)
TEAPOT: Final = [{"event_type": "users.messages.teapot.Boil"}]


@pytest.mark.parametrize(
    ("events", "by", "expected"),
    [
        pytest.param(TEAPOT, "category,channel", [(None, "teapot", 1)], id="a type that is not in the catalog"),
        pytest.param(DAYS, "day", [("1970-01-01", 1), ("1970-01-02", 2), (None, 1)], id="times are in their order"),
        (DAYS, "day,event_type", [("1970-01-02", "a", 2), ("1970-01-01", "a", 1), (None, "a", 1)]),
        pytest.param([{"x": "5"}, {"x": 5}], "x", [("5", 2)], id="people and CSV cannot tell them apart"),
        pytest.param([{"x": True}, {"x": 1}], "x", [("1", 1), ("true", 1)], id="but these"),
        pytest.param([{"properties.x": "p", "x": "u"}], "properties.x,x", [("p", "u", 1)], id="a dotted name of parse"),
        pytest.param([{"user": "\ud800"}], "a", [(None, 1)], id="a lone surrogate in place of an object"),
        ([{"properties": "\ud800"}], "a", [(None, 1)]),
    ],
)
def test_dimensions(count: Counter, events: list[Event], by: str, expected: list[Any]) -> None:
    assert counts(count(events, by=tuple(by.split(",")))) == expected


def test_an_hour_that_occurs_twice_is_two_groups_in_order(count: Counter) -> None:
    events = times(*(1793511000 + 3600 * hour for hour in range(3)))
    hours = ["2026-11-01T01:00", "2026-11-01T01:00-05:00", "2026-11-01T02:00"]
    assert counts(count(events, by=("hour",), zone=zone_of("America/New_York"))) == [(hour, 1) for hour in hours]


PATHS: Final[Event] = {
    "id": "i",
    "time": 7,
    "user": {"x": "u", "id": "other"},
    "properties": {"x": "p", "time": 8, "custom_properties": {"plan": "gold"}},
}


@pytest.mark.parametrize(
    ("event", "name", "value"),
    [
        ({"user": {"x": "u"}, "properties": {"x": "p"}, "x": "top"}, "x", "u"),
        ({"user": {"x": None}, "properties": {"x": "p"}}, "x", "p"),
        ({"user": None, "properties": {"x": "p"}}, "x", "p"),
        ({"user": 5, "properties": {"x": "p"}}, "x", "p"),
        ({"user": [1], "properties": "text", "x": "top"}, "x", "top"),
        ({"x": "top"}, "x", "top"),
        ({"user_x": "flat"}, "x", "flat"),
        ({"properties_x": "flat"}, "x", "flat"),
        ({"user": {}, "properties": {}}, "x", None),
        ({"properties": {"x": True}}, "x", "true"),
        ({"properties": {"x": 1}}, "x", "1"),
        ({"properties": {"x": 1.5}}, "x", "1.5"),
        ({"properties": {"x": 12345678901234567890}}, "x", "12345678901234567890"),
        ({"properties": {"x": ["é", 1]}}, "x", '["é",1]'),
        ({"properties": {"x": {"y": None}}}, "x", '{"y":null}'),
        ({"properties": {"x": ""}}, "x", None),
        (PATHS, "user.x", "u"),
        (PATHS, "properties.x", "p"),
        (PATHS, "properties.x.deeper", None),
        (PATHS, "id", "i"),
        (PATHS, "time", "7"),
        (PATHS, "properties.custom_properties.plan", "gold"),
        (PATHS, "properties.custom_properties.none", None),
    ],
)
def test_fields(count: Counter, event: Event, name: str, value: str | None) -> None:
    """The first value in `user`, `properties` or a flat event, or that at a path; other than strings, as JSON."""
    assert counts(count([event], by=(name,))) == [(value, 1)]


INVALID = ["", "user", "properties", "a.b", "user.", "a\nb", 'a"b', "\udcff"]


@pytest.mark.parametrize(
    "options",
    [
        *({"by": by} for by in ((), *((name,) for name in INVALID), ("day",) * 2, ("properties.x", "properties.x.y"))),
        {"pivot": "day"},
        {"pivot": "event_type"},
        {"fail_on_drop": 0.3},
        *({"by": tuple(by.split(",")), "all_types": True} for by in ("day", "event_type,day", "channel")),
    ],
)
def test_invalid_options(count: Counter, options: dict[str, Any]) -> None:
    """Names that are no fields, options that need another; types without events have no day."""
    with pytest.raises(UsageError, match="--all-types" if "all_types" in options else None):
        count([{}], **options)


def test_order_shares_and_times(count: Counter) -> None:
    """Equal counts are in the order of types, a missing one last; only usable times count, in any order."""
    pairs = [("c", "30"), ("c", '"10"'), ("a", '"20"'), ("b", "1790000000000000")]
    text = "\n".join(f'{{"event_type":"{name}","time":{time}}}' for name, time in pairs)
    outcome = count(text + '\n{"event_type":null}\n{"event_type":5,"time":null}')
    assert [
        (*each.key, each.count, each.share, seconds(each.first), seconds(each.last)) for each in outcome.counts
    ] == [
        ("c", 2, 2 / 6, 10, 30),
        (None, 2, 2 / 6, None, None),
        ("a", 1, 1 / 6, 20, 20),
        ("b", 1, 1 / 6, None, None),
    ]
    assert (iso(outcome.total.first), iso(outcome.total.last)) == ("1970-01-01T00:00:10Z", "1970-01-01T00:00:30Z")
    assert outcome.exit_code is ExitCode.OK


def seconds(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()


def test_a_lone_surrogate_in_a_type_is_counted(count: Counter) -> None:
    outcome = count('{"event_type":"\\ud800","time":1e400}')
    assert [(each.key, each.count, each.first) for each in outcome.counts] == [(("\ud800",), 1, None)]


def test_the_balance_is_part_of_the_outcome(count: Counter) -> None:
    """Rejected rows and events make the run exit with 1."""
    outcome = count('{"events":[{"event_type":"a"},1]}\n{"events":5}\n')
    numbers = {
        0: ("rows_truncated", "duplicates", "filtered", "canaries", "lost"),
        1: ("total", "groups", "types", "rows_rejected", "events_rejected"),
        2: ("rows", "events_read", "problems"),
        None: ("first", "last"),
    }
    assert outcome.summary() == {name: number for number, names in numbers.items() for name in names} | {
        "by": ("event_type",),
        "timezone": "UTC",
        "receive_times": False,
        "complete": False,
        "unknown_types": ("a",),
    }
    assert outcome.balance.balanced
    assert outcome.exit_code is ExitCode.FINDINGS


def test_rows_of_the_streaming_connector(count: Counter) -> None:
    """Their times are those of receipt."""
    row = {"event_type": "users.behaviors.Purchase", "time": 1782910000, "properties_price": 23}
    assert count([row, {"time": 1}], by=("day",)).summary()["receive_times"]
    assert not count([{"time": 1}]).summary()["receive_times"]


def test_unique_events_and_users(count: Counter) -> None:
    """In each group and in total; a user is identified by Braze's id, else by the customer's."""
    events: list[Event] = [
        {"id": "1", "user": {"user_id": "u1", "external_user_id": "x"}},
        {"id": "1", "user": {"user_id": "u1", "external_user_id": "y"}},
        {"event_type": "b", "id": "1", "user": {"user_id": "u2", "external_user_id": "x"}},
        {"event_type": "b", "id": "2", "external_user_id": "u1"},
        {"event_type": "b"},
    ]
    outcome = count(events, unique=True)
    assert [(*each.key, each.unique_events, each.unique_users) for each in outcome.counts] == [("b", 2, 2), ("a", 1, 1)]
    assert (outcome.total.unique_events, outcome.total.unique_users) == (2, 2)
    assert outcome.summary()["unique_users"] == 2
    assert outcome.counts[0].duplicates is None
    assert outcome.balance.duplicates == 0


def test_ids_that_do_not_fit_into_memory(count: Counter) -> None:
    """They spill to disk, which is reported and does not change the counts."""
    events = [{"id": str(number % 30), "user": {"user_id": str(number % 7)}} for number in range(90)]
    few = count(events, dedupe=True, unique=True, limit=20)
    assert few.spilled > 0
    assert few.counts == count(events, dedupe=True, unique=True).counts


@pytest.mark.parametrize(
    ("sort", "names"), [(None, "cab"), (Sort.COUNT, "cab"), (Sort.NAME, "abc"), (Sort.FIRST, "bac"), (Sort.LAST, "acb")]
)
def test_groups_can_be_sorted(count: Counter, sort: Sort | None, names: str) -> None:
    assert "".join(each.key[0] or "" for each in count(types("bacccca"), sort=sort).counts) == names


def test_top_and_rest(count: Counter) -> None:
    """The rest is one group; the total includes it."""
    outcome = count(types("aaabbcd"), top=2)
    assert counts(outcome) == [("a", 3), ("b", 2)]
    assert outcome.rest is not None
    assert (outcome.others, outcome.rest.count, iso(outcome.rest.first)) == (2, 2, "1970-01-01T00:00:05Z")
    assert outcome.total.count == 7
    assert outcome.summary()["groups"] == 4
    assert outcome.as_dict()["rest"]["groups"] == 2  # type: ignore[index]  # an object
    assert count(types("aaabbcd"), top=4).rest is None


def test_all_types_of_the_catalog(count: Counter) -> None:
    """Types that arrive over HTTP and pass the filter have a count of 0; others appear only with events."""
    http = {event.name for event in load().events.values() if event.http}
    outcome = count([{"event_type": "users.messages.email.Open"}, {"event_type": "new"}], all_types=True)
    assert {each.key[0] for each in outcome.counts} == http | {"new"}
    assert sum(each.count for each in outcome.counts) == 2
    assert outcome.unknown_types == ("new",)
    some = count([{}], all_types=True, by=("event_type", "channel"), wanted=Filter(types=TypeGlobs.of(["*.sms.*"])))
    assert {each.key[1] for each in some.counts} == {"sms"}
    assert all(each.share == 0 for each in some.counts)


def test_a_pivot(count: Counter) -> None:
    events = [{"event_type": name, "time": time} for name, time in (("a", 90000), ("b", 0), ("b", 90000), ("c", None))]
    pivot = count(events, by=("event_type", "day"), pivot="day", top=2, all_types=True).pivot
    assert pivot is not None
    assert pivot.columns == ("1970-01-01", "1970-01-02", None)
    assert [(row.key, row.cells, row.total) for row in pivot.rows] == [(("b",), (1, 1, 0), 2), (("a",), (0, 1, 0), 1)]
    assert pivot.rest is not None
    assert pivot.rest.cells == (0, 0, 1)
    assert pivot.others == 1 + sum(event.http for event in load().events.values())
    assert pivot.total.cells == (1, 2, 1)


def test_absent_fields(count: Counter) -> None:
    """They are reported, unless there are no events at all."""
    assert count([{"x": 1}], by=("x", "campaign_name")).absent_fields == ("campaign_name",)
    assert count([], by=("campaing_name",)).absent_fields == ()


@pytest.mark.parametrize(
    ("name", "near"),
    [("evnt_type", "event_type"), ("campaing_name", "campaign_name"), ("properties.platfrom", "platform")],
)
def test_a_field_that_no_event_has_and_that_resembles_a_known_name(count: Counter, name: str, near: str) -> None:
    """It is misspelled: all events would be in one group without a value."""
    with pytest.raises(UsageError, match=f"no event has the field `{name}`") as caught:
        count([{"x": 1}], by=("x", name))
    assert caught.value.hint == f"Did you mean --by {near}?"


def test_counts_over_time(count: Counter) -> None:
    """Up to that many bins between the first and the last event of all groups."""
    pairs = (("a", 0), ("a", 9), ("b", 4), ("b", 5), ("b", None))
    bins = count([{"event_type": name, "time": time} for name, time in pairs], over_time=True).histogram
    assert bins is not None
    for name, columns, heights in (
        ("a", 5, [1, 0, 0, 0, 1]),
        ("b", 5, [0, 0, 2, 0, 0]),
        ("c", 2, [0, 0]),
        ("a", 99, [1, 0, 0, 0, 0, 0, 0, 0, 0, 1]),
    ):
        assert bins.heights((name,), columns) == heights
    assert count([{}]).histogram is None
