"""Laws of counting: nothing is lost or counted twice, however the input is divided."""

import json
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from td_currents_cli.braze import LATEST
from td_currents_cli.count import CountOutcome, CountRequest, run
from td_currents_cli.count.aggregate import TimeHistogram
from td_currents_cli.count.baseline import expectation
from td_currents_cli.count.dimensions import TimeBuckets, TimeUnit
from td_currents_cli.errors import ExitCode
from td_currents_cli.events.filter import Filter
from td_currents_cli.read import sources
from td_currents_cli.render import render
from td_currents_cli.render.terminal import Terminal

Event = dict[str, Any]

BY = ("event_type", "category", "channel", "hour", "day", "week", "month", "platform", "user.user_id")
EVENTS = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "event_type": st.sampled_from(
                ["users.messages.email.Open", "users.behaviors.Purchase", "new", "", None, 5]
            ),
            "id": st.sampled_from(["1", "2", "3", "4", None, ""]),
            "time": st.one_of(st.integers(1782860000, 1782960000), st.sampled_from([None, "x", "5", -1, 1.5, LATEST])),
            "user": st.one_of(st.none(), st.fixed_dictionaries({"user_id": st.sampled_from(["u", "v", None])})),
            "properties": st.one_of(
                st.none(),
                st.fixed_dictionaries(
                    {"platform": st.sampled_from(["ios", 'a,"b"', 1, '"a\tb\n', "\\N", "\ud800", "a\\"])}
                ),
            ),
        },
    ).map(lambda event: event or {"id": "9"}),
    max_size=12,
)
NAMES = st.lists(st.sampled_from(BY), min_size=1, max_size=3, unique=True).map(tuple)

law = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # other processes may take the time


def batches(events: Sequence[Event], size: int) -> str:
    cut = [events[at : at + size] for at in range(0, len(events), size)]
    return "".join(json.dumps({"events": each}) + "\n" for each in (*cut, []))


def count(folder: Path, *files: str, **options: Any) -> CountOutcome:
    for number, text in enumerate(files):
        (folder / f"{number}.jsonl").write_text(text, encoding="utf-8")
    paths = [str(folder / f"{number}.jsonl") for number in range(len(files))]
    return run(CountRequest(sources(paths), **options))


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("count")


@law
@given(EVENTS, NAMES)
def test_groups_add_up(folder: Path, events: list[Event], by: tuple[str, ...]) -> None:
    """Counts to all events, shares to 1, finer counts to coarser ones; different ids and users are sets."""
    text = batches(events, 3)
    outcome = count(folder, text, by=by, unique=True)
    assert sum(each.count for each in outcome.counts) == outcome.total.count == len(events)
    assert sum(each.share for each in outcome.counts) == pytest.approx(1 if events else 0)
    assert len({each.key for each in outcome.counts}) == len(outcome.counts)
    assert all(each.first <= each.last for each in outcome.counts if each.first and each.last)
    assert outcome.balance.balanced
    assert outcome.total.unique_events == len({event.get("id") for event in events} - {None, ""})
    assert outcome.total.unique_users == len({(event.get("user") or {}).get("user_id") for event in events} - {None})
    coarse: Counter[tuple[str | None, ...]] = Counter()
    for each in count(folder, text, by=(*by, "id")).counts:
        coarse[each.key[:-1]] += each.count
    assert {each.key: each.count for each in outcome.counts} == coarse


@law
@given(EVENTS, NAMES, st.integers(1, 5), st.integers(0, 12))
def test_batches_files_and_order_do_not_matter(
    folder: Path, events: list[Event], by: tuple[str, ...], size: int, cut: int
) -> None:
    whole = count(folder, batches(events, 100), by=by, unique=True)
    parts = count(folder, batches(events[cut:], size), batches(events[:cut], 1), by=by, unique=True)
    assert parts.counts == whole.counts
    assert parts.total == whole.total


@law
@given(EVENTS, NAMES)
def test_dedupe_of_the_same_input_twice(folder: Path, events: list[Event], by: tuple[str, ...]) -> None:
    """It gives the counts of the input once; every event with an id is a duplicate."""
    once = count(folder, batches(events, 3), by=by, dedupe=True)
    twice = count(folder, batches(events, 3), batches(events, 2), by=by, dedupe=True)
    with_id = sum(isinstance(event.get("id"), str) and event["id"] != "" for event in events)
    assert twice.balance.duplicates - once.balance.duplicates == with_id
    assert twice.balance.events_out - once.balance.events_out == len(events) - with_id
    assert twice.balance.balanced
    assert sum(each.duplicates or 0 for each in twice.counts) == twice.balance.duplicates


