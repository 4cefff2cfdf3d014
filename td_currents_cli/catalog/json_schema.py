"""The catalogue as JSON Schema 2020-12: of one payload document, `{"events": [...]}`.

What is in `$defs`, by name:

- `event`: the members every event has, and the way to the schema of its type;
- `types:users.messages.*`: that way, a word of the name at a time. Each step is a chain of `if`, `then`, `else`: a
  validator tries a dozen conditions for an event instead of one for each type, and complains of one type only;
- `type:users.messages.email.Open`: an event type;
- `fields:campaign`: fields that many types share;
- `custom:added_to_cart`, `purchase_properties`: what an overlay says of them.
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
"""What has a meaning in the regular expressions of ECMA-262; `re.escape` escapes more than those allow."""

_REFUSES: Final = {
    SchemaForm.TOLERANT: "Tolerant form: invalid is what `tdcur validate` calls an error. Unknown event types, unknown"
    " fields, nulls in fields that are not required and values outside a documented set are valid, since Braze adds to"
    " all of these at any time.",
    SchemaForm.STRICT: "Strict form: invalid is what `tdcur validate` calls an error, and also what the catalogue does"
    " not have: event types, fields, values of a documented set. Braze adds to these at any time, so this form is for"
    " payloads that one makes oneself.",
}
_CANNOT_SAY: Final = (
    "To JSON Schema 1.0 is an integer, to `tdcur validate` it is not: no schema can tell. Nor can a schema see the text"
    " itself, keys that stand twice, sizes, or ids that come again."
)


def json_schema(
    catalog: Catalog, events: Sequence[EventType], form: SchemaForm, rules: Collection[Constraint]
) -> Schema:
    """The schema of a payload.

    Args:
        catalog: what is known.
        events: the types it is about. Of events of other types the tolerant form asks no more than the members that
            every event has; the strict form refuses them.
        form: what is refused.
        rules: of `tdcur validate`.
    """
    refused = _refused(rules, form)
    guards = {rule.fast for rule in refused}
    defs = _definitions(catalog, events, refused)
    every = len(events) == len(catalog.events)
    release = f"release {catalog.release}"
    about = "all event types" if every else ", ".join(event.name for event in events)
    # Whatever is not the catalogue as it is shipped has an id of its own.
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
    """Errors, and in the strict form whatever the catalog does not list."""
    strict = form is SchemaForm.STRICT
    return [rule for rule in rules if rule.severity is Severity.ERROR or (strict and rule.fast and rule.fast.is_strict)]


def _definitions(catalog: Catalog, events: Sequence[EventType], refused: Collection[Constraint]) -> dict[str, Schema]:
    names = [event.name for event in events]
    ways: dict[str, Schema] = {}
    event = _event(catalog, names, _way(names, 0, ways), refused)
    schemas = TypeSchemas(catalog, {rule.fast for rule in refused})
    types = {f"type:{event.name}": schemas.of(event) for event in events}
    return {"event": event, **ways, **types, **schemas.shared}


def _event(catalog: Catalog, names: Sequence[str], way: Schema, refused: Collection[Constraint]) -> Schema:
    """The five fields that every event has."""
    guards = {rule.fast for rule in refused}
    limits = {name: limits_of(refused, name) for name in EVENT_FIELDS}
    fields: dict[str, Schema] = {name: _event_field(limits[name]) for name in EVENT_FIELDS}
    fields["event_type"] |= {"enum": names} if Guard.KNOWN_TYPE in guards else {}
    time_types = fields["time"].pop("type", list(JSON_TYPES.values()))
    fields["time"] = {"description": "UNIX time in whole seconds, UTC.", **fields["time"]}
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
            {"if": _has_type({"type": "string"}), "then": way},
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


def _way(names: Sequence[str], depth: int, ways: dict[str, Schema]) -> Schema:
    """From an event to the schema of its type, by the word of its name at that depth.

    Args:
        names: of types whose first words are the same.
        depth: how many words those are.
        ways: definitions, to which those for the next words are added.
    """
    families: dict[str, list[str]] = {}
    for name in names:
        words = name.split(".", depth + 1)
        families.setdefault(name.removesuffix(words[-1]) if len(words) > depth + 1 else name, []).append(name)
    steps = []
    # The largest first: most events need one or two conditions then.
    for beginning, members in sorted(families.items(), key=lambda family: -len(family[1])):
        if len(members) == 1:
            steps.append(({"const": members[0]}, ref(f"type:{members[0]}")))
        else:
            key = f"types:{beginning}*"
            ways[key] = {}  # before those of the next words
            ways[key] = _way(members, depth + 1, ways)
            steps.append(({"pattern": "^" + _SYNTAX.sub(r"\\\g<0>", beginning)}, ref(key)))
    return chain((named("event_type", condition), then) for condition, then in steps)


def _has_type(condition: Schema) -> Schema:
    return {"required": ["event_type"], **named("event_type", condition)}


def _with_time_as_string(catalog: Catalog) -> list[str]:
    times = ((event.name, event.field("time", Where.EVENT)) for event in catalog.events.values())
    return [name for name, time in times if time is not None and time.type is FieldType.STRING]
