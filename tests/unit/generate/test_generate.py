import json
import os
from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import islice, pairwise
from typing import Any, Final

import pytest
from msgspec.structs import replace

from td_currents_cli import catalog
from td_currents_cli.catalog import EventType, Field, FieldType, Where
from td_currents_cli.errors import UsageError
from td_currents_cli.generate import GenerateFormat, GenerateRequest
from td_currents_cli.generate.builder import DECK, DERIVED_TIMES, NEW_IDENTIFIERS, WEIGHTS, choose_types, shuffled_types
from td_currents_cli.generate.command import batches, lines
from td_currents_cli.generate.random_values import SeededRandom
from tests.command import tdcur

SENT: Final = [event for event in catalog.load().events.values() if event.http]
BY_DEFAULT: Final = {event.name for event in SENT if event.fields_published}

PYTHON_TYPES: Final[dict[FieldType, type]] = {
    FieldType.STRING: str,
    FieldType.INT: int,
    FieldType.LONG: int,
    FieldType.FLOAT: float,
    FieldType.BOOLEAN: bool,
    FieldType.STRINGS: list,
    FieldType.STRINGS_AND_NULLS: list,
    FieldType.OBJECT: dict,
}


def generated(**options: Any) -> Iterator[dict[str, Any]]:
    for line in lines(GenerateRequest(**options)):
        yield from json.loads(line)["events"]


def flaws(event: dict[str, Any], event_type: EventType) -> list[str]:
    found = []
    for where, members in ((Where.USER, event["user"]), (Where.PROPERTIES, event["properties"])):
        for name, value in members.items():
            field = event_type.field(name, where)
            if field is None or field.storage_only:
                found.append(f"{name}: not sent in {where}")
            elif type(value) is not PYTHON_TYPES[field.type]:
                found.append(f"{name}: not a {field.type}")
            elif field.enum and value not in field.enum:
                found.append(f"{name}: not one of its values")
        required = {field.name for field in event_type.fields if field.required and field.where is where}
        found += [f"{name}: missing" for name in sorted(required - members.keys())]
    return found


@pytest.mark.parametrize("event_type", SENT, ids=lambda event: event.name)
def test_events_are_what_the_catalog_says(event_type: EventType) -> None:
    """Every event has all required fields and no unknown one, each of its type and among its documented values."""
    seen: set[str] = set()
    for event in generated(events=150, types=(event_type.name,)):
        seen |= event["user"].keys() | event["properties"].keys()
        assert list(event) == ["event_type", "id", "time", "user", "properties"]
        assert event["event_type"] == event_type.name
        # Seconds as an integer for all types: what Braze sends over HTTP, whatever the storage schema calls it.
        assert type(event["time"]) is int
        assert flaws(event, event_type) == []
    # Every field occurs.
    expected = {field.name for field in event_type.fields if not field.storage_only and field.where is not Where.EVENT}
    assert expected - seen == set()


def test_a_field_the_makers_do_not_know_is_filled_by_its_type() -> None:
    """A newer catalog works before anyone has written values for its fields."""
    fields = [
        Field(name=f"new_{kind.name.lower()}", where=Where.PROPERTIES, type=kind, required=True) for kind in FieldType
    ]
    fields.append(Field(name="new_enum", where=Where.PROPERTIES, type=FieldType.STRING, required=True, enum=("x", "y")))
    purchase = catalog.load().events["users.behaviors.Purchase"]
    newer = replace(purchase, fields=(*purchase.fields, *fields))
    ((_, events),) = batches([newer], events=50, per_batch=50, seed=0, start=0)
    for text in events:
        assert flaws(json.loads(text), newer) == []


def test_every_field_of_today_has_values_of_its_own() -> None:
    """Nothing is filled with a placeholder, and no maker is kept for a field that is no longer sent."""
    values = {
        text for event in generated(events=3000) for text in event["properties"].values() if isinstance(text, str)
    }
    assert not values & {"alpha", "beta", "gamma"}
    names = {field.name for event in SENT for field in event.fields}
    assert {*NEW_IDENTIFIERS, *DERIVED_TIMES} <= names
    assert set(WEIGHTS) <= {event.name for event in SENT}


def test_the_default_run_has_every_type_by_weight() -> None:
    """Frequent types are frequent, rare ones rare but there."""
    types = Counter(event["event_type"] for event in generated(events=DECK))
    assert set(types) == BY_DEFAULT
    email = [types[f"users.messages.email.{what}"] for what in ("Send", "Delivery", "Open", "Click", "Bounce")]
    assert email == sorted(email, reverse=True)
    assert types["users.messages.rcs.Rejection"] == 1


def test_decks_are_shuffled() -> None:
    """Types do not come in the same order again and again."""
    dealt = shuffled_types(SENT, SeededRandom(0, "test"))
    first, second = list(islice(dealt, 500)), list(islice(dealt, 500, 1000))
    assert first != second


