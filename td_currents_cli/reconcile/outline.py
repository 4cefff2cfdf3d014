"""The outline of an event: a digest of the part of its content that both tdcur and Treasure Data's engine can compute.

It is made of the JSON that Trino has for the event: fields sorted by name, no white space, escapes as Jackson writes
them. Numbers are cut at the decimal point, and left out if Trino writes them with an exponent, because the digits that
follow depend on the version of Java. So names, strings, booleans, nulls, structure and integers are compared; a
difference after a decimal point, or in a float below 0.001 or from 10^7 on, is not found. Unlike in `content`, a null
differs from a missing field, and a string of JSON from an object: both sides have events as Braze wrote them.

`warehouse.sql.outline` computes the same in SQL.
"""

import json
import re
from hashlib import md5
from math import isfinite
from typing import Any, Final

import msgspec
import orjson
from msgspec import Raw

from td_currents_cli.events.json import loads
from td_currents_cli.reconcile.content import UNKNOWN

_fields: Final = msgspec.json.Decoder(
    dict[str, Any], float_hook=lambda digits: orjson.Fragment(_integer_part(float(digits)))
)

_ABOVE_FFFF: Final = re.compile(rb"[\xf0-\xf4]")
"""Characters above U+FFFF, which Java sorts before some of those below."""

_ESCAPE: Final = re.compile(r"\\u00[01][0-9a-f]|\\\\")
_WITHOUT_EXPONENT: Final = (1e-3, 1e7)
"""Java writes floats from the first to below the second without an exponent."""


def outline(event: Raw) -> int:
    """The 64-bit digest of an event's JSON.

    UNKNOWN for a flat event, which a table of batches has in another form, and for what Trino or tdcur cannot read
    exactly: lone surrogates, numbers beyond all limits, hundreds of levels.
    """
    try:
        text = _canonical_json(event)
    except (ValueError, RecursionError):
        return UNKNOWN
    return UNKNOWN if text is None else int.from_bytes(md5(text, usedforsecurity=False).digest()[:8], "big")


def _canonical_json(event: Raw) -> bytes | None:
    try:
        fields = _fields.decode(event)
        text = orjson.dumps(fields, option=orjson.OPT_SORT_KEYS) if _is_nested(fields) else None
    except (msgspec.DecodeError, orjson.JSONEncodeError):
        return _careful_json(event)
    if text and (b"\\u00" in text or not (text.isascii() or _ABOVE_FFFF.search(text) is None)):
        return _careful_json(event)
    return text


def _careful_json(event: Raw) -> bytes | None:
    fields = loads(bytes(event))
    return _canonical_value(fields).encode() if _is_nested(fields) else None


def _is_nested(fields: dict[str, Any]) -> bool:
    return type(fields.get("user")) is dict or type(fields.get("properties")) is dict


def _canonical_value(value: Any) -> str:  # noqa: ANN401 -- any JSON value
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, dict):
        fields = [f"{_quoted(name)}:{_canonical_value(value[name])}" for name in sorted(value, key=_java_order)]
        return f"{{{','.join(fields)}}}"
    if isinstance(value, list):
        return f"[{','.join([_canonical_value(each) for each in value])}]"
    return _integer_part(value) if isinstance(value, float) else json.dumps(value)


def _quoted(text: str) -> str:
    r"""A string as Jackson writes it: only `"`, `\` and control characters escaped, with upper-case digits."""
    return _ESCAPE.sub(lambda escape: escape[0][:2] + escape[0][2:].upper(), json.dumps(text, ensure_ascii=False))


def _java_order(name: str) -> bytes:
    """Java sorts strings by their UTF-16."""
    return name.encode("utf-16-be")


def _integer_part(number: float) -> str:
    if not isfinite(number):
        raise ValueError
    least, end = _WITHOUT_EXPONENT
    return repr(number).partition(".")[0] if not number or least <= abs(number) < end else ""
