"""The catalog as JSON Schema 2020-12 of one payload, `{"events": [...]}`.

Names in `$defs`:

- `event`: the five fields of every event, and the path to the schema of its type;
- `types:users.messages.*`: that path, one word of the name at a time. Each step is a chain of `if`, `then`, `else`: a
  validator tries a dozen conditions per event instead of one per type, and reports problems of one type only;
- `type:users.messages.email.Open`: an event type;
- `fields:campaign`: fields that many types share;
- `custom:added_to_cart`, `purchase_properties`: custom data that an overlay describes.
"""

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from enum import StrEnum
from typing import Any, Final, TypeAlias
from urllib.parse import quote

from td_currents_cli import __version__
from td_currents_cli.braze import CUSTOM_EVENT, EVENT_FIELDS, PURCHASE
from td_currents_cli.catalog.constraints import JSON_TYPES, FieldLimit, Guard, Rule, accepted_types, limits_of
from td_currents_cli.catalog.loader import Catalog, load
from td_currents_cli.catalog.model import EventType, Field, FieldType, Where
from td_currents_cli.model import Severity
from td_currents_cli.patterns import pattern

Schema: TypeAlias = dict[str, Any]


class SchemaForm(StrEnum):
    """What a schema refuses: only errors, or also what the catalog does not list."""

    TOLERANT = "tolerant"
    STRICT = "strict"


_JSON_TYPES: Final[Mapping[FieldType, str]] = {
    FieldType.STRING: "string",
    FieldType.INT: "integer",
    FieldType.LONG: "integer",
    FieldType.FLOAT: "number",
    FieldType.BOOLEAN: "boolean",
    FieldType.STRINGS: "array",
    FieldType.STRINGS_AND_NULLS: "array",
    FieldType.OBJECT: "object",
}


class TypeSchemas:
    """Makes the schemas of event types, and collects in `shared` the `$defs` that they refer to."""

    def __init__(self, catalog: Catalog, guards: AbstractSet[Guard | None]) -> None:
        self._catalog = catalog
        self._guards = guards
        self._groups = {
            name: {field.name: self._value(field) for field in fields} for name, fields in catalog.groups.items()
        }
        self.shared: dict[str, Schema] = {}

    def of(self, event: EventType) -> Schema:
        """The schema of an event of a type, in addition to that of the five fields."""
        places = {place.value: self._place(event, place) for place in (Where.USER, Where.PROPERTIES)}
        return {"description": event.description, "properties": places}

    def _place(self, event: EventType, place: Where) -> Schema:
        own = [field for field in event.fields if field.where is place]
        # Fields of the storage export are never seen over HTTP, so their place is unknown.
        others = [field for field in event.fields if field.storage_only and field.where not in {place, Where.EVENT}]
        schema = self._object(others + own, may_have_others=not event.fields_published)
        custom = self._custom(event) if place is Where.PROPERTIES else {}
        return {**schema, "allOf": [*schema.get("allOf", ()), custom]} if custom else schema

    def _custom(self, event: EventType) -> Schema:
        """The fields of custom data that the overlay lists."""
        if event.name == PURCHASE and self._catalog.purchase_properties:
            fields = self._catalog.purchase_properties
            return self._with_custom_data("purchase_properties", fields, key="purchase_properties")
        if event.name == CUSTOM_EVENT:
            return chain(
                (
                    {"required": ["name"], **named("name", {"const": name})},
                    self._with_custom_data("custom_properties", fields, key=f"custom:{name}"),
                )
                for name, fields in self._catalog.custom_events.items()
            )
        return {}

    def _with_custom_data(self, name: str, fields: Iterable[Field], key: str) -> Schema:
        schema = self._object(fields)
        required = "required" in schema
        self.shared[key] = {"type": "object" if required else ["object", "null"], **schema}
        return {**named(name, ref(key)), **({"required": [name]} if required else {})}

    def _object(self, fields: Iterable[Field], *, may_have_others: bool = False) -> Schema:
        """An object with these fields; groups that types share are referred to."""
        only_known = Guard.ONLY_KNOWN_FIELDS in self._guards and not may_have_others
        by_name = {field.name: field for field in fields}
        values = {name: self._value(field) for name, field in by_name.items()}
        groups = {name: group for name, group in self._groups.items() if group.items() <= values.items()}
        self.shared |= {f"fields:{name}": {"properties": group} for name, group in groups.items()}
        own = {name: value for name, value in values.items() if not any(name in group for group in groups.values())}
        schema: Schema = {
            "allOf": [ref(f"fields:{name}") for name in groups],
            # `unevaluatedProperties` would need no names, but calls a shared field of a wrong type unexpected too.
            "properties": {name: own.get(name, True) for name in values} if only_known else own,
            "required": [name for name, field in by_name.items() if self._is_required(field)],
        }
        return {keyword: value for keyword, value in schema.items() if value} | closed(only_known)

    def _is_required(self, field: Field) -> bool:
        return field.expected and Guard.REQUIRED_FIELDS in self._guards

    def _value(self, field: Field) -> Schema:
        value: Schema = {}
        if Guard.FIELD_TYPES in self._guards:
            name = _JSON_TYPES[field.type]
            value["type"] = name if self._is_required(field) else [name, "null"]
            if field.type is FieldType.STRINGS:
                value["items"] = {"type": "string"}
            elif field.type is FieldType.STRINGS_AND_NULLS:
                value["items"] = {"type": ["string", "null"]}
        elif self._is_required(field):
            value["not"] = {"type": "null"}
        if field.enum and Guard.FIELD_VALUES in self._guards:
            value["enum"] = [*field.enum] if self._is_required(field) else [*field.enum, None]
        if field.until is not None:
            value["deprecated"] = True
        return value


