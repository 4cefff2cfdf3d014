"""What people add to the catalogue: event types, fields, and what their custom events and purchases hold.

A JSON file with the words of `events.json`, each part of it optional:

    {
      "event_types": {
        "users.behaviors.Loyalty": {
          "description": "A user earned points.",
          "category": "customer_behavior",
          "since": "10",
          "fields": {
            "points": {"type": "int", "required": true},
            "tier": {"type": "string", "enum": ["silver", "gold"]},
            "card": {"in": "user", "type": "string", "pii": true}
          }
        },
        "users.messages.email.Open": {
          "fields": {
            "reading_seconds": {"type": "float", "since": "11"},
            "machine_open": {"until": "9"}
          }
        }
      },
      "custom_events": {
        "added_to_cart": {"sku": {"type": "string", "required": true}, "tags": {"type": "array<string>"}}
      },
      "purchase_properties": {"size": {"type": "string", "enum": ["S", "M", "L"]}}
    }

- `event_types`: a type that the catalogue has gets the fields in addition. What is said of a field that it has already
  wins, and the rest stays; but a field never changes its `type`. A type that the catalogue does not have needs a
  `description`, so that a slip in its name is noticed; it has the members of every event, and the usual ones of `user`,
  by itself.
- a field: `in` (`user` or `properties`, where nothing is said the latter), `type` (as `tdcur events` shows them),
  `required`, `pii`, `enum` (of texts; an empty one lifts the catalogue's), `since`, and `until`: the release that no
  longer sends it.
- `custom_events`: by the `name` of a `users.behaviors.CustomEvent`, what its `custom_properties` hold.
- `purchase_properties`: what those of every `users.behaviors.Purchase` hold. Neither has an `in`.
"""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from msgspec.structs import replace

from td_currents_cli.catalog.event_types import EventType, Field, FieldType, Where, channel_of
from td_currents_cli.catalog.events_file import Catalog, in_order, load
from td_currents_cli.catalog.node import JsonNode, parse_json
from td_currents_cli.errors import UsageError

_PLACES: Final = (Where.USER, Where.PROPERTIES)
_RELEASE: Final = re.compile(r"pre-1|[1-9][0-9]*")
_FIELD_KEYS: Final = ("type", "required", "pii", "enum", "since", "until")

_OF_EVERY_EVENT: Final = (
    Field(name="event_type", where=Where.EVENT, type=FieldType.STRING, required=True),
    Field(name="id", where=Where.EVENT, type=FieldType.STRING, required=True),
    Field(name="time", where=Where.EVENT, type=FieldType.INT, required=True),
    Field(name="user_id", where=Where.USER, type=FieldType.STRING, pii=True),
    Field(name="external_user_id", where=Where.USER, type=FieldType.STRING, pii=True),
    Field(name="device_id", where=Where.USER, type=FieldType.STRING),
    Field(name="timezone", where=Where.USER, type=FieldType.STRING),
)


def load_overlay(path: Path) -> Catalog:
    """The catalogue of this package with what a file adds to it.

    Raises:
        UsageError: the file cannot be read, or has not the form above.
    """
    try:
        text = path.read_bytes()
    except OSError as error:
        raise UsageError(
            f"the catalogue {path} cannot be read: {error.strerror}",
            hint="Give the path of a JSON file with event types and fields of your own.",
        ) from None
    return overlaid(load(), text, str(path))


def overlaid(base: Catalog, text: bytes, source: str) -> Catalog:
    """A catalogue with what a text in the form above adds to it.

    Args:
        base: is not changed.
        text: what is in the file.
        source: the file, as messages call it.

    Raises:
        UsageError: the text has not that form; the message has the place.
    """
    top = parse_json(source, text).members("event_types", "custom_events", "purchase_properties")
    events = dict(base.events)
    custom = dict(base.custom_events)
    purchases = base.purchase_properties
    if "event_types" in top:
        events |= {name: _event_type(base, name, node) for name, node in top["event_types"].entries().items()}
    if "custom_events" in top:
        for name, node in top["custom_events"].entries().items():
            custom[name] = _custom_fields(custom.get(name, ()), node)
    if "purchase_properties" in top:
        purchases = _custom_fields(purchases, top["purchase_properties"])
    return replace(
        base,
        events=MappingProxyType(events),
        custom_events=MappingProxyType(custom),
        purchase_properties=purchases,
    )


