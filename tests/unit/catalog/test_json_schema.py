import copy
import json
import random
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

import jsonschema_rs
import orjson
import pytest

from td_currents_cli import catalog
from td_currents_cli.catalog import Catalog, EventType, FieldType, Where
from td_currents_cli.catalog.json_schema import SchemaForm, json_schema
from td_currents_cli.catalog.overlay import overlaid
from td_currents_cli.generate import START, GenerateRequest
from td_currents_cli.generate.command import lines
from td_currents_cli.model import Batch, Code, Location, Severity
from td_currents_cli.validate.checker import Checker
from td_currents_cli.validate.rules import MILLISECONDS, RULES
from tests.command import tdcur

CATALOG: Final = catalog.load()
EVENTS: Final = tuple(CATALOG.events.values())
OPEN: Final = "users.messages.email.Open"
CUSTOM: Final = "users.behaviors.CustomEvent"
PURCHASE: Final = "users.behaviors.Purchase"

NOT_IN_CATALOG: Final = {
    *(Code.UNKNOWN_EVENT_TYPE, Code.UNKNOWN_FIELD, Code.MISPLACED_FIELD),
    *(Code.VALUE_NOT_IN_SET, Code.UNKNOWN_MEMBER, Code.OTHER_KEY),
}
"""What the strict form refuses in addition to errors."""

VALUES: Final[tuple[Any, ...]] = (None, "text", "", 7, -1, 1.5, True, [], ["a"], [1], [None], {}, {"a": 1})
"""A value of each kind that a rule may care for. No 1.0: there the two differ."""

OVERLAY: Final = overlaid(
    CATALOG,
    b"""{
      "event_types": {
        "shop+web.Visit(ed)": {"description": "A shop was visited.", "fields": {
          "shop": {"type": "string", "required": true},
          "floor": {"type": "int"},
          "card": {"in": "user", "type": "string"}}},
        "shop+web.Left/~100%": {"description": "A shop was left."},
        "users.messages.email.Open": {"fields": {
          "campaign_id": {"required": true}, "machine_open": {"until": "9"}, "seconds": {"type": "float"}}}
      },
      "custom_events": {
        "added to cart": {"sku": {"type": "string", "required": true}, "size": {"type": "string", "enum": ["S", "M"]}},
        "~/%": {"n": {"type": "int"}}
      },
      "purchase_properties": {"color": {"type": "string"}}
    }""",
    "overlay.json",
)


CATALOGS: Final = {"catalog": CATALOG, "overlay": OVERLAY}


def schema_of(known: Catalog, form: SchemaForm, events: Sequence[EventType] = ()) -> dict[str, Any]:
    return json_schema(known, events or tuple(known.events.values()), form, RULES.values())


@cache
def validator(form: SchemaForm, which: str = "catalog") -> Any:
    return jsonschema_rs.validator_for(schema_of(CATALOGS[which], form))


@cache
def checker(which: str) -> Checker:
    """`tdcur validate`, with the time of the generated events as its present."""
    return Checker(CATALOGS[which], START + 86_400, fast=False)


def codes(document: Any, which: str = "catalog") -> set[Code]:
    batch = Batch(orjson.dumps(document), Location("test.json"))
    return {problem.code for checked in checker(which)(batch) for problem in checked.problems}


def hold_to(found: set[Code], document: Any, which: str = "catalog") -> bool:
    """Hold both forms to what was reported; whether any of it is an error."""
    errors = any(RULES[code].severity is Severity.ERROR for code in found)
    unknown = bool(found & NOT_IN_CATALOG)
    assert validator(SchemaForm.TOLERANT, which).is_valid(document) is not errors, (document, found)
    assert validator(SchemaForm.STRICT, which).is_valid(document) is not (errors or unknown), (document, found)
    return errors


def assert_agree(document: Any, which: str = "catalog") -> bool:
    """Hold both forms to what `tdcur validate` reports on a document; whether it calls something an error."""
    return hold_to(codes(document, which), document, which)


