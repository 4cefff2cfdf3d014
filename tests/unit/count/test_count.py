import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from td_currents_cli.catalog import load
from td_currents_cli.choices import Sort
from td_currents_cli.count import CountOutcome, CountRequest, run
from td_currents_cli.errors import ExitCode, UsageError
from td_currents_cli.events.filter import Filter, TypeGlobs, iso, zone_of
from td_currents_cli.read import sources

Counter = Callable[..., CountOutcome]


@pytest.fixture
def count(tmp_path: Path) -> Counter:

    def counted(events: str | list[dict[str, Any]], **options: Any) -> CountOutcome:
        path = tmp_path / "events.jsonl"
        text = events if isinstance(events, str) else "\n".join(json.dumps({"event_type": "a"} | e) for e in events)
        path.write_text(text, encoding="utf-8")
        return run(CountRequest(sources([str(path)]), **options))

    return counted


def counts(outcome: CountOutcome) -> list[tuple[Any, ...]]:
    return [(*each.key, each.count) for each in outcome.counts]


def test_counts_are_in_descending_order(count: Counter) -> None:
    """Equal counts are sorted by type, a missing type last; shares are of all events."""
    names = ["b", "a", "c", "c"]
    events = ",".join(f'{{"event_type":"{name}"}}' for name in names) + ',{"id":"x"},{"event_type":5}'
    outcome = count(f'{{"events":[{events}]}}')
    assert counts(outcome) == [("c", 2), (None, 2), ("a", 1), ("b", 1)]
    assert [each.share for each in outcome.counts] == [2 / 6, 2 / 6, 1 / 6, 1 / 6]
    assert outcome.exit_code is ExitCode.OK


def test_first_and_last_time_of_each_type_and_of_all(count: Counter) -> None:
    """Only usable times count, in any order."""
    times = [("a", "30"), ("a", "10"), ("b", '"20"'), ("b", "null"), ("c", "1790000000000000")]
    outcome = count("\n".join(f'{{"event_type":"{name}","time":{time}}}' for name, time in times))
    assert [(*each.key, iso(each.first), iso(each.last)) for each in outcome.counts] == [
        ("a", "1970-01-01T00:00:10Z", "1970-01-01T00:00:30Z"),
        ("b", "1970-01-01T00:00:20Z", "1970-01-01T00:00:20Z"),
        ("c", None, None),
    ]
    assert (iso(outcome.total.first), iso(outcome.total.last)) == ("1970-01-01T00:00:10Z", "1970-01-01T00:00:30Z")


def test_the_balance_is_part_of_the_outcome(count: Counter) -> None:
    """Rejected rows and events make the run exit with 1."""
    outcome = count('{"events":[{"event_type":"a"},1]}\n{"events":5}\n')
    assert outcome.summary() == {
        "total": 1,
        "groups": 1,
        "types": 1,
        "first": None,
        "last": None,
        "rows": 2,
        "rows_rejected": 1,
        "events_read": 2,
        "events_rejected": 1,
        "duplicates": 0,
        "filtered": 0,
        "lost": 0,
        "problems": 2,
        "by": ("event_type",),
        "timezone": "UTC",
        "receive_times": False,
        "complete": False,
        "unknown_types": ("a",),
    }
    assert outcome.balance.balanced
    assert outcome.exit_code is ExitCode.FINDINGS


@pytest.mark.parametrize("place", ["user", "properties"])
def test_a_lone_surrogate_in_place_of_an_object(count: Counter, place: str) -> None:
    """There is no field in it, and no defect."""
    outcome = count(f'{{"event_type":"x","{place}":"\\ud800"}}', by=("a",))
    assert [(each.key, each.count) for each in outcome.counts] == [((None,), 1)]


def test_a_lone_surrogate_in_a_type_is_counted(count: Counter) -> None:
    outcome = count('{"event_type":"\\ud800","time":1e400}')
    assert [(each.key, each.count, each.first) for each in outcome.counts] == [(("\ud800",), 1, None)]