def _event_type(base: Catalog, name: str, node: JsonNode) -> EventType:
    members = node.members("description", "category", "since", "fields")
    event = base.get(name) or _new_type(base, name, node, members)
    said: dict[str, Any] = {key: members[key].text() for key in ("description", "category") if key in members}
    if "since" in members:
        said["since"] = _release(members["since"])
    fields = {(field.where, field.name): field for field in event.fields}
    for field_name, field_node in members["fields"].entries().items() if "fields" in members else ():
        field = _field(event, field_name, field_node)
        fields[field.where, field.name] = field
    return replace(event, **said, fields=in_order(fields.values()))


def _new_type(base: Catalog, name: str, node: JsonNode, members: Mapping[str, JsonNode]) -> EventType:
    if "description" not in members:
        near = base.suggest(name)
        node.refuse(
            "the catalogue does not have this event type, and one of your own needs a `description`",
            f"did you mean {near}?" if near else "Say in a sentence when it is sent.",
        )
    return EventType(
        name=name,
        category="custom",
        channel=channel_of(name),
        since=base.release,
        storage=False,
        http=True,
        description="",
        fields=_OF_EVERY_EVENT,
    )


def _field(event: EventType, name: str, node: JsonNode) -> Field:
    """A field of an event type as it is said to be, and where nothing is said as it was."""
    members = node.members("in", *_FIELD_KEYS)
    if "in" in members:
        where = members["in"].word(_PLACES)
    else:
        where = next((place for place in _PLACES if event.field(name, place)), Where.PROPERTIES)
    known = event.field(name, where) or _new_field(name, where, node, members, event.suggest_field(name, where))
    return _defined(known, node, members)


def _custom_fields(known: Iterable[Field], node: JsonNode) -> tuple[Field, ...]:
    fields = {field.name: field for field in known}
    for name, field in node.entries().items():
        members = field.members(*_FIELD_KEYS)
        usual = fields.get(name) or _new_field(name, Where.PROPERTIES, field, members)
        fields[name] = _defined(usual, field, members)
    return tuple(fields.values())


def _new_field(
    name: str, where: Where, node: JsonNode, members: Mapping[str, JsonNode], near: str | None = None
) -> Field:
    if "type" not in members:
        hint = f"did you mean {near}?" if near else f"one of {', '.join(FieldType)}"
        node.refuse("a field that the catalogue does not have here needs a `type`", hint)
    return Field(name=name, where=where, type=members["type"].word(FieldType))


def _defined(known: Field, node: JsonNode, members: Mapping[str, JsonNode]) -> Field:
    """A field with what is said of it."""
    said = _said(members)
    if said.get("type", known.type) is not known.type:
        members["type"].refuse(f"a field never changes its type: this one is `{known.type}`", "Leave `type` out.")
    if said.get("required"):
        # Who requires it expects it over HTTP.
        said["storage_only"] = False
    if "until" in said:
        said.setdefault("required", False)
    field = replace(known, **said)
    if field.required and field.until is not None:
        node.refuse("a field that is no longer sent cannot be required", "Leave `required` or `until` out.")
    if field.enum and field.type is not FieldType.STRING:
        members["enum"].refuse(f"only a `string` has a set of values: this field is `{field.type}`")
    return field


def _said(members: Mapping[str, JsonNode]) -> dict[str, Any]:
    """What is said of a field, checked."""
    said: dict[str, Any] = {}
    for name, node in members.items():
        if name == "type":
            said[name] = node.word(FieldType)
        elif name in {"required", "pii"}:
            said[name] = node.flag()
        elif name == "enum":
            said[name] = node.texts()
        elif name in {"since", "until"}:
            said[name] = _release(node)
    return said


def _release(node: JsonNode) -> str:
    if not (isinstance(node.value, str) and _RELEASE.fullmatch(node.value)):
        node.unlike('the number of a Currents release as a text, such as "7"')
    return node.value
