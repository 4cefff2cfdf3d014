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
import re
from collections.abc import Collection, Sequence
from typing import Final

from td_currents_cli import __version__
from td_currents_cli.braze import EVENT_FIELDS
from td_currents_cli.catalog.constraints import JSON_TYPES, Constraint, FieldLimit, Guard, accepted_types, limits_of
from td_currents_cli.catalog.event_types import EventType, FieldType, Where
from td_currents_cli.catalog.events_file import Catalog, load
from td_currents_cli.catalog.type_schema import Schema, SchemaForm, TypeSchemas, chain, closed, named, ref
from td_currents_cli.model import Severity

_SYNTAX: Final = re.compile(r"[\\^$.|?*+()\[\]{}/]")
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


def json_schema(
    catalog: Catalog, events: Sequence[EventType], form: SchemaForm, rules: Collection[Constraint]
) -> Schema:
    """The schema of payloads with events of these types.

    For events of other types, the tolerant form requires only the five fields; the strict form refuses them.
    """
    refused = _refused(rules, form)
    guards = {rule.fast for rule in refused}
    defs = _definitions(catalog, events, refused)
    every = len(events) == len(catalog.events)
    release = f"release {catalog.release}"
    about = "all event types" if every else ", ".join(event.name for event in events)
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


def _refused(rules: Collection[Constraint], form: SchemaForm) -> list[Constraint]:
    """The rules that a form enforces: errors, and in the strict form what the catalog does not list."""
    strict = form is SchemaForm.STRICT
    return [rule for rule in rules if rule.severity is Severity.ERROR or (strict and rule.fast and rule.fast.is_strict)]


def _definitions(catalog: Catalog, events: Sequence[EventType], refused: Collection[Constraint]) -> dict[str, Schema]:
    names = [event.name for event in events]
    paths: dict[str, Schema] = {}
    event = _event(catalog, names, _path(names, 0, paths), refused)
    schemas = TypeSchemas(catalog, {rule.fast for rule in refused})
    types = {f"type:{event.name}": schemas.of(event) for event in events}
    return {"event": event, **paths, **types, **schemas.shared}


def _event(catalog: Catalog, names: Sequence[str], path: Schema, refused: Collection[Constraint]) -> Schema:
    """The five fields that every event has."""
    guards = {rule.fast for rule in refused}
    limits = {name: limits_of(refused, name) for name in EVENT_FIELDS}
    fields: dict[str, Schema] = {name: _event_field(limits[name]) for name in EVENT_FIELDS}
    fields["event_type"] |= {"enum": names} if Guard.KNOWN_TYPE in guards else {}
    time_types = fields["time"].pop("type", list(JSON_TYPES.values()))
    fields["time"] = {"description": "UNIX time in seconds, UTC.", **fields["time"]}
    or_string = [*([time_types] if isinstance(time_types, str) else time_types), "string"]
    return {
        "type": "object",
        "required": [name for name in EVENT_FIELDS if any(limit.required for limit in limits[name])],
        "properties": fields,
        "allOf": [
            {
                "if": _has_type({"enum": _with_time_as_string(catalog)}),
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


def _with_time_as_string(catalog: Catalog) -> list[str]:
    times = ((event.name, event.field("time", Where.EVENT)) for event in catalog.events.values())
    return [name for name, time in times if time is not None and time.type is FieldType.STRING]