def closed(is_closed: bool) -> Schema:  # noqa: FBT001 -- a condition
    return {"additionalProperties": False} if is_closed else {}


def named(name: str, schema: Schema) -> Schema:
    """An object with this schema for one field, if it has the field."""
    return {"properties": {name: schema}}


def ref(key: str) -> Schema:
    """A reference to a definition in `$defs`: a JSON pointer as a URI fragment."""
    return {"$ref": "#/$defs/" + quote(key.replace("~", "~0").replace("/", "~1"), safe=":*")}


def chain(steps: Iterable[tuple[Schema, Schema]]) -> Schema:
    """Conditions, each with the schema for what meets it and none of those before."""
    schema: Schema = {}
    for condition, then in reversed(list(steps)):
        otherwise = {"else": schema} if schema else {}
        schema = {"if": condition, "then": then, **otherwise}
    return schema


_SYNTAX: Final = pattern(r"[\\^$.|?*+()\[\]{}/]")
"""Special characters of regular expressions in ECMA-262; `re.escape` escapes more than those allow."""

_REFUSES: Final = {
    SchemaForm.TOLERANT: "Tolerant form: refuses what `tdcur validate` reports as an error. Unknown event types,"
    " unknown fields, nulls in optional fields and values outside a documented set are valid, because Braze may add to"
    " all of these at any time.",
    SchemaForm.STRICT: "Strict form: refuses what `tdcur validate` reports as an error, and also what the catalog does"
    " not list: event types, fields, values of a documented set. Braze may add to these at any time, so this form is"
    " for payloads that you create yourself.",
}
_CANNOT_SAY: Final = (
    "Some errors cannot be expressed in JSON Schema: 1.0 in place of an integer, duplicate keys, sizes, and duplicate"
    " ids."
)


