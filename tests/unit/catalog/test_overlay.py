import json
import pickle
import sys
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from td_currents_cli import catalog
from td_currents_cli.catalog import EventType, Field, FieldType, Where, overlay
from td_currents_cli.catalog.list_events import EventsRequest, run
from td_currents_cli.catalog.overlay import load_overlay, overlaid
from td_currents_cli.errors import UsageError
from td_currents_cli.render.events import print_catalog
from tests.catalogs import catalog_of
from tests.command import tdcur
from tests.rendering import screen_of

CATALOG: Final = catalog.load()
OPEN: Final = "users.messages.email.Open"


def added(document: Any) -> catalog.Catalog:
    """The catalog with what a document adds to it."""
    return overlaid(CATALOG, json.dumps(document).encode(), "mine.json")


def opened(fields: Any) -> EventType:
    """An event type of the catalog with what is said of its fields."""
    return added({"event_types": {OPEN: {"fields": fields}}}).events[OPEN]


def field_of(event: EventType, name: str, where: Where = Where.PROPERTIES) -> Field:
    field = event.field(name, where)
    assert field is not None
    return field


def example() -> Any:
    """The example that the module's own text shows."""
    text = overlay.__doc__ or ""
    return json.loads(text[text.index("\n    {") : text.index("\n    }\n") + 7])


def test_the_documented_example() -> None:
    known = added(example())
    assert set(known.events) - set(CATALOG.events) == {"users.behaviors.Loyalty"}
    assert [field.name for field in known.custom_events["added_to_cart"]] == ["sku", "tags"]
    assert [field.enum for field in known.purchase_properties] == [("S", "M", "L")]
    assert field_of(known.events[OPEN], "machine_open").until == "9"
    assert field_of(known.events[OPEN], "reading_seconds").type is FieldType.FLOAT


def test_nothing_added_is_the_catalog() -> None:
    """An empty overlay changes nothing, and the catalog itself stays what it was."""
    assert added({}) == CATALOG
    assert overlaid(CATALOG, b"\xef\xbb\xbf{}", "mine.json") == CATALOG, "editors on Windows write such a mark"
    assert added(example()) != CATALOG
    assert not CATALOG.custom_events
    assert CATALOG.get("users.behaviors.Loyalty") is None


def test_a_new_type() -> None:
    """A type of one's own has the members of every event, the usual ones of the user, and its own fields, in order."""
    event = added(example()).events["users.behaviors.Loyalty"]
    assert (event.category, event.since, event.http, event.channel) == ("customer_behavior", "10", True, "behaviors")
    assert [field.name for field in event.fields if field.required] == ["event_type", "id", "time", "points"]
    assert field_of(event, "card", Where.USER).pii
    places = [list(Where).index(field.where) for field in event.fields]
    assert places == sorted(places)
    assert event.field("external_user_id", Where.USER)


def test_what_is_said_wins_and_the_rest_stays() -> None:
    """A field of the catalog changes only in what is said of it, and where it stands."""
    before = CATALOG.events[OPEN]
    event = opened({"email_address": {"required": False}, "user_id": {"since": "2"}, "gender": {"type": "string"}})
    email, user_id = field_of(event, "email_address"), field_of(event, "user_id", Where.USER)
    assert (email.required, email.pii, email.type) == (False, True, FieldType.STRING)
    assert (user_id.required, user_id.since) == (True, "2")
    assert len(event.fields) == len(before.fields) + 1
    assert (event.description, event.since) == (before.description, before.since)


def test_what_a_field_becomes() -> None:
    """`in` tells fields of one name apart; one that is gone is not required; one that is required is expected."""
    event = opened({"user_id": {"in": "properties", "type": "int"}, "email_address": {"until": "11"}})
    assert field_of(event, "user_id").type is FieldType.INT
    assert field_of(event, "user_id", Where.USER).type is FieldType.STRING
    gone = msgspec.to_builtins(field_of(event, "email_address"))
    assert (gone["until"], gone["required"]) == ("11", False)
    # Who requires a field of the storage export over HTTP gets it checked.
    name = "users.messages.banner.Click"
    event = added({"event_types": {name: {"fields": {"gender": {"required": True, "enum": []}}}}}).events[name]
    field = field_of(event, "gender")
    assert (field.expected, field.storage_only, field.enum) == (True, False, ())


