"""JSON values and the types the catalogue gives them."""

from collections.abc import Callable
from typing import Any, Final

from td_currents_cli.catalog import FieldType


def name_of(value: object) -> str:
    """What kind of JSON value this is, for a message: never the value itself."""
    if value is None:
        return "null"
    return _NAMES[type(value)]


def _strings(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


_NAMES: Final[dict[type, str]] = {
    str: "a text",
    bool: "a boolean",
    int: "an integer",
    float: "a number with a fraction",
    list: "an array",
    dict: "an object",
}

EXPECTED: Final[dict[FieldType, str]] = {
    FieldType.STRING: "a text",
    FieldType.INT: "an integer",
    FieldType.LONG: "an integer",
    FieldType.FLOAT: "a number",
    FieldType.BOOLEAN: "a boolean",
    FieldType.STRINGS: "an array of texts",
    FieldType.OBJECT: "an object",
}

IS_TYPE: Final[dict[FieldType, Callable[[Any], bool]]] = {
    FieldType.STRING: lambda value: isinstance(value, str),
    FieldType.INT: lambda value: isinstance(value, int) and not isinstance(value, bool),
    FieldType.LONG: lambda value: isinstance(value, int) and not isinstance(value, bool),
    FieldType.FLOAT: lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    FieldType.BOOLEAN: lambda value: isinstance(value, bool),
    FieldType.STRINGS: _strings,
    FieldType.OBJECT: lambda value: isinstance(value, dict),
}
"""A whole number is a float too: JSON does not tell them apart."""