def test_dimensions(count: Counter) -> None:
    """Type, what the catalog derives from it, time, source, fields, and several of them."""
    events = [
        {"event_type": "users.messages.email.Open", "time": 1782864000, "properties": {"campaign_name": "x"}},
        {"event_type": "users.behaviors.Purchase", "time": 1782867600, "user": {"timezone": "Asia/Tokyo"}},
        {"event_type": "users.messages.teapot.Boil", "time": None},
    ]
    assert counts(count(events, by=("category", "channel"))) == [
        ("customer_behavior", "behaviors", 1),
        ("message_engagement", "email", 1),
        (None, "teapot", 1),
    ]
    assert counts(count(events, by=("hour",))) == [("2026-07-01T00:00", 1), ("2026-07-01T01:00", 1), (None, 1)]
    assert counts(count(events, by=("day", "week", "month"))) == [
        ("2026-07-01", "2026-W27", "2026-07", 2),
        (None,) * 3 + (1,),
    ]
    assert counts(count(events, by=("timezone",))) == [(None, 2), ("Asia/Tokyo", 1)]
    ((source, number),) = counts(count(events, by=("source",)))
    assert (Path(source).name, number) == ("events.jsonl", 3)


def test_days_depend_on_the_time_zone(count: Counter) -> None:
    events = [{"time": 1782860400}]
    for zone, day in (("UTC", "2026-06-30"), ("Europe/Berlin", "2026-07-01"), ("America/New_York", "2026-06-30")):
        assert counts(count(events, by=("day",), zone=zone_of(zone))) == [(day, 1)]


def test_buckets_at_unusual_clock_changes(count: Counter) -> None:
    """Clocks that change a minute after midnight, and offsets of minutes and seconds."""
    around = [{"time": 1173583800 + seconds} for seconds in (0, 59, 60, 899)]
    outcome = count(around, by=("hour",), zone=zone_of("America/St_Johns"))
    assert counts(outcome) == [("2007-03-11T00:00", 2), ("2007-03-11T01:00", 2)]
    liberia = count([{"time": 2669}, {"time": 2670}], by=("day",), zone=zone_of("Africa/Monrovia"))
    assert counts(liberia) == [("1969-12-31", 1), ("1970-01-01", 1)]


@pytest.mark.parametrize(
    ("zone", "time", "hours"),
    [
        ("Europe/Berlin", 1792888200, ["2026-10-25T02:00", "2026-10-25T02:00+01:00", "2026-10-25T03:00"]),
        ("America/New_York", 1793511000, ["2026-11-01T01:00", "2026-11-01T01:00-05:00", "2026-11-01T02:00"]),
    ],
)
def test_an_hour_that_occurs_twice(count: Counter, zone: str, time: int, hours: list[str]) -> None:
    """When clocks go back, it is two groups, in order."""
    outcome = count([{"time": time + 3600 * hour} for hour in range(3)], by=("hour",), zone=zone_of(zone))
    assert counts(outcome) == [(hour, 1) for hour in hours]


def test_rows_of_the_streaming_connector(count: Counter) -> None:
    """Their times are those of receipt."""
    row = {"event_type": "users.behaviors.Purchase", "time": 1782910000, "properties_price": 23}
    assert count([row, {"time": 1}], by=("day",)).summary()["receive_times"]
    assert not count([{"time": 1}]).summary()["receive_times"]


def test_the_last_second_of_the_year_9999(count: Counter) -> None:
    """In an eastern time zone it is in the year 10000, which has no bucket."""
    outcome = count([{"time": 253402300799}], by=("day",), zone=zone_of("Pacific/Auckland"))
    assert counts(outcome) == [(None, 1)]


