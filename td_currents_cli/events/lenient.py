"""JSON that msgspec refuses, with Python's own parser: lone surrogates, numbers of any size."""

import json
from typing import Any, Final

_MAX_DIGITS: Final = 4300
"""Python's limit for the length of an integer: the time to parse one grows with the square of its length."""


def loads(value: bytes) -> Any:  # noqa: ANN401 -- any JSON value
    """Decode well-formed JSON; an integer of over 4,300 digits becomes an infinite float. Raises RecursionError."""
    return json.loads(value, parse_int=_integer)


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= _MAX_DIGITS else float(digits)