@cache
def generated(name: str) -> str:
    """One generated event of that type; one with all its fields for what is never sent over HTTP."""
    event_type = CATALOG.events[name]
    if event_type.http:
        payload = json.loads(next(lines(GenerateRequest(events=1, types=(name,)))))
        return json.dumps(payload["events"][0])
    fields: Any = {"event_type": name, "id": "e-1", "time": START, "user": {}, "properties": {}}
    samples = {FieldType.STRING: "text", FieldType.INT: 7, FieldType.LONG: 7, FieldType.BOOLEAN: True}
    for field in event_type.fields:
        if field.where is not Where.EVENT:
            fields[field.where][field.name] = samples[field.type]
    return json.dumps(fields)


def payload_of(name: str) -> Any:
    """A payload with one event of that type, to be changed."""
    return {"events": [json.loads(generated(name))]}


def changed_fields(event_type: EventType) -> Iterator[Any]:
    """Payloads with one event each, of which one field has another value, is missing, or stands elsewhere."""
    for field in event_type.fields:
        payload = payload_of(event_type.name)
        event = payload["events"][0]
        fields = event if field.where is Where.EVENT else event[field.where]
        value = fields.pop(field.name, None)
        yield payload
        for other in VALUES:
            fields[field.name] = other
            yield payload
        del fields[field.name]
        if field.where is not Where.EVENT:
            elsewhere = event["properties" if field.where is Where.USER else "user"]
            for other in (value, None, {}):
                elsewhere[field.name] = other
                yield payload


