"""Flat rows turned back into events: tables of Treasure Data's streaming connector, and our own output.

The connector joins nested names with `_` (`user_external_user_id`, `properties_campaign_name`), writes arrays as JSON
strings and leaves nulls out (Treasure Data's page on Braze Currents Streaming). The catalog tells which object a bare
name belongs to, and which type a CSV cell has: what it does not know is a property, and stays a string.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from functools import cache, lru_cache
from typing import Any, Final, TypeAlias

import msgspec
import orjson

from td_currents_cli.braze import CUSTOM_FIELDS, ENVELOPE, EVENT_FIELDS, PLACES
from td_currents_cli.catalog import FieldType, Where, load
from td_currents_cli.catalog.ddl import RECEIVED_TIME
from td_currents_cli.choices import Names
from td_currents_cli.patterns import pattern
from td_currents_cli.read.formats.cell import fields_of
from td_currents_cli.read.scanner import is_json

NULL: Final = "\\N"

_ESCAPE: Final = pattern(r"\\([tnr\\]|u[dD][89a-fA-F][0-9a-fA-F]{2})")
_ESCAPED: Final = {"t": "\t", "n": "\n", "r": "\r", "\\": "\\"}
_BACKSLASH: Final = pattern(rf"{_ESCAPE.pattern}|\\N|\\$|(?P<other>\\)")


def unescaped(cell: str) -> str:
    """Replace the escapes of a cell (see `write.formats`) by the characters they stand for."""
    if "\\" not in cell:
        return cell
    return _ESCAPE.sub(lambda escape: _ESCAPED.get(escape[1]) or chr(int(escape[1][1:], 16)), cell)


class QuotedCell(str):
    """A cell of CSV that is a string for sure, whatever it looks like."""

    __slots__ = ()


def is_escaped(rows: Sequence[Sequence[str]]) -> bool:
    r"""Whether the cells of a TSV table of events, its first row the names, are escaped, as `parse` does.

    Where no null shows it (`\N`): no backslash is anything but an escape, and what Treasure Data writes for null is in
    no column of numbers. Names of the streaming connector are most likely of its table.
    """
    if any(NULL in row for row in rows):
        return True
    if any(found["other"] for row in rows for cell in row for found in _BACKSLASH.finditer(cell)):
        return False
    names = [unescaped(name) for name in rows[0]]
    if is_streaming(dict.fromkeys(names)):
        return False
    numeric = [index for index, name in enumerate(names) if type_of_cells(name) in _NEVER_EMPTY]
    return not any(row[index] in _NULLS for row in rows[1:] if len(row) == len(names) for index in numeric)


_Path: TypeAlias = tuple[str, ...]

_MARKS: Final = (b'"properties_', b'"user_external_user_id"', b'"user_user_id"')
_PAYLOAD_START: Final = pattern(rb'\{\s*"events"\s*:')
_INTEGER: Final = pattern(r"-?(?:0|[1-9][0-9]*)")
_NUMBER: Final = pattern(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_NUMBERS: Final = (FieldType.INT, FieldType.LONG, FieldType.FLOAT)
_BOOLEANS: Final = frozenset({b'"true"', b'"false"'})
_NESTED: Final = {FieldType.STRINGS, FieldType.STRINGS_AND_NULLS, FieldType.OBJECT}
_NULLS: Final = frozenset({"", "null"})
"""What Treasure Data writes for no value; anything else may be the name of a campaign."""
_NEVER_EMPTY: Final = {*_NUMBERS, FieldType.BOOLEAN}


def event_of_flat_row(document: bytes) -> bytes | None:
    """Return the event of a flat row with the names of the streaming connector; None for anything else."""
    # Payloads, the largest and most common documents, are not searched.
    if _PAYLOAD_START.match(document) or not any(mark in document for mark in _MARKS):
        return None
    fields = fields_of(document)
    if "event_type" not in fields or not fields.keys().isdisjoint(PLACES) or not is_streaming(fields):
        return None
    return event_of_fields(fields)


def is_streaming(names: Mapping[str, object]) -> bool:
    """Whether these are names of the streaming connector: `user_` or `properties_` and a field of the catalog."""
    return any(
        name.startswith(f"{where}_") and name.removeprefix(f"{where}_") in _field_types(where)
        for name in names
        for where in (Where.USER, Where.PROPERTIES)
    )


def has_names_of(scheme: Names, names: Collection[str]) -> bool:
    """Whether the names of a table are those that `parse` writes in a scheme."""
    is_of_connector = is_streaming(dict.fromkeys(names))
    match scheme:
        case Names.SHORT:
            return not is_of_connector
        case Names.STREAMING:
            return is_of_connector or any(name.startswith("properties_") for name in names)
        case Names.DOTTED:
            is_dotted = any(name.startswith(("user.", "properties.")) for name in names)
            return is_dotted and not is_of_connector and _field_types(Where.USER).keys().isdisjoint(names)


def event_of_fields(fields: Mapping[str, bytes], *, streaming: bool | None = None, flat: bool = False) -> bytes:
    """Return the event whose fields have these flat names; JSON values stay unchanged, except for JSON in strings.

    Nulls are left out, as by the connector, but that of `event_type`, which makes an object an event. Whether the names
    are the connector's is detected by default; a receive time next to them is left out. The event can be kept flat.
    """
    streaming = is_streaming(fields) if streaming is None else streaming
    event: dict[str, Any] = {"event_type": fields.get("event_type", b"null")}
    # First, as fields cannot be put into a `user` that is not an object.
    for name in (*(ENVELOPE if flat else PLACES), *fields):
        value = fields.get(name, b"null")
        if value == b"null" or name == "event_type" or (streaming and name == RECEIVED_TIME):
            continue
        path = _path(name, streaming)
        place = None if flat else _object_at(event, path[:-1])
        if place is None or path[-1] in place:
            event[name] = _unpacked(path[-1], value)
        else:
            place[path[-1]] = _unpacked(path[-1], value)
    return _written(event)


def _object_at(event: dict[str, Any], path: _Path) -> dict[str, Any] | None:
    """Return the object at that place, which is created if it is missing; None if something else is there."""
    for name in path:
        inner = event.setdefault(name, {})
        if not isinstance(inner, dict):
            return None
        event = inner
    return event


def with_booleans(event: bytes) -> bytes:
    """Return an event made of a flat row with booleans where the connector has made strings of them."""
    fields: dict[str, Any] = fields_of(event)
    for place in fields.keys() & PLACES:
        if fields[place].startswith(b"{"):
            fields[place] = {
                name: value.strip(b'"') if value in _BOOLEANS and _type(name) is FieldType.BOOLEAN else value
                for name, value in fields_of(fields[place]).items()
            }
    return _written(fields)


def event_of_strings(
    names: Sequence[str],
    cells: Sequence[str | None],
    *,
    escaped: bool = False,
    quoted: bool = False,
    flat: bool = False,
) -> bytes:
    """Return the event of a row of strings, with the types of the catalog; cells without a value are left out.

    Where they are escaped or quoted, null is distinguished from strings: it is None in the latter.
    """
    streaming = is_streaming(dict.fromkeys(names))
    nothing = {NULL} if escaped else () if quoted else _NULLS
    fields = {
        name: _typed(_path(name, streaming)[-1], unescaped(cell) if escaped else cell, exact=escaped)
        for name, cell in zip(names, cells, strict=True)
        if cell is not None and cell not in nothing
    }
    return event_of_fields(fields, streaming=streaming, flat=flat)


@lru_cache(1 << 12)  # names are data
def _path(name: str, streaming: bool) -> _Path:  # noqa: FBT001 -- cached by both
    place, dot, rest = name.partition(".")
    users = _field_types(Where.USER)
    if dot and place in PLACES:
        return (place, rest)
    if streaming and name.startswith("properties_"):
        field = name.removeprefix("properties_")
        custom = next((custom for custom in CUSTOM_FIELDS if field.startswith(f"{custom}_")), None)
        return ("properties", field) if custom is None else ("properties", custom, field.removeprefix(f"{custom}_"))
    if streaming and name.startswith("user_") and (name.removeprefix("user_") in users or name not in users):
        return ("user", name.removeprefix("user_"))
    if name in users:
        return ("user", name)
    return (name,) if streaming or name in EVENT_FIELDS else ("properties", name)


@cache
def _field_types(where: Where) -> Mapping[str, FieldType]:
    """Return the types of the fields of an object, by name.

    A field has one type wherever it occurs, except `time` and `duration`: the widest of theirs.
    """
    fields = [field for event_type in load().events.values() for field in event_type.fields if field.where is where]
    widths = {kind: width for width, kind in enumerate(_NUMBERS, 1)}
    return {field.name: field.type for field in sorted(fields, key=lambda field: widths.get(field.type, 0))}


def _type(name: str) -> FieldType | None:
    return next((kind for where in Where if (kind := _field_types(where).get(name))), None)


def type_of_cells(name: str, *, streaming: bool = False) -> FieldType | None:
    """Return the type of the cells of a column; None if the catalog does not know it."""
    return _type(_path(name, streaming)[-1])


def json_of_cell(name: str, cell: str, *, streaming: bool) -> bytes:
    """Return the value of a cell that is a string for sure, with the type of the catalog."""
    return _typed(_path(name, streaming)[-1], cell, exact=True)


def _typed(name: str, cell: str, *, exact: bool) -> bytes:
    kind = None if isinstance(cell, QuotedCell) else _type(name)
    if kind in _NUMBERS and (_NUMBER if kind is FieldType.FLOAT else _INTEGER).fullmatch(cell):
        return cell.encode()
    if kind is FieldType.BOOLEAN and (cell if exact else cell.lower()) in {"true", "false"}:
        return cell.lower().encode()
    return _string(cell)


def _string(string: str) -> bytes:
    try:
        return orjson.dumps(string)
    except orjson.JSONEncodeError:
        # A lone surrogate.
        return json.dumps(string, ensure_ascii=False).encode(errors="backslashreplace")


def _unpacked(name: str, value: bytes) -> bytes:
    """Decode a string that was an array or an object before it was encoded."""
    if value[:2] in {b'"[', b'"{'} and _type(name) in _NESTED:
        with suppress(msgspec.DecodeError):
            inner: bytes = msgspec.json.decode(value, type=str).encode()
            # Anything around it, or a line end in it, was not written by an encoder of JSON.
            if inner.endswith((b"]", b"}")) and b"\n" not in inner and b"\r" not in inner and is_json(inner):
                return inner
    return value


def _written(value: dict[str, Any] | bytes) -> bytes:
    if isinstance(value, bytes):
        return value
    return b"{" + b",".join([_string(name) + b":" + _written(inner) for name, inner in value.items()]) + b"}"