def test_overlays_add_up() -> None:
    """An overlay of an overlay keeps what the first one added."""
    first = added({"custom_events": {"a": {"x": {"type": "int"}}}, "purchase_properties": {"p": {"type": "int"}}})
    text = b'{"custom_events": {"a": {"y": {"type": "int"}, "x": {"required": true}}, "b": {}}}'
    both = overlaid(first, text, "second.json")
    assert [(field.name, field.required) for field in both.custom_events["a"]] == [("x", True), ("y", False)]
    assert both.custom_events["b"] == ()
    assert both.purchase_properties == first.purchase_properties


def test_other_processes_get_the_same() -> None:
    """A catalog can be sent to another process, and stays read-only there."""
    known = added(example())
    received: catalog.Catalog = pickle.loads(pickle.dumps(known))  # noqa: S301 -- its own
    assert received == known
    with pytest.raises(TypeError):
        received.custom_events["other"] = ()  # type: ignore[index]  # what is tested


FIELDS: Final = f"mine.json: /event_types/{OPEN}/fields"
FIELD_MISTAKES: Final[list[tuple[Any, str, str]]] = [
    ({"campaign_id": {"type": "int"}}, "/campaign_id/type: the type of a field cannot change", "Omit `type`."),
    ({"campaign_id": {"required": 1}}, "/campaign_id/required: expected true or false, got a number", ""),
    ({"campaign_id": {"requird": True}}, "/campaign_id/requird: unknown field", "Did you mean required?"),
    ({"campaign_id": {"since": 7}}, "/campaign_id/since: expected a Currents release number as a string", ""),
    ({"campaign_id": {"until": "seven"}}, "/campaign_id/until: expected a Currents release number", ""),
    ({"campaign_id": {"until": "9", "required": True}}, "/campaign_id: a field that is no longer sent", "Omit"),
    ({"campaign_id": {"in": "event"}}, "/campaign_id/in: expected user or properties, got another string", ""),
    ({"campaign_id": {"in": None}}, "/campaign_id/in: expected user or properties, got null", ""),
    ({"campaign_id": {"enum": "a"}}, "/campaign_id/enum: expected an array of strings, got a string", ""),
    ({"campaign_id": {"enum": ["a", 1]}}, "/campaign_id/enum/1: expected a nonempty string", ""),
    ({"campaign_id": {"enum": ["a", "b", "a"]}}, "/campaign_id/enum/2: duplicate value", ""),
    ({"is_amp": {"enum": ["a"]}}, "/is_amp/enum: only a `string` can have an `enum`", ""),
    ({"campain_id": {"required": True}}, "/campain_id: a new field", "Did you mean campaign_id?"),
    ({"new": {"type": "strng"}}, "/new/type: expected one of string, int,", "Did you mean string?"),
    ({"new": {"type": "varchar"}}, "/new/type: expected one of string, int,", ""),
    ({"new": {"type": ["string"]}}, "/new/type: expected one of string, int,", ""),
    ({"new": []}, "/new: expected an object, got an array", ""),
]


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        # Newer parsers name the comma, older ones what should come after it.
        ('{"event_types": {},}', f"mine.json:1:{19 if sys.version_info >= (3, 13) else 20}: not JSON: ", ""),
        ('{\n  "event_types": {é}\n}', "mine.json:2:19: not JSON: ", ""),
        ("", "mine.json:1:1: not JSON: ", ""),
        ("[]", "mine.json: expected an object, got an array", ""),
        ("[1]", "mine.json: expected an object, got an array", ""),
        ("null", "mine.json: expected an object, got null", ""),
        ('{"events": []}', "mine.json: /events: unknown field", "Allowed: event_types"),
        ('{"event_type": {}}', "mine.json: /event_type: unknown field", "Did you mean event_types?"),
        ('{"custom_events": {"a": {}, "a": {}}}', "mine.json: /custom_events/a: duplicate field", ""),
        ('{"custom_events": {"": {}}}', "mine.json: /custom_events/: a name must have", ""),
        ('{"custom_events": {"\\ud800": {}}}', "mine.json: /custom_events/\\ud800: a name must have", ""),
        ('{"custom_events": {"a/b~": 1}}', "/custom_events/a~1b~0: expected an object, got a number", ""),
        ('{"custom_events": {"a": {"x": {"in": "user"}}}}', "/custom_events/a/x/in: unknown field", "Allowed: type,"),
        ('{"custom_events": {"a": {"x": {}}}}', "/custom_events/a/x: a new field", "one of string, int, long,"),
        ('{"purchase_properties": {"x": "int"}}', "/purchase_properties/x: expected an object, got a string", ""),
        ('{"event_types": {"users.message.email.Open": {}}}', "needs a `description`", f"Did you mean {OPEN}?"),
        ('{"event_types": {"mine.Own": {}}}', "/mine.Own: unknown event type; a custom one", "Describe in a sentence"),
        (
            '{"event_types": {"mine.Own": {"description": ""}}}',
            "/mine.Own/description: expected a nonempty string on one line, got an empty string",
            "",
        ),
        (
            '{"event_types": {"mine.Own": {"description": "a\\nb"}}}',
            "/mine.Own/description: expected a nonempty string on",
            "",
        ),
        *(
            (
                json.dumps({"event_types": {OPEN: {"fields": field}}}),
                f"mine.json: /event_types/{OPEN}/fields{why}",
                hint,
            )
            for field, why, hint in FIELD_MISTAKES
        ),
        # Whatever bytes a file has, it is a mistake in the file and not a defect.
        (b'{"event_types": {"\xff": {}}}', "mine.json: not UTF-8 at byte 18", "Save the file as UTF-8."),
        ("[" * 200_000, "mine.json: nested too deeply", ""),
        ('{"a": ' + "9" * 5000 + "}", "mine.json: /a: unknown field", ""),
    ],
)
def test_mistakes(text: str | bytes, message: str, hint: str) -> None:
    with pytest.raises(UsageError) as raised:
        overlaid(CATALOG, text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"), "mine.json")
    assert message in raised.value.message
    assert raised.value.message.startswith("mine.json:")
    assert "\n" not in raised.value.message
    assert hint in raised.value.hint


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    """A missing file is wrong usage, and named."""
    for path, why in ((tmp_path / "none.json", "No such file"), (tmp_path, "Is a directory")):
        with pytest.raises(UsageError, match=f"cannot read the catalog {path}: {why}"):
            load_overlay(path)


def printed(pattern: str, file: Path) -> str:
    screen = screen_of(100)
    with catalog_of(file):
        print_catalog(run(EventsRequest(pattern)), screen.terminal)
    return screen.out


def test_events_command_shows_an_overlay(tmp_path: Path) -> None:
    """Types, fields and custom data of an overlay are listed as those of the catalog, brackets and all."""
    document = example()
    document["event_types"]["users.behaviors.Loyalty"]["description"] = "A user [bold]earned[/bold] points."
    file = tmp_path / "mine.json"
    file.write_text(json.dumps(document), encoding="utf-8")
    assert "A user [bold]earned[/bold] points." in printed("users.behaviors.Loyalty", file)
    assert "users.behaviors.Loyalty" in printed("users.behaviors.*", file)
    assert "not sent since release 9" in printed(OPEN, file)
    custom = printed("users.behaviors.CustomEvent", file)
    assert "added_to_cart" in custom
    assert "array<string>" in custom
    assert "one of S M L" in printed("users.behaviors.Purchase", file)
    assert "added_to_cart" not in printed("users.behaviors.Purchase", file)


def test_events_command_in_a_shell(tmp_path: Path) -> None:
    """JSON has what the overlay adds; a mistake in it exits 2 with its place, also as JSON."""
    file = tmp_path / "mine.json"
    command = ("events", "--format", "json", "--catalog", file)
    file.write_text(json.dumps(example()), encoding="utf-8")
    good = json.loads(tdcur(*command).stdout)
    assert "users.behaviors.Loyalty" in [event["event_type"] for event in good["events"]]
    assert good["custom_events"]["added_to_cart"][0]["name"] == "sku"
    assert good["purchase_properties"][0]["enum"] == ["S", "M", "L"]

    file.write_text('{"custom_events": []}', encoding="utf-8")
    bad = tdcur(*command)
    assert bad.returncode == 2
    assert json.loads(bad.stdout)["error"]["message"].startswith(f"{file}: /custom_events: expected an object")
