"""JSON values that msgspec does not take, by way of Python's own parser: lone surrogates, numbers beyond all limits."""

import json
from typing import Any, Final

_DIGITS: Final = 4300
"""Python's own limit to the length of an integer, beyond which reading it would take its time."""


def loads(text: bytes) -> Any:  # noqa: ANN401 -- any JSON value
    """A well-formed JSON value; an integer of more than 4,300 digits comes out as an infinite float.

    Raises:
        RecursionError: it is nested too deep.
    """
    return json.loads(text, parse_int=_integer)


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= _DIGITS else float(digits)