@pytest.mark.parametrize("form", SchemaForm)
@pytest.mark.parametrize("which", CATALOGS)
def test_schema_is_valid(which: str, form: SchemaForm) -> None:
    """The export is JSON Schema 2020-12, says what it is of, and uses all of its definitions."""
    schema = schema_of(CATALOGS[which], form)
    jsonschema_rs.meta.validate(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert f"release {CATALOG.release}, {form} form" in schema["title"]
    assert "tdcur 0." in schema["description"]
    used = {reference.split('"')[0] for reference in json.dumps(schema).split('"#/$defs/')[1:]}
    assert len(used) == len(schema["$defs"])


def test_ids_differ() -> None:
    """Schemas that say something else have another `$id`; the same one has the same."""
    schemas = [
        schema_of(known, form, events)
        for known in (CATALOG, OVERLAY)
        for form in SchemaForm
        for events in ((), (known.events[OPEN],), (known.events[CUSTOM],))
    ]
    assert len({schema["$id"] for schema in schemas}) == len(schemas)
    strict = schema_of(CATALOG, SchemaForm.STRICT)
    assert strict["$id"] == f"urn:td-currents-cli:currents:{CATALOG.release}:strict"


@pytest.mark.parametrize("event_type", EVENTS, ids=lambda event_type: event_type.name)
def test_agrees_on_every_field(event_type: EventType) -> None:
    """Whatever value a field has, and wherever it stands: invalid is what `tdcur validate` calls an error."""
    assert not assert_agree(payload_of(event_type.name))
    # As `codes`, in a fraction of the time, without places and excerpts.
    check = checker("catalog").check_event
    changed = changed_fields(event_type)
    errors = {hold_to({each.code for each in check(payload["events"][0])}, payload) for payload in changed}
    assert errors == {True, False}


@pytest.mark.parametrize("name", [OPEN, CUSTOM, "users.messages.newsfeedcard.Click", "users.UserOrphan", "users.New"])
def test_agrees_on_the_envelope(name: str) -> None:
    """The fields every event has are checked for every type, the unknown ones too."""
    whole = json.loads(generated(OPEN if name == "users.New" else name)) | {"event_type": name}
    others = (0, START, MILLISECONDS - 1, MILLISECONDS, 2**63, "2026-07-01", "users.messages.email.Click")
    errors: set[bool] = set()
    for field in ("event_type", "id", "time", "user", "properties", "more"):
        without = {key: value for key, value in whole.items() if key != field}
        changed = (whole | {field: value} for value in (*VALUES, *others))
        errors |= {assert_agree({"events": [event]}) for event in (without, *changed)}
    assert errors == {True, False}


def test_agrees_on_the_document() -> None:
    """What is no payload is invalid; another field next to `events` is for the strict form to refuse.

    Arrays of events and bare events, which `tdcur validate` reads too, are no payloads.
    """
    event = json.loads(generated(OPEN))
    for document in (
        *(value for value in VALUES if not isinstance(value, list)),
        *({"events": value} for value in VALUES),
        {"events": [event, None]},
        {"events": [event, [event]]},
        {"events": [event, "event"]},
        {"events": [event, {}]},
        {"event": [event]},
    ):
        assert_agree(document)
    assert not assert_agree({"events": [event], "sent": 1})


def test_agrees_on_many_changes() -> None:
    """Also where several events have several things wrong."""
    dice = random.Random(7)
    for _ in range(400):
        payload: Any = {"events": [json.loads(generated(dice.choice(EVENTS).name)) for _ in range(dice.randint(1, 3))]}
        for _ in range(dice.randint(1, 3)):
            event = dice.choice(payload["events"])
            fields = event[dice.choice(["user", "properties"])]
            if not (isinstance(fields, dict) and fields):
                continue
            name = dice.choice([*fields, "unheard_of"])
            fields[name] = copy.deepcopy(dice.choice(VALUES))
            if dice.random() < 0.3:
                del fields[name]
            if dice.random() < 0.1:
                event["event_type"] = dice.choice(EVENTS).name
        assert_agree(payload)


def test_whole_floats_are_where_the_two_differ() -> None:
    """JSON Schema cannot tell 1.0 from 1: `tdcur validate` alone refuses it, and the schema says so."""
    payload = payload_of("users.behaviors.pushnotification.TokenStateChange")
    payload["events"][0]["properties"]["ios_push_token_apns_gateway"] = 1.0
    assert validator(SchemaForm.STRICT).is_valid(payload)
    assert codes(payload) == {Code.FIELD_TYPE}
    assert "1.0" in schema_of(CATALOG, SchemaForm.STRICT)["description"]


VISIT: Final = "shop+web.Visit(ed)"
BOTH: Final = set(SchemaForm)
LENIENT: Final = {SchemaForm.TOLERANT}


@pytest.mark.parametrize(
    ("name", "properties", "valid"),
    [
        (VISIT, {"shop": "a"}, BOTH),
        (VISIT, {"shop": "a", "floor": 1}, BOTH),
        (VISIT, {"shop": 1}, set()),
        (VISIT, {}, set()),
        (VISIT, {"shop": "a", "floor": "1"}, set()),
        (VISIT, {"x": 1}, set()),
        ("shop+web.Left/~100%", {}, BOTH),
        (OPEN, {"campaign_id": None}, set()),
        (OPEN, {"campaign_id": "c"}, BOTH),
        (OPEN, {"campaign_id": "c", "seconds": 1.5}, BOTH),
        (OPEN, {"campaign_id": "c", "seconds": "1"}, set()),
        (OPEN, {"campaign_id": "c", "machine_open": "x"}, BOTH),
        # A custom event that the overlay describes is held to it; of others nothing is known.
        (CUSTOM, {"name": "added to cart", "custom_properties": {"sku": "a"}}, BOTH),
        (CUSTOM, {"name": "added to cart", "custom_properties": {"sku": "a", "size": "XL"}}, LENIENT),
        (CUSTOM, {"name": "added to cart", "custom_properties": {"sku": "a", "more": 1}}, LENIENT),
        (CUSTOM, {"name": "added to cart", "custom_properties": {"sku": 1}}, set()),
        (CUSTOM, {"name": "added to cart", "custom_properties": {}}, set()),
        (CUSTOM, {"name": "added to cart", "custom_properties": None}, set()),
        (CUSTOM, {"name": "~/%", "custom_properties": {"n": 1}}, BOTH),
        (CUSTOM, {"name": "~/%", "custom_properties": {"n": "1"}}, set()),
        (CUSTOM, {"name": "~/%", "custom_properties": None}, BOTH),
        (CUSTOM, {"name": "another", "custom_properties": {"sku": 1, "n": "1"}}, BOTH),
        (PURCHASE, {"purchase_properties": None}, BOTH),
        (PURCHASE, {"purchase_properties": {"color": "red"}}, BOTH),
        (PURCHASE, {"purchase_properties": {"color": None}}, BOTH),
        (PURCHASE, {"purchase_properties": {"more": 1}}, LENIENT),
        (PURCHASE, {"purchase_properties": {"color": 1}}, set()),
    ],
)
def test_an_overlay(name: str, properties: dict[str, Any], valid: set[SchemaForm]) -> None:
    """Its types, fields and custom data are held to as those of the catalog, whatever signs are in their names."""
    if name in CATALOG.events:
        payload = payload_of(name)
        payload["events"][0]["properties"] |= properties
    else:
        user = {"external_user_id": "u"}
        event = {"event_type": name, "id": "e", "time": START, "user": user, "properties": properties}
        assert_agree({"events": [event]}, "overlay")
        assert assert_agree({"events": [event | {"user": {"external_user_id": 1}}]}, "overlay")
        payload = {"events": [event | {"user": {"card": "c"}} if name == VISIT else event]}
    if name == OPEN:
        assert_agree(payload, "overlay")
    assert {form for form in SchemaForm if validator(form, "overlay").is_valid(payload)} == valid


def test_selection_of_types() -> None:
    """A schema of some types: in the tolerant form others need no more than the fields of every event."""
    some = [CATALOG.events[OPEN]]
    tolerant, strict = (jsonschema_rs.validator_for(schema_of(CATALOG, form, some)) for form in SchemaForm)
    for name in (OPEN, PURCHASE, "users.messages.newsfeedcard.Click"):
        payload = payload_of(name)
        event = payload["events"][0]
        assert tolerant.is_valid(payload)
        assert strict.is_valid(payload) is (name == OPEN)
        event["properties"] = {}
        assert tolerant.is_valid(payload) is (name != OPEN)
        event["time"] = "now"
        assert tolerant.is_valid(payload) is ("newsfeedcard" in name)


def test_one_mistake_is_one_message() -> None:
    """A mistake is told once, at its place, not as a mismatch with each of the types."""
    payload = payload_of(OPEN)
    properties = payload["events"][0]["properties"]
    properties["campaign_name"] = 3
    for form in SchemaForm:
        (error,) = validator(form).iter_errors(payload)
        assert error.instance_path == ["events", 0, "properties", "campaign_name"]
    properties |= {"campaign_name": "a", "campain_name": "b"}
    (error,) = validator(SchemaForm.STRICT).iter_errors(payload)
    assert "campain_name" in error.message
    del payload["events"][0]["event_type"]
    (error,) = validator(SchemaForm.TOLERANT).iter_errors(payload)
    assert "event_type" in error.message


def test_command_prints_the_schema_itself(tmp_path: Path) -> None:
    """Standard output is the schema and no envelope, for all types, for some, and with an overlay."""
    every = tdcur("events", "--format", "json-schema")
    assert (every.returncode, every.stderr) == (0, b"")
    assert json.loads(every.stdout) == schema_of(CATALOG, SchemaForm.TOLERANT)
    assert max(map(len, every.stdout.split(b"\n")[5:])) <= 160

    file = tmp_path / "mine.json"
    file.write_text('{"event_types": {"mine.Made": {"description": "Made by me."}}}', encoding="utf-8")
    some = tdcur("events", "mine.*", "--format", "json-schema", "--strict", "--catalog", str(file))
    assert "type:mine.Made" in json.loads(some.stdout)["$defs"]
    assert json.loads(some.stdout)["additionalProperties"] is False
