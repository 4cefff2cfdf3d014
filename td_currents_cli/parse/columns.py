"""The columns of flat events, and the types of the values in them."""

from collections.abc import Iterable, Mapping
from itertools import count
from math import isfinite
from typing import Final

import msgspec
import orjson
from msgspec import Raw, Struct

from td_currents_cli.braze import ENVELOPE
from td_currents_cli.catalog import load
from td_currents_cli.catalog.model import Where
from td_currents_cli.choices import Names
from td_currents_cli.events.flatten import full_name
from td_currents_cli.events.json import hide_lone_surrogates, string_of
from td_currents_cli.suggestions import nearest
from td_currents_cli.write.formats import json_line

_decode: Final = msgspec.json.Decoder(dict[str, Raw])
_ORDER: Final = list(Where)
MAX_UNKNOWN: Final = 2_000
"""Columns of a table for fields that the catalog does not know."""

OTHER_FIELDS: Final = "other_fields"
"""The column for the rest of them, as a JSON object."""

_INT64_DIGITS: Final = 18  # maximum of an integer that fits into 64 bits
_DOUBLE_DIGITS: Final = 15  # maximum of an integer that a double holds exactly


class ColumnStats(Struct):
    """What occurs in flat events, in the order it was first seen."""

    types: dict[bytes, None] = {}  # event types, as JSON
    kinds: dict[str, set[str]] = {}  # for each field that is not always null, the kinds of its values but null

    def add(self, lines: Iterable[bytes]) -> None:
        for line in lines:
            fields = fields_of(line)
            self.types[bytes(fields.get("event_type", b"null"))] = None
            self.add_kinds(fields.items())

    def add_kinds(self, fields: Iterable[tuple[str, bytes | Raw]]) -> None:
        for name, value in fields:
            if (written := bytes(value)) != b"null":
                self.kinds.setdefault(name, set()).add(kind_of_value(written))

    def merge(self, other: "ColumnStats") -> None:
        self.types |= other.types
        for name, kinds in other.kinds.items():
            self.kinds.setdefault(name, set()).update(kinds)


def fields_of(line: bytes) -> Mapping[str, bytes | Raw]:
    """The fields of a flat event, each value as it is written."""
    try:
        return _decode.decode(line)
    except msgspec.DecodeError:
        hidden, restore = hide_lone_surrogates(line)
        found = _decode.decode(hidden).items()
        return {string_of(restore(orjson.dumps(name))): restore(bytes(value)) for name, value in found}


def kind_of_value(value: bytes) -> str:
    """`string`, `boolean`, `nested`, or the kind of a number, of a value that is not null.

    A number is a `long` if both a double and 64 bits hold it, `huge` if only 64 bits do, `number` if only a double
    does, and `other` if neither does.
    """
    match value[:1]:
        case b'"':
            return "string"
        case b"{" | b"[":
            return "nested"
        case b"t" | b"f":
            return "boolean"
    digits = value.removeprefix(b"-")
    # As an integer, `-0` would lose its sign.
    if not digits.isdigit() or value == b"-0":
        return "number" if isfinite(float(value)) else "other"
    return "long" if len(digits) <= _DOUBLE_DIGITS else "huge" if len(digits) <= _INT64_DIGITS else "other"


def columns_of(stats: ColumnStats, names: Names, *, with_personal: bool = True) -> tuple[tuple[str, ...], str | None]:
    """All columns in the order of the catalog, then unknown ones in the order seen; and the last one, for other fields.

    There are other fields only if more than MAX_UNKNOWN are unknown: the size of a table is rows times columns.

    An event type that occurs has all its columns, also those without a value in any event (columns of personal data
    only if requested); any other field has a column if some event has a value.
    """
    types = {string_of(each) for each in stats.types}
    found: dict[str, int] = {}
    for event in load().events.values():
        for field in event.fields:
            name = full_name(field.where, field.name, names)
            is_usual = not field.storage_only and (with_personal or not field.pii)
            if name in stats.kinds or (event.name in types and is_usual):
                found.setdefault(name, _ORDER.index(field.where))
    known = {**dict.fromkeys(ENVELOPE), **dict.fromkeys(sorted(found, key=found.__getitem__))}
    unknown = [name for name in stats.kinds if name not in known]
    if len(unknown) <= MAX_UNKNOWN + (OTHER_FIELDS in stats.kinds):
        return (*known, *unknown), None
    others = next(name for name in ("." * n + OTHER_FIELDS for n in count()) if name not in stats.kinds)
    return (*known, *unknown[:MAX_UNKNOWN], others), others


def unknown_fields(fields: Iterable[str], names: Names) -> dict[str, str | None]:
    """The fields that the catalog does not know, each with the most similar known one."""
    events = load().events.values()
    listed = ((field.where, field.name) for event in events for field in event.fields)
    mentioned = ((Where.PROPERTIES, name) for event in events for name in event.known_names)
    every = (full_name(where, name, names) for where, name in (*listed, *mentioned))
    known = tuple(dict.fromkeys((*every, *ENVELOPE)))
    return {name: nearest(name, known, separator="_") for name in fields if name not in known}


def select_fields(line: bytes, names: tuple[str, ...]) -> bytes:
    """A flat event with only these fields, in this order."""
    fields = fields_of(line)
    return _object({name: fields[name] for name in names if name in fields})


def nested_as_strings(line: bytes) -> bytes:
    """A flat event with objects and arrays as JSON strings."""
    values = {name: bytes(value) for name, value in fields_of(line).items()}
    nested = {name: orjson.dumps(value.decode()) for name, value in values.items() if value.startswith((b"{", b"["))}
    return _object(values | nested) if nested else line


def _object(fields: Mapping[str, bytes | Raw]) -> bytes:
    return b"{" + b",".join([b"%s:%s" % (json_line(name)[:-1], value) for name, value in fields.items()]) + b"}"