@pytest.mark.parametrize(
    ("event", "value"),
    [
        ({"user": {"x": "u"}, "properties": {"x": "p"}, "x": "top"}, "u"),
        ({"user": {"x": None}, "properties": {"x": "p"}}, "p"),
        ({"user": None, "properties": {"x": "p"}}, "p"),
        ({"user": 5, "properties": {"x": "p"}}, "p"),
        ({"user": [1], "properties": "text", "x": "top"}, "top"),
        ({"x": "top"}, "top"),
        ({"user_x": "flat"}, "flat"),
        ({"properties_x": "flat"}, "flat"),
        ({"user": {}, "properties": {}}, None),
        ({"properties": {"x": True}}, "true"),
        ({"properties": {"x": 1}}, "1"),
        ({"properties": {"x": 1.5}}, "1.5"),
        ({"properties": {"x": 12345678901234567890}}, "12345678901234567890"),
        ({"properties": {"x": ["é", 1]}}, '["é",1]'),
        ({"properties": {"x": {"y": None}}}, '{"y":null}'),
        ({"properties": {"x": ""}}, None),
    ],
)
def test_field_without_a_path(count: Counter, event: dict[str, Any], value: str | None) -> None:
    """The first value in `user`, `properties` or a flat event; values other than strings as JSON."""
    assert counts(count([event], by=("x",))) == [(value, 1)]


@pytest.mark.parametrize(
    ("name", "value"),
    {
        "user.x": "u",
        "properties.x": "p",
        "properties.x.deeper": None,
        "id": "i",
        "time": "7",
        "properties.custom_properties.plan": "gold",
        "properties.custom_properties.none": None,
    }.items(),
)
def test_field_with_a_path(count: Counter, name: str, value: str | None) -> None:
    """Fields of the event itself need no path."""
    event = {
        "id": "i",
        "time": 7,
        "user": {"x": "u", "id": "other"},
        "properties": {"x": "p", "time": 8, "custom_properties": {"plan": "gold"}},
    }
    assert counts(count([event], by=(name,))) == [(value, 1)]


def test_prefixed_field_of_a_flat_event(count: Counter) -> None:
    """`tdcur parse` writes the dotted name as the name of the field."""
    assert counts(count([{"properties.x": "p", "x": "u"}], by=("properties.x", "x"))) == [("p", "u", 1)]


def test_string_and_number_written_alike_are_one_group(count: Counter) -> None:
    """People and CSV cannot tell them apart."""
    assert counts(count([{"x": "5"}, {"x": 5}, {"x": True}, {"x": 1}], by=("x",))) == [("5", 2), ("1", 1), ("true", 1)]


INVALID = ["", "user", "properties", "a.b", "user.", "a\nb", 'a"b', "\udcff"]


@pytest.mark.parametrize("by", [(), *((name,) for name in INVALID), ("day",) * 2, ("properties.x", "properties.x.y")])
def test_invalid_dimensions(count: Counter, by: tuple[str, ...]) -> None:
    with pytest.raises(UsageError):
        count([{}], by=by)


def test_filtered_events_are_in_the_balance(count: Counter) -> None:
    events = [{"event_type": name, "time": time} for name in ("a", "b") for time in (5, 10, 15)]
    outcome = count(events, wanted=Filter(types=TypeGlobs.of(["a"]), since=10))
    assert counts(outcome) == [("a", 2)]
    assert (outcome.balance.events_read, outcome.balance.filtered, outcome.balance.balanced) == (6, 4, True)
    assert outcome.counts[0].share == 1


def test_each_id_is_counted_once(count: Counter) -> None:
    """In the group of its first event; events without an id are not duplicates of each other."""
    events = [{"event_type": name, "id": each} for name, each in (("a", "1"), ("b", "1"), ("a", "1"), ("a", "2"))]
    outcome = count([*events, {}, {}, {"id": 5}, {"id": 5}], dedupe=True)
    assert [(*each.key, each.count, each.duplicates) for each in outcome.counts] == [("a", 6, 1), ("b", 0, 1)]
    assert outcome.total.duplicates == outcome.balance.duplicates == 2
    assert outcome.balance.balanced
    assert outcome.counts[0].as_dict(outcome.by)["duplicates"] == 1


