"""JSON Schemas of event types: of what their `user` and `properties` hold."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any, Final, TypeAlias
from urllib.parse import quote

from td_currents_cli.braze import CUSTOM_EVENT, PURCHASE
from td_currents_cli.catalog.event_types import EventType, Field, FieldType, Where
from td_currents_cli.catalog.events_file import Catalog

Schema: TypeAlias = dict[str, Any]


class SchemaForm(StrEnum):
    """What a schema refuses: only what is wrong, or also what is not in the catalogue."""

    TOLERANT = "tolerant"
    STRICT = "strict"


_JSON_TYPES: Final[Mapping[FieldType, str]] = {
    FieldType.STRING: "string",
    FieldType.INT: "integer",
    FieldType.LONG: "integer",
    FieldType.FLOAT: "number",
    FieldType.BOOLEAN: "boolean",
    FieldType.STRINGS: "array",
    FieldType.OBJECT: "object",
}


class TypeSchemas:
    """Makes the schemas of types.

    Attributes:
        shared: the definitions that the schemas made so far refer to, by their names in `$defs`.
    """

    def __init__(self, catalog: Catalog, form: SchemaForm) -> None:
        self._catalog = catalog
        self._strict = form is SchemaForm.STRICT
        self._groups = {
            name: {field.name: self._value(field) for field in fields} for name, fields in catalog.groups.items()
        }
        self.shared: dict[str, Schema] = {}

    def of(self, event: EventType) -> Schema:
        """The schema of an event of that type, which is known to have the members that every event has."""
        places = {place.value: self._place(event, place) for place in (Where.USER, Where.PROPERTIES)}
        return {"description": event.description, "properties": places}

    def _place(self, event: EventType, place: Where) -> Schema:
        """What `user` or `properties` holds."""
        own = [field for field in event.fields if field.where is place]
        # Nobody has seen where fields of the storage export would stand over HTTP.
        others = [field for field in event.fields if field.storage_only and field.where not in {place, Where.EVENT}]
        schema = self._object(others + own)
        custom = self._custom(event) if place is Where.PROPERTIES else {}
        return {**schema, "allOf": [*schema.get("allOf", ()), custom]} if custom else schema

    def _custom(self, event: EventType) -> Schema:
        """What the overlay says of the data that people name themselves."""
        if event.name == PURCHASE and self._catalog.purchase_properties:
            return self._holding("purchase_properties", "purchase_properties", self._catalog.purchase_properties)
        if event.name == CUSTOM_EVENT:
            return chain(
                (
                    {"required": ["name"], **named("name", {"const": name})},
                    self._holding("custom_properties", key, fields),
                )
                for name, fields in self._catalog.custom_events.items()
                for key in (f"custom:{name}",)
            )
        return {}

    def _holding(self, member: str, key: str, fields: Iterable[Field]) -> Schema:
        """Properties that have a member with these fields."""
        held = self._object(fields)
        needed = "required" in held
        self.shared[key] = {"type": "object" if needed else ["object", "null"], **held}
        return {**named(member, ref(key)), **({"required": [member]} if needed else {})}

    def _object(self, fields: Iterable[Field]) -> Schema:
        """Fields, those that are shared with other types by reference."""
        by_name = {field.name: field for field in fields}
        values = {name: self._value(field) for name, field in by_name.items()}
        groups = {name: members for name, members in self._groups.items() if members.items() <= values.items()}
        self.shared |= {f"fields:{name}": {"properties": members} for name, members in groups.items()}
        own = {name: value for name, value in values.items() if not any(name in members for members in groups.values())}
        schema: Schema = {
            "allOf": [ref(f"fields:{name}") for name in groups],
            # `unevaluatedProperties` would need no names, but calls a shared field of a wrong type unexpected too.
            "properties": {name: own.get(name, True) for name in values} if self._strict else own,
            "required": [name for name, field in by_name.items() if field.expected],
        }
        said = {keyword: value for keyword, value in schema.items() if value}
        return {**said, "additionalProperties": False} if self._strict else said

    def _value(self, field: Field) -> Schema:
        name = _JSON_TYPES[field.type]
        value: Schema = {"type": name if field.expected else [name, "null"]}
        if field.type is FieldType.STRINGS:
            value["items"] = {"type": "string"}
        if field.enum and self._strict:
            value["enum"] = [*field.enum] if field.expected else [*field.enum, None]
        if field.until is not None:
            value["deprecated"] = True
        return value


def named(member: str, schema: Schema) -> Schema:
    """The schema of an object with that schema for one member, where it has it."""
    return {"properties": {member: schema}}


def ref(key: str) -> Schema:
    """A reference to a definition in `$defs`: a JSON pointer as a URI fragment."""
    return {"$ref": "#/$defs/" + quote(key.replace("~", "~0").replace("/", "~1"), safe=":*")}


def chain(steps: Iterable[tuple[Schema, Schema]]) -> Schema:
    """Conditions, each with the schema for what meets it and none before it."""
    schema: Schema = {}
    for condition, then in reversed(list(steps)):
        otherwise = {"else": schema} if schema else {}
        schema = {"if": condition, "then": then, **otherwise}
    return schema
