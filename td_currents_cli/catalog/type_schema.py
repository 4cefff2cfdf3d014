"""JSON Schemas of event types: of their `user` and `properties`."""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from enum import StrEnum
from typing import Any, Final, TypeAlias
from urllib.parse import quote

from td_currents_cli.braze import CUSTOM_EVENT, PURCHASE
from td_currents_cli.catalog.constraints import Guard
from td_currents_cli.catalog.event_types import EventType, Field, FieldType, Where
from td_currents_cli.catalog.events_file import Catalog

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
        schema = self._object(others + own)
        custom = self._custom(event) if place is Where.PROPERTIES else {}
        return {**schema, "allOf": [*schema.get("allOf", ()), custom]} if custom else schema

    def _custom(self, event: EventType) -> Schema:
        """The fields of custom data that the overlay lists."""
        if event.name == PURCHASE and self._catalog.purchase_properties:
            return self._with_custom_data(
                "purchase_properties", "purchase_properties", self._catalog.purchase_properties
            )
        if event.name == CUSTOM_EVENT:
            return chain(
                (
                    {"required": ["name"], **named("name", {"const": name})},
                    self._with_custom_data("custom_properties", key, fields),
                )
                for name, fields in self._catalog.custom_events.items()
                for key in (f"custom:{name}",)
            )
        return {}

    def _with_custom_data(self, name: str, key: str, fields: Iterable[Field]) -> Schema:
        schema = self._object(fields)
        required = "required" in schema
        self.shared[key] = {"type": "object" if required else ["object", "null"], **schema}
        return {**named(name, ref(key)), **({"required": [name]} if required else {})}

    def _object(self, fields: Iterable[Field]) -> Schema:
        """An object with these fields; groups that types share are referred to."""
        only_known = Guard.ONLY_KNOWN_FIELDS in self._guards
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
