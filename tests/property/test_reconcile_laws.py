"""Laws of comparing what was sent with what arrived."""

import json
import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from td_currents_cli.errors import ExitCode
from td_currents_cli.events.filter import Filter
from td_currents_cli.events.flatten import flatten
from td_currents_cli.events.json import loads
from td_currents_cli.read import sources
from td_currents_cli.reconcile import DiffKind, ReconcileOutcome, ReconcileRequest, TimeScope, run
from td_currents_cli.reconcile.content_hash import content_digest
from td_currents_cli.reconcile.file_side import FileSide

Event = dict[str, Any]

law = settings(deadline=None, max_examples=40)

VALUES = st.recursive(
    st.sampled_from([None, True, 0, 1, -1, 1.5, 10**15, 2**70, "", "1", "é", "\u2028", "[", "{x", "UTC", "\ud800"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=3,
)
NAMES = st.sampled_from(["a", "b", "user", "properties", "time", "id", "user.a", "properties.a", "user.user.a", "."])
MEMBERS = st.dictionaries(NAMES, VALUES, max_size=3)
EVENTS = st.fixed_dictionaries(
    {"id": st.sampled_from("12345")},
    optional={
        "event_type": st.sampled_from(["users.messages.email.Open", "users.behaviors.Purchase", 5]),
        "time": st.sampled_from([None, "x", 1782900000, 1782900060, 1782986400.5]),
        "user": st.none() | MEMBERS,
        "properties": st.none() | MEMBERS,
    },
)
SIDES = st.lists(EVENTS, max_size=8)


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("reconcile")


def side(path: Path, events: Sequence[Event], size: int = 3) -> FileSide:
    """A file of batches of that many events."""
    cut = [events[at : at + size] for at in range(0, len(events), size)]
    path.write_text("".join(json.dumps({"events": each}) + "\n" for each in (*cut, [])), encoding="utf-8")
    return FileSide(sources([str(path)]))


def reconcile(
    folder: Path, sent: Sequence[Event], ingested: Sequence[Event], size: int = 3, **options: Any
) -> ReconcileOutcome:
    return run(ReconcileRequest(side(folder / "sent", sent), side(folder / "in", ingested, size), **options))


def counts(outcome: ReconcileOutcome) -> dict[DiffKind, int]:
    return {kind: difference.count for kind, difference in outcome.differences.items()}


@law
@given(SIDES, st.randoms(use_true_random=False), st.integers(1, 4))
def test_a_set_against_itself_is_clean(folder: Path, events: list[Event], shuffled: random.Random, size: int) -> None:
    """For any batches and any order; repeated ids are duplicated."""
    others = shuffled.sample(events, len(events))
    outcome = reconcile(folder, events, others, size)
    ids = Counter(event["id"] for event in events)
    assert outcome.exit_code is ExitCode.OK
    assert outcome.matched == len(ids)
    assert counts(outcome) == dict.fromkeys(DiffKind, 0) | {
        DiffKind.DUPLICATED: sum(count > 1 for count in ids.values())
    }


@law
@given(SIDES, SIDES)
def test_differences_equal_those_of_sets(folder: Path, one: list[Event], other: list[Event]) -> None:
    """In total and by type, in memory and on disk; swapping the sides swaps missing and unexpected events."""
    outcome = reconcile(folder, one, other, show=9)
    sent, ingested = ({event["id"] for event in events} for events in (one, other))
    assert set(outcome.differences[DiffKind.MISSING].examples) == sent - ingested
    assert set(outcome.differences[DiffKind.UNEXPECTED].examples) == ingested - sent
    assert outcome.matched + counts(outcome)[DiffKind.CHANGED] == len(sent & ingested)
    by_type = outcome.summary()["by_type"]
    assert isinstance(by_type, dict)
    for kind, number in counts(outcome).items():
        assert sum(figures[kind] for figures in by_type.values()) == number
    assert all(each["sent"] == each["matched"] + each["missing"] + each["changed"] for each in by_type.values())
    assert sum(each["ingested"] for each in by_type.values()) == len(ingested)
    outside = reconcile(folder, one, other, show=9, limit=0)
    assert outside.spilled == 33 * (len(one) + len(other))
    assert outside.as_dict() | {"summary": None} == outcome.as_dict() | {"summary": None}
    back = reconcile(folder, other, one, show=9)
    assert outcome.differences[DiffKind.MISSING] == back.differences[DiffKind.UNEXPECTED]
    assert outcome.differences[DiffKind.UNEXPECTED] == back.differences[DiffKind.MISSING]
    assert (outcome.sent.ids, outcome.ingested.ids) == (back.ingested.ids, back.sent.ids)
    assert outcome.balanced
    assert back.balanced


@law
@given(SIDES, SIDES)
def test_resend_file_completes_the_ingested_side(folder: Path, one: list[Event], other: list[Event]) -> None:
    """With its events added, none is missing; their ids are the missing ones."""
    resend, ids = folder / "resend.jsonl", folder / "ids"
    before = reconcile(folder, one, other, show=9, resend=resend, ids=ids)
    again = [event for line in resend.read_text("utf-8").splitlines() for event in json.loads(line)["events"]]
    assert [event["id"] for event in again] == ids.read_text("utf-8").split()
    assert tuple(event["id"] for event in again) == before.differences[DiffKind.MISSING].examples
    after = reconcile(folder, one, [*other, *again])
    assert counts(after)[DiffKind.MISSING] == 0
    assert counts(after)[DiffKind.CHANGED] == counts(before)[DiffKind.CHANGED]


@law
@given(EVENTS, st.randoms(use_true_random=False))
@example(
    {"id": "1", "user": {"a": None, "user.a": True, "user.user.a": None}, "properties": {"user.user.a": None}},
    random.Random(0),
)
def test_content_does_not_depend_on_how_an_event_is_written(event: Event, shuffled: random.Random) -> None:
    """Fields in any order, flat, or without nulls; another value changes it."""
    content = content_digest(event)
    assert content_digest({name: event[name] for name in shuffled.sample(list(event), len(event))}) == content
    assert content_digest(loads(flatten(json.dumps(event).encode()))) == content
    assert content_digest(event | {"new": 1}) != content
    assert content_digest(event | {"new": None}) == content
    for place in ("user", "properties"):
        if event.get(place):
            bare = {name: value for name, value in event[place].items() if value is not None}
            assert content_digest(event | {place: bare}) == content


def is_same(one: Any, other: Any) -> bool:
    """Whether two JSON values are equal: in Python, True == 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(is_same(one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(is_same, one, other))
    return bool(one == other)


@law
@given(VALUES, VALUES)
@example(1, True)
@example([0], [False])
@example({"a": 1}, {"a": 1.0})
@example([], {})
@example("1", 1)
def test_other_values_change_the_content(one: Any, other: Any) -> None:
    first, second = ({"id": "1", "properties": {"a": value, "b": None}} for value in (one, other))
    assert (content_digest(first) == content_digest(second)) is is_same(one, other)


TIMES = st.integers(0, 9)
SCOPES = st.builds(
    lambda since, until, settled: TimeScope(Filter(since=since, until=until), settled), TIMES, TIMES, st.none() | TIMES
)
TIMES_OF_IDS = st.dictionaries(st.sampled_from("12345"), TIMES, max_size=5)


@law
@given(times=TIMES_OF_IDS, delays=TIMES_OF_IDS, scope=SCOPES, swapped=st.booleans())
def test_the_period_of_streaming_rows(
    folder: Path, times: dict[str, int], delays: dict[str, int], scope: TimeScope, *, swapped: bool
) -> None:
    """They have receive times: an id is in the period if its event on the other side is, whenever it was received.

    One that the other side does not have is in the period if it was received in it.
    """
    events = [
        {"id": each, "event_type": "users.behaviors.Uninstall", "time": time, "user": {"user_id": "u"}}
        for each, time in times.items()
    ]
    received = {each: times.get(each, 4) + delay for each, delay in delays.items()}
    rows = [
        {"id": each, "event_type": "users.behaviors.Uninstall", "time": time, "user_user_id": "u"}
        for each, time in received.items()
    ]
    (folder / "rows").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    sides = [side(folder / "sent", events), FileSide(sources([str(folder / "rows")]))]
    outcome = run(ReconcileRequest(*(reversed(sides) if swapped else sides), scope=scope, show=9))

    def is_inside(time: int) -> bool:
        return scope.wanted.covers(time) and not scope.is_too_young(time)

    inside = {each for each, time in times.items() if is_inside(time)}
    others = {each for each in received.keys() - times.keys() if is_inside(received[each])}
    kinds = (DiffKind.UNEXPECTED, DiffKind.MISSING) if swapped else (DiffKind.MISSING, DiffKind.UNEXPECTED)
    assert [set(outcome.differences[kind].examples) for kind in kinds] == [inside - received.keys(), others]
    assert outcome.matched == len(inside & received.keys())
    assert outcome.balanced
    of_events, of_rows = (outcome.ingested, outcome.sent) if swapped else (outcome.sent, outcome.ingested)
    assert of_events.counts.left_out == len(times) - len(inside)
    assert of_rows.counts.left_out == len(received) - len(inside & received.keys()) - len(others)