def test_unique_events_and_users(count: Counter) -> None:
    """In each group and in total; a user is identified by Braze's id, else by the customer's."""
    events: list[dict[str, Any]] = [
        {"event_type": "a", "id": "1", "user": {"user_id": "u1", "external_user_id": "x"}},
        {"event_type": "a", "id": "1", "user": {"user_id": "u1", "external_user_id": "y"}},
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
    times = (("a", 2), ("a", 9), ("b", 1), ("c", 3), ("c", 4), ("c", 5))
    events = [{"event_type": name, "time": time} for name, time in times]
    assert "".join(each.key[0] or "" for each in count(events, sort=sort).counts) == names


def test_default_order_of_times(count: Counter) -> None:
    events = [{"time": 86400}, {"time": 0}, {"time": 86400}, {}]
    assert counts(count(events, by=("day",))) == [("1970-01-01", 1), ("1970-01-02", 2), (None, 1)]
    assert counts(count(events, by=("day",), sort=Sort.COUNT))[0] == ("1970-01-02", 2)
    assert counts(count(events, by=("day", "event_type")))[0] == ("1970-01-02", "a", 2)


def test_top_and_rest(count: Counter) -> None:
    """The rest is one group; the total includes it."""
    events = [{"event_type": name, "time": place} for place, name in enumerate("aaabbcd")]
    outcome = count(events, top=2)
    assert counts(outcome) == [("a", 3), ("b", 2)]
    assert outcome.rest is not None
    assert (outcome.others, outcome.rest.count, iso(outcome.rest.first)) == (2, 2, "1970-01-01T00:00:05Z")
    assert outcome.total.count == 7
    assert outcome.summary()["groups"] == 4
    assert outcome.as_dict()["rest"]["groups"] == 2  # type: ignore[index]  # an object
    assert count(events, top=4).rest is None


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


@pytest.mark.parametrize("options", [{"by": ("day",)}, {"by": ("event_type", "day")}, {"by": ("channel",)}])
def test_types_without_events_have_no_day(count: Counter, options: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="--all-types"):
        count([{}], all_types=True, **options)


def test_a_pivot(count: Counter) -> None:
    events = [{"event_type": name, "time": time} for name, time in (("a", 90000), ("b", 0), ("b", 90000), ("c", None))]
    outcome = count(events, by=("event_type", "day"), pivot="day", top=2, all_types=True)
    assert outcome.pivot is not None
    assert outcome.pivot.columns == ("1970-01-01", "1970-01-02", None)
    assert [(row.key, row.cells, row.total) for row in outcome.pivot.rows] == [
        (("b",), (1, 1, 0), 2),
        (("a",), (0, 1, 0), 1),
    ]
    assert outcome.pivot.rest is not None
    assert outcome.pivot.rest.cells == (0, 0, 1)
    assert outcome.pivot.others == 1 + sum(event.http for event in load().events.values())
    assert outcome.pivot.total.cells == (1, 2, 1)


@pytest.mark.parametrize("options", [{"pivot": "day"}, {"pivot": "event_type"}, {"fail_on_drop": 0.3}])
def test_options_that_need_another(count: Counter, options: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        count([{}], **options)


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
    events = [
        {"event_type": name, "time": time} for name, time in (("a", 0), ("a", 9), ("b", 4), ("b", 5), ("b", None))
    ]
    bins = count(events, over_time=True).histogram
    assert bins is not None
    assert bins.heights(("a",), 5) == [1, 0, 0, 0, 1]
    assert bins.heights(("b",), 5) == [0, 0, 2, 0, 0]
    assert bins.heights(("c",), 2) == [0, 0]
    assert bins.heights(("a",), 99) == [1, 0, 0, 0, 0, 0, 0, 0, 0, 1]
    assert count(events).histogram is None
