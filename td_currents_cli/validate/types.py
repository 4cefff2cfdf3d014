"""JSON values and the types that the catalog gives them."""

from collections.abc import Callable
from typing import Any, Final

from td_currents_cli.catalog import FieldType
from td_currents_cli.catalog.constraints import JSON_TYPES
from td_currents_cli.validate.limits import MAX_NAME


def kind_of(value: object) -> str:
    """The type of a JSON value, for a message: never the value itself."""
    if isinstance(value, float):
        return "a number with a fraction or an exponent"
    name = JSON_TYPES[type(value)]
    return name if value is None else f"{'an' if name[0] in 'aio' else 'a'} {name}"


def shortened(name: str) -> str:
    """A name for a message, which stays readable however long the name is."""
    return name if len(name) <= MAX_NAME else f"{name[:MAX_NAME]}…"


EXPECTED: Final[dict[FieldType, str]] = {
    FieldType.STRING: "a string",
    FieldType.INT: "an integer",
    FieldType.LONG: "an integer",
    FieldType.FLOAT: "a number",
    FieldType.BOOLEAN: "a boolean",
    FieldType.STRINGS: "an array of strings",
    FieldType.OBJECT: "an object",
}

IS_TYPE: Final[dict[FieldType, Callable[[Any], bool]]] = {
    FieldType.STRING: lambda value: value is None or isinstance(value, str),
    FieldType.INT: lambda value: value is None or (isinstance(value, int) and not isinstance(value, bool)),
    FieldType.LONG: lambda value: value is None or (isinstance(value, int) and not isinstance(value, bool)),
    FieldType.FLOAT: lambda value: value is None or (isinstance(value, int | float) and not isinstance(value, bool)),
    FieldType.BOOLEAN: lambda value: value is None or isinstance(value, bool),
    FieldType.STRINGS: lambda value: (
        value is None or (isinstance(value, list) and all(isinstance(item, str) for item in value))
    ),
    FieldType.OBJECT: lambda value: value is None or isinstance(value, dict),
}
"""Whether a value is of a type, or null. An integer is a valid float: JSON does not tell them apart."""
