"""Additions to the catalog: event types, fields, and the properties of custom events and purchases.

An overlay is a JSON file with the terms of `events.json`; every part is optional:

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

- `event_types`: fields are added to a type of the catalog; for a field that it already has, the overlay's attributes
  take precedence, but the `type` cannot change. A type that the catalog does not have needs a `description`, so that a
  misspelled name is noticed; it implicitly has the fields of every event, and the common ones of `user`.
- a field: `in` (`user` or `properties`, by default the latter), `type` (as shown by `tdcur events`), `required`, `pii`,
  `enum` (strings; an empty one removes the catalog's), `since`, and `until`: the release that no longer sends it.
- `custom_events`: the `custom_properties` of a `users.behaviors.CustomEvent`, by its `name`.
- `purchase_properties`: those of every `users.behaviors.Purchase`. Neither has an `in`.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, NoReturn, TypeVar

from msgspec.structs import replace

from td_currents_cli.catalog.loader import Catalog, in_order, load_builtin
from td_currents_cli.catalog.model import EventType, Field, FieldType, Where, channel_of
from td_currents_cli.errors import UsageError
from td_currents_cli.patterns import pattern
from td_currents_cli.suggestions import nearest

Choice = TypeVar("Choice", bound=StrEnum)

_KINDS: Final[dict[type, str]] = {
    type(None): "null",
    bool: "a boolean",
    str: "a string",
    float: "a number",
    list: "an array",
}


class _JsonObject(dict[str, object]):
    """An object, with its first repeated name."""

    repeated: str | None = None


@dataclass(frozen=True, slots=True)
class JsonNode:
    source: str  # the file, for messages
    value: object  # all numbers are floats
    pointer: str = ""  # RFC 6901

    # All methods that read a value raise UsageError if it is of another kind.

    def fields(self, *known: str) -> Mapping[str, "JsonNode"]:
        """Read an object without unknown names."""
        fields = self._fields()
        for name, node in fields.items():
            if name not in known:
                near = nearest(name, known, separator="_")
                node.fail("unknown field", f"Did you mean {near}?" if near else f"Allowed: {', '.join(known)}")
        return fields

    def entries(self) -> Mapping[str, "JsonNode"]:
        """Read an object whose names the user chooses."""
        entries = self._fields()
        for name, node in entries.items():
            if not (name and name.isprintable()):
                node.fail("a name must have at least one character, all printable")
        return entries

    def string(self) -> str:
        if not (isinstance(self.value, str) and self.value and self.value.isprintable()):
            self.fail_type("a nonempty string on one line")
        return self.value

    def strings(self) -> tuple[str, ...]:
        """Read an array of distinct strings."""
        if not isinstance(self.value, list):
            self.fail_type("an array of strings")
        nodes = [JsonNode(self.source, item, f"{self.pointer}/{index}") for index, item in enumerate(self.value)]
        strings = tuple(node.string() for node in nodes)
        for index, node in enumerate(nodes):
            if strings[index] in strings[:index]:
                node.fail("duplicate value")
        return strings

    def boolean(self) -> bool:
        if not isinstance(self.value, bool):
            self.fail_type("true or false")
        return self.value

    def choice(self, choices: Iterable[Choice]) -> Choice:
        known = {str(choice): choice for choice in choices}
        expected = f"expected {' or '.join(known)}" if len(known) < 3 else f"expected one of {', '.join(known)}"
        if not isinstance(self.value, str):
            self.fail(f"{expected}, got {self._kind()}")
        if self.value not in known:
            near = nearest(self.value, tuple(known), separator="_")
            self.fail(f"{expected}, got another string", f"Did you mean {near}?" if near else "")
        return known[self.value]

    def fail_type(self, expected: str) -> NoReturn:
        self.fail(f"expected {expected}, got {self._kind()}")

    def fail(self, why: str, hint: str = "") -> NoReturn:
        place = f"{self.source}: {self.pointer}" if self.pointer else self.source
        raise UsageError(f"{place}: {why}", hint=hint)

    def _fields(self) -> dict[str, "JsonNode"]:
        if not isinstance(self.value, _JsonObject):
            self.fail_type("an object")
        fields = {}
        for name, value in self.value.items():
            # As JSON writes it, in a pointer.
            shown = name if name.isprintable() else json.dumps(name)[1:-1]
            pointer = f"{self.pointer}/{shown.replace('~', '~0').replace('/', '~1')}"
            fields[name] = JsonNode(self.source, value, pointer)
        if self.value.repeated is not None:
            fields[self.value.repeated].fail("duplicate field in this object")
        return fields

    def _kind(self) -> str:
        if self.value == "":
            return "an empty string"
        return _KINDS.get(type(self.value), "an object")


def parse_json(source: str, text: bytes) -> JsonNode:
    """Parse a file and return its root.

    Raises:
        UsageError: it is not UTF-8, or not JSON.
    """
    try:
        value = json.loads(text.decode("utf-8-sig"), object_pairs_hook=_build_object, parse_int=float)
    except UnicodeDecodeError as error:
        raise UsageError(f"{source}: not UTF-8 at byte {error.start}", hint="Save the file as UTF-8.") from None
    except json.JSONDecodeError as error:
        why = f"{error.msg[:1].lower()}{error.msg[1:]}"
        raise UsageError(f"{source}:{error.lineno}:{error.colno}: not JSON: {why}") from None
    except RecursionError:
        raise UsageError(f"{source}: nested too deeply") from None
    return JsonNode(source, value)


def _build_object(pairs: list[tuple[str, object]]) -> _JsonObject:
    built = _JsonObject()
    for name, value in pairs:
        if name in built and built.repeated is None:
            built.repeated = name
        built[name] = value
    return built


_PLACES: Final = (Where.USER, Where.PROPERTIES)
_RELEASE: Final = pattern(r"pre-1|[1-9][0-9]*")

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
    """Load the catalog with the additions of a file.

    Raises:
        UsageError: the file cannot be read, or is invalid.
    """
    try:
        text = path.read_bytes()
    except OSError as error:
        raise UsageError(
            f"cannot read the catalog {path}: {error.strerror}",
            hint="Name a JSON file with your own event types and fields.",
        ) from None
    return overlaid(load_builtin(), text, str(path))


def overlaid(base: Catalog, text: bytes, source: str) -> Catalog:
    """Apply an overlay to a copy of a catalog; `source` is the file, for messages.

    Raises:
        UsageError: the overlay is invalid; the message has the JSON pointer.
    """
    top = parse_json(source, text).fields("event_types", "custom_events", "purchase_properties")
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
    attributes = node.fields("description", "category", "since", "fields")
    event = base.get(name) or _new_type(base, name, node, attributes)
    changes: dict[str, Any] = {
        key: attributes[key].string() for key in ("description", "category") if key in attributes
    }
    if "since" in attributes:
        changes["since"] = _release(attributes["since"])
    fields = {(field.where, field.name): field for field in event.fields}
    for field_name, field_node in attributes["fields"].entries().items() if "fields" in attributes else ():
        field = _field(event, field_name, field_node)
        fields[field.where, field.name] = field
    return replace(event, **changes, fields=in_order(fields.values()))


def _new_type(base: Catalog, name: str, node: JsonNode, attributes: Mapping[str, JsonNode]) -> EventType:
    if "description" not in attributes:
        near = base.suggest(name)
        node.fail(
            "unknown event type; a custom one needs a `description`",
            f"Did you mean {near}?" if near else "Describe in a sentence when it is sent.",
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
    attributes = node.fields("in", *_READERS)
    if "in" in attributes:
        where = attributes["in"].choice(_PLACES)
    else:
        where = next((place for place in _PLACES if event.field(name, place)), Where.PROPERTIES)
    known = event.field(name, where) or _new_field(name, where, node, attributes, event.suggest_field(name, where))
    return _defined(known, node, attributes)


def _custom_fields(known: Iterable[Field], node: JsonNode) -> tuple[Field, ...]:
    fields = {field.name: field for field in known}
    for name, field in node.entries().items():
        attributes = field.fields(*_READERS)
        known_field = fields.get(name) or _new_field(name, Where.PROPERTIES, field, attributes)
        fields[name] = _defined(known_field, field, attributes)
    return tuple(fields.values())


def _new_field(
    name: str, where: Where, node: JsonNode, attributes: Mapping[str, JsonNode], near: str | None = None
) -> Field:
    if "type" not in attributes:
        hint = f"Did you mean {near}?" if near else f"Use one of {', '.join(FieldType)}."
        node.fail("a new field needs a `type`", hint)
    return Field(name=name, where=where, type=attributes["type"].choice(FieldType))


def _defined(known: Field, node: JsonNode, attributes: Mapping[str, JsonNode]) -> Field:
    changes: dict[str, Any] = {name: _READERS[name](node) for name, node in attributes.items() if name in _READERS}
    if changes.get("type", known.type) is not known.type:
        attributes["type"].fail(f"the type of a field cannot change: this one is `{known.type}`", "Omit `type`.")
    if changes.get("required"):
        # A required field is expected over HTTP.
        changes["storage_only"] = False
    if "until" in changes:
        changes.setdefault("required", False)
    field = replace(known, **changes)
    if field.required and field.until is not None:
        node.fail("a field that is no longer sent cannot be required", "Omit `required` or `until`.")
    if field.enum and field.type is not FieldType.STRING:
        attributes["enum"].fail(f"only a `string` can have an `enum`: this field is `{field.type}`")
    return field


def _release(node: JsonNode) -> str:
    if not (isinstance(node.value, str) and _RELEASE.fullmatch(node.value)):
        node.fail_type('a Currents release number as a string, such as "7"')
    return node.value


_READERS: Final[Mapping[str, Callable[[JsonNode], object]]] = {
    "type": lambda node: node.choice(FieldType),
    "required": JsonNode.boolean,
    "pii": JsonNode.boolean,
    "enum": JsonNode.strings,
    "since": _release,
    "until": _release,
}
"""What reads each attribute of a field, apart from `in`."""