def json_schema(catalog: Catalog, events: Sequence[EventType], form: SchemaForm, rules: Collection[Rule]) -> Schema:
    """The schema of payloads with events of these types.

    For events of other types, the tolerant form requires only the five fields; the strict form refuses them.
    """
    strict = form is SchemaForm.STRICT
    refused = [
        rule for rule in rules if rule.severity is Severity.ERROR or (strict and rule.fast and rule.fast.is_strict)
    ]
    guards = {rule.fast for rule in refused}
    names = [event.name for event in events]
    paths: dict[str, Schema] = {}
    path = _path(names, 0, paths)
    schemas = TypeSchemas(catalog, guards)
    types = {f"type:{event.name}": schemas.of(event) for event in events}
    defs = {"event": _event(catalog, names, path, refused), **paths, **types, **schemas.shared}
    every = len(events) == len(catalog.events)
    release = f"release {catalog.release}"
    about = "all event types" if every else ", ".join(names)
    # Anything but the catalog of this release has an id of its own.
    own = "" if every and catalog is load() else f":{hashlib.sha256(json.dumps(defs).encode()).hexdigest()[:8]}"
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:td-currents-cli:currents:{catalog.release}:{form}{own}",
        "title": f"Braze Currents payload, {release}, {form} form",
        "description": f"A payload of Braze Currents over HTTP, {release} of {catalog.released}: {about}."
        f" {_REFUSES[form]} {_CANNOT_SAY} Written by tdcur {__version__}.",
        "type": "object",
        "required": ["events"],
        **named("events", {"type": "array", "items": ref("event")}),
        **closed(Guard.ONLY_EVENTS in guards),
        "$defs": defs,
    }


def _event(catalog: Catalog, names: Sequence[str], path: Schema, refused: Collection[Rule]) -> Schema:
    """The five fields that every event has."""
    guards = {rule.fast for rule in refused}
    limits = {name: limits_of(refused, name) for name in EVENT_FIELDS}
    fields: dict[str, Schema] = {name: _event_field(limits[name]) for name in EVENT_FIELDS}
    fields["event_type"] |= {"enum": names} if Guard.KNOWN_TYPE in guards else {}
    time_types = fields["time"].pop("type", list(JSON_TYPES.values()))
    fields["time"] = {"description": "UNIX time in seconds, UTC.", **fields["time"]}
    times = ((event.name, event.field("time", Where.EVENT)) for event in catalog.events.values())
    with_string = [name for name, time in times if time is not None and time.type is FieldType.STRING]
    or_string = [*([time_types] if isinstance(time_types, str) else time_types), "string"]
    return {
        "type": "object",
        "required": [name for name in EVENT_FIELDS if any(limit.required for limit in limits[name])],
        "properties": fields,
        "allOf": [
            {
                "if": _has_type({"enum": with_string}),
                "then": named("time", {"type": or_string}),
                "else": named("time", {"type": time_types}),
            },
            # Without this condition an event without a type would be all types at once.
            {"if": _has_type({"type": "string"}), "then": path},
        ],
        **closed(Guard.ONLY_EVENT_FIELDS in guards),
    }


def _event_field(limits: Sequence[FieldLimit]) -> Schema:
    schema: Schema = {}
    types = accepted_types(limits)
    if len(types) < len(JSON_TYPES):
        schema["type"] = types[0] if len(types) == 1 else types
    for limit in limits:
        for keyword, value in limit.as_schema().items():
            narrower = max if keyword.startswith("min") else min
            schema[keyword] = narrower(value, schema.get(keyword, value))
    return schema


def _path(names: Sequence[str], depth: int, paths: dict[str, Schema]) -> Schema:
    """The path from an event to the schema of its type, by the word of its name at `depth`.

    The first `depth` words of all names are the same. The definitions for the next words are added to `paths`.
    """
    families: dict[str, list[str]] = {}
    for name in names:
        words = name.split(".", depth + 1)
        families.setdefault(name.removesuffix(words[-1]) if len(words) > depth + 1 else name, []).append(name)
    steps = []
    # The largest first: most events need one or two conditions then.
    for beginning, family in sorted(families.items(), key=lambda item: -len(item[1])):
        if len(family) == 1:
            steps.append(({"const": family[0]}, ref(f"type:{family[0]}")))
        else:
            key = f"types:{beginning}*"
            paths[key] = {}  # before those of the next words
            paths[key] = _path(family, depth + 1, paths)
            steps.append(({"pattern": "^" + _SYNTAX.sub(r"\\\g<0>", beginning)}, ref(key)))
    return chain((named("event_type", condition), then) for condition, then in steps)


def _has_type(condition: Schema) -> Schema:
    return {"required": ["event_type"], **named("event_type", condition)}
