"""The Avro schema of an event type in Braze's export to cloud storage, as far as the catalog knows it."""

from typing import Any, Final

from td_currents_cli.catalog.model import EventType, FieldType

_TYPES: Final[dict[FieldType, Any]] = {
    FieldType.STRING: "string",
    FieldType.INT: "int",
    FieldType.LONG: "long",
    FieldType.FLOAT: "float",
    FieldType.BOOLEAN: "boolean",
    FieldType.STRINGS: {"type": "array", "items": "string"},
    FieldType.STRINGS_AND_NULLS: {"type": "array", "items": ["null", "string"]},
}


def writer_schema(event_type: EventType) -> dict[str, Any]:
    """Return the schema of a record: the fields of the export with bare names; its type is not among them."""
    namespace, _, name = event_type.name.rpartition(".")
    fields: list[dict[str, Any]] = []
    for field in event_type.fields:
        if field.http_only or field.name == "event_type":
            continue
        of_value = _TYPES[field.type]
        if field.required:
            fields.append({"name": field.name, "type": of_value})
        else:
            fields.append({"name": field.name, "type": ["null", of_value], "default": None})
    return {"type": "record", "namespace": namespace, "name": name, "fields": fields}
