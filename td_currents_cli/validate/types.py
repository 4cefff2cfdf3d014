"""JSON values and the types the catalogue gives them."""

from collections.abc import Callable
from typing import Any, Final

from td_currents_cli.catalog import FieldType

LONGEST: Final = 200
"""Characters of a name in a message. A longer one is nobody's slip of the pen."""


def kind_of(value: object) -> str:
    """What kind of JSON value this is, for a message: never the value itself."""
    if value is None:
        return "null"
    return _NAMES[type(value)]


def shown(name: str) -> str:
    """A name for a message, which stays a line that can be read however long the name is."""
    return name if len(name) <= LONGEST else f"{name[:LONGEST]}…"


_NAMES: Final[dict[type, str]] = {
    str: "a text",
    bool: "a boolean",
    int: "an integer",
    float: "a number with a fraction or an exponent",
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
    FieldType.STRING: lambda value: value is None or isinstance(value, str),
    FieldType.INT: lambda value: value is None or (isinstance(value, int) and not isinstance(value, bool)),
    FieldType.LONG: lambda value: value is None or (isinstance(value, int) and not isinstance(value, bool)),
    FieldType.FLOAT: lambda value: value is None or (isinstance(value, int | float) and not isinstance(value, bool)),
    FieldType.BOOLEAN: lambda value: value is None or isinstance(value, bool),
    FieldType.STRINGS: lambda value: value is None or (isinstance(value, list) and all(map(_is_text, value))),
    FieldType.OBJECT: lambda value: value is None or isinstance(value, dict),
}
"""Whether a value is of a type, or null. A whole number is a float too: JSON does not tell them apart."""


def _is_text(value: object) -> bool:
    return isinstance(value, str)
