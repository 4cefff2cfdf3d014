"""The outline of an event: what both this program and Treasure Data's engine can tell of its content, as a digest.

It is made of the JSON text that Trino has for the event: members in order of their names, no white space, escapes as
Jackson writes them. Of a number it has the digits before the point, and nothing at all where that text has an exponent,
for the digits that follow depend on the version of Java. So names, texts, booleans, nulls, structure and whole numbers
are compared; a difference behind a decimal point, or in a float below 0.001 or from 10^7 on, is not seen. Unlike
`content`, it takes no null for nothing, and no text of JSON for an object: both sides have events as Braze wrote them.

`warehouse.sql.outline` has the same as SQL.
"""

import json
import re
from hashlib import md5
from math import isfinite
from typing import Any, Final

import msgspec
import orjson
from msgspec import Raw

from td_currents_cli.events.lenient import loads
from td_currents_cli.reconcile.content import UNKNOWN

_members: Final = msgspec.json.Decoder(
    dict[str, Any], float_hook=lambda digits: orjson.Fragment(_whole_part(float(digits)))
)

_BEYOND: Final = re.compile(rb"[\xf0-\xf4]")
"""Characters beyond U+FFFF, which Java sorts before some of those up to it."""

_ESCAPE: Final = re.compile(r"\\u00[01][0-9a-f]|\\\\")
_PLAIN: Final = (1e-3, 1e7)
"""Between these, Java writes floats without an exponent."""


def outline(event: Raw) -> int:
    """The digest, of 64 bits, of an event's JSON.

    UNKNOWN where there is none: for a flat event, of which a table of batches has another form; for what Trino or this
    program cannot read as it stands: lone surrogates, numbers beyond all limits, hundreds of levels.
    """
    try:
        text = _text(event)
    except (ValueError, RecursionError):
        return UNKNOWN
    return UNKNOWN if text is None else int.from_bytes(md5(text, usedforsecurity=False).digest()[:8], "big")


def _text(event: Raw) -> bytes | None:
    try:
        members = _members.decode(event)
        text = orjson.dumps(members, option=orjson.OPT_SORT_KEYS) if _is_nested(members) else None
    except (msgspec.DecodeError, orjson.JSONEncodeError):
        return _exact_text(event)
    if text and (b"\\u00" in text or not (text.isascii() or _BEYOND.search(text) is None)):
        return _exact_text(event)
    return text


def _exact_text(event: Raw) -> bytes | None:
    members = loads(bytes(event))
    return _said(members).encode() if _is_nested(members) else None


def _is_nested(members: dict[str, Any]) -> bool:
    return type(members.get("user")) is dict or type(members.get("properties")) is dict


def _said(value: Any) -> str:  # noqa: ANN401 -- any JSON value
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, dict):
        return f"{{{','.join([f'{_quoted(name)}:{_said(value[name])}' for name in sorted(value, key=_in_java)])}}}"
    if isinstance(value, list):
        return f"[{','.join([_said(each) for each in value])}]"
    return _whole_part(value) if isinstance(value, float) else json.dumps(value)


def _quoted(text: str) -> str:
    r"""As Jackson writes it: all as it stands but `"`, `\` and control characters, with large hexadecimal digits."""
    return _ESCAPE.sub(lambda escape: escape[0][:2] + escape[0][2:].upper(), json.dumps(text, ensure_ascii=False))


def _in_java(name: str) -> bytes:
    """What Java orders texts by: their UTF-16."""
    return name.encode("utf-16-be")


def _whole_part(number: float) -> str:
    if not isfinite(number):
        raise ValueError
    least, end = _PLAIN
    return repr(number).partition(".")[0] if not number or least <= abs(number) < end else ""