def test_users_and_campaigns_recur() -> None:
    """A user is the same in every event, with an external id, as Braze's export leaves out those without one.

    An event belongs to a campaign, to a Canvas, or to neither, as in Braze.
    """
    known = {event.name for event in SENT if event.field("external_user_id", Where.USER)}
    campaigns: set[str] = set()
    users: Counter[str] = Counter()
    facts: dict[str, set[tuple[str, Any]]] = defaultdict(set)
    for event in generated(events=10_000):
        user, properties = event["user"], event["properties"]
        assert "external_user_id" in user or event["event_type"] not in known
        assert not ("campaign_id" in properties and "canvas_id" in properties)
        assert "campaign_name" not in properties or "campaign_id" in properties
        campaigns |= {properties["campaign_id"]} if "campaign_id" in properties else set()
        if number := user.get("user_id"):
            users[number] += 1
            told = user | properties
            facts[number] |= {(n, told[n]) for n in ("external_user_id", "timezone", "email_address") if n in told}
    assert all(len(some) == len({name for name, _value in some}) for some in facts.values())
    assert sum(count for _user, count in users.most_common(len(users) // 10)) > users.total() / 4
    assert users.total() / len(users) > 3
    assert 100 < len(campaigns) < 1000


def test_time_moves_forward_with_late_events_now_and_then() -> None:
    """Batches arrive one after the other; nothing arrives before it happened, and few events are days late."""
    sent = list(batches(SENT, events=10_000, per_batch=100, seed=0, start=1_782_864_000))
    assert all(one <= other for (one, _), (other, _) in pairwise(sent))
    delays = [received - json.loads(text)["time"] for received, events in sent for text in events]
    assert min(delays) > 0
    late = sum(delay > 3600 for delay in delays)
    assert 0 < late < len(delays) / 100


def test_sizes_are_plausible() -> None:
    """An event is 0.2 to 1.5 kB, 0.9 kB in the mean, so that a batch is about 90 kB, as Braze's are."""
    types = choose_types(catalog.load(), ())
    made = batches(types, events=10_000, per_batch=100, seed=0, start=0)
    sizes = [len(text) for _, events in made for text in events]
    assert min(sizes) > 200
    assert max(sizes) < 1500
    assert 800 < sum(sizes) / len(sizes) < 1000


def test_pieces_come_before_all_is_made() -> None:
    """A run of any length starts at once and holds one batch at a time."""
    first = next(lines(GenerateRequest(events=10**12)))
    assert len(json.loads(first)["events"]) == 100


def test_another_seed_gives_other_events() -> None:
    runs = [list(generated(events=200, seed=seed)) for seed in (0, 1, -1)]
    for what in ("id", "user"):
        values = [{json.dumps(event[what]) for event in run if event[what]} for run in runs]
        assert len(set.union(*values)) == sum(map(len, values))


@pytest.mark.parametrize(
    "surroundings", [{"PYTHONHASHSEED": "1", "TZ": "Asia/Tokyo"}, {"PYTHONHASHSEED": "2", "LC_ALL": "C"}]
)
def test_the_surroundings_change_no_byte(surroundings: dict[str, str]) -> None:
    """Hash seed, time zone and locale of the process do not matter."""
    here = b"".join(lines(GenerateRequest(events=300, shape=GenerateFormat.rows_csv)))
    there = tdcur("generate", "--events", "300", "--shape", "rows-csv", env=os.environ | surroundings)
    assert there.stdout == here


def test_dice_are_the_same_everywhere() -> None:
    """These values hold on every Python: changing them changes what every seed gives.

    An amount is widened from 32 bits as Braze's are: the text is longer than what was meant.
    """
    dice = SeededRandom(0, "test")
    assert dice.uuid() == "f21ed330-9d45-41e3-8e2e-5bc33a743570"
    assert [dice.below(1000) for _ in range(5)] == [115, 262, 160, 26, 564]
    assert dice.amount(1, 100) == 48.209999084472656
    assert dice.some("abcdef", 4) == ["a", "e", "f"]


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        (("users.behaviors.Purchase",), {"users.behaviors.Purchase"}),
        (
            ("*.rcs.*", "!*.Abort", "!*.Re*", "!*.I*"),
            {f"users.messages.rcs.{w}" for w in ("Click", "Delivery", "Send")},
        ),
        (("*.RCS.send",), {"users.messages.rcs.Send"}),
        (("!users.*",), {"agentconsole.AgentExecuted", "agentconsole.ToolInvocation"}),
        ((), BY_DEFAULT),
        (("*.landingpage.*", "!*Form*"), {f"users.messages.landingpage.{w}" for w in ("Click", "Impression")}),
    ],
)
def test_types_are_chosen_by_globs(patterns: tuple[str, ...], expected: set[str]) -> None:
    """Globs add up, those with `!` take away, and only exclusions start from all."""
    assert {event.name for event in choose_types(catalog.load(), patterns)} == expected


@pytest.mark.parametrize(
    ("pattern", "message", "hint"),
    [
        ("users.message.email.Open", "no such event type", "Did you mean users.messages.email.Open?"),
        ("nothing.*", "no such event type", "`tdcur events` lists all types"),
        ("!nothing.*", "no such event type", "`tdcur events` lists all types"),
        ("users.RandomBucketNumberUpdate", "not sent over HTTP", "storage"),
        ("!*", "no event types left", "Remove"),
    ],
)
def test_a_glob_that_gives_nothing_is_said(pattern: str, message: str, hint: str) -> None:
    """A misspelled type is an error with a suggestion, never an empty output."""
    with pytest.raises(UsageError, match=message) as caught:
        lines(GenerateRequest(types=(pattern,)))
    assert hint in caught.value.hint