@law
@given(EVENTS, st.integers(1782860000, 1782960000))
def test_since_and_until_split_the_events(folder: Path, events: list[Event], moment: int) -> None:
    text = batches(events, 4)
    before, after = (count(folder, text, wanted=wanted) for wanted in (Filter(until=moment), Filter(since=moment)))
    timeless = sum(each.count for each in count(folder, text, by=("hour",)).counts if each.first is None)
    assert before.total.count + after.total.count + timeless == len(events)


@law
@given(events=EVENTS, by=NAMES, form=st.sampled_from(["json", "jsonl", "csv", "tsv"]))
@example(events=[{"id": "1", "event_type": "a", "properties": {"platform": "\ud800"}}], by=("platform",), form="csv")
def test_output_can_be_compared_with(folder: Path, events: list[Event], by: tuple[str, ...], form: str) -> None:
    """Counts in any format meet themselves as expectations, and have not changed."""
    outcome = count(folder, batches(events, 3), by=by)
    # No groups as JSON Lines are an empty file, which is refused: it may be what is left of a run that failed.
    assume(outcome.counts or form != "jsonl")
    path = folder / "counts"
    path.write_bytes(written(outcome, form))
    again = count(folder, batches(events, 3), by=by, expect=path, compare=path, fail_on_drop=0.0)
    assert again.checks is not None
    assert again.changes is not None
    assert not again.checks.failed
    assert len(again.checks.checks) == len(again.changes.changes) == len(outcome.counts)
    assert not again.changes.changed
    assert again.exit_code is ExitCode.OK


def written(outcome: CountOutcome, form: str) -> bytes:
    stream = TextIOWrapper(BytesIO(), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdout", stream)
        render(outcome, form, Terminal(quiet=True))
    return stream.detach().getvalue()


@law
@given(
    st.lists(st.one_of(st.none(), st.floats(0, LATEST), st.integers(0, LATEST)), max_size=20),
    st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kathmandu", "America/St_Johns", "Africa/Monrovia", "Pacific/Apia"]),
    st.sampled_from(TimeUnit),
)
@example([1792884600, 1792888200, 1792891800], "Europe/Berlin", TimeUnit.HOUR)
@example([LATEST], "Asia/Kathmandu", TimeUnit.DAY)
@example([1173583859, 1173583860, 1173583800, 2669, 2670], "America/St_Johns", TimeUnit.HOUR)
def test_buckets_do_not_depend_on_the_cache(times: list[float | None], zone: str, unit: TimeUnit) -> None:
    buckets = TimeBuckets(unit, ZoneInfo(zone))
    forms = {
        TimeUnit.HOUR: "%Y-%m-%dT%H:00",
        TimeUnit.DAY: "%Y-%m-%d",
        TimeUnit.WEEK: "%G-W%V",
        TimeUnit.MONTH: "%Y-%m",
    }

    def name(time: float | None) -> str | None:
        try:
            if time is None:
                return None
            moment = datetime.fromtimestamp(time, ZoneInfo(zone))
            is_second = moment.fold and unit is TimeUnit.HOUR
            return moment.strftime(forms[unit]) + (moment.isoformat(timespec="seconds")[19:] if is_second else "")
        except (OverflowError, ValueError):
            return None

    assert buckets.names(times) == list(map(name, times))
    assert buckets.names(times) == list(map(name, times))


@law
@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 10**7)), max_size=40),
    st.integers(0, 40),
    st.integers(1, 30),
)
def test_merged_histograms_lose_nothing(times: list[tuple[str, int]], cut: int, columns: int) -> None:
    """Merged from parts with bins of different widths."""
    together = TimeHistogram()
    for some in (times[:cut], times[cut:]):
        part = TimeHistogram()
        for key, time in some:
            part.add((key,), {time: 1})
        together.merge(part)
    for key, number in Counter(key for key, _time in times).items():
        heights = together.heights((key,), columns)
        assert sum(heights) == number
        assert len(heights) <= columns


@law
@given(
    st.integers(0, 10**6),
    st.integers(0, 10**6),
    st.sampled_from(["{}", ">={}", "<={}", "{}±0", "{}±5%", "{}+-7", "{} +/- 2.5 %"]),
)
def test_miss_is_the_smallest_correction(number: int, found: int, form: str) -> None:
    """A count minus its miss is as expected, and no smaller correction would do."""
    wanted = expectation(form.format(number), "here")
    miss = wanted.miss(found)
    assert wanted.miss(found - miss) == 0
    if miss:
        assert wanted.miss(found - miss + (1 if miss > 0 else -1)) != 0
    else:
        assert wanted.least <= found <= wanted.most
