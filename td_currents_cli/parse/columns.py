"""The columns of flat events: which there are, and which kinds of values they hold."""

from collections.abc import Iterable, Mapping
from math import isfinite
from typing import Final

import msgspec
import orjson
from msgspec import Raw, Struct

from td_currents_cli.braze import ENVELOPE
from td_currents_cli.catalog import load
from td_currents_cli.catalog.event_types import Where
from td_currents_cli.catalog.suggest import nearest
from td_currents_cli.choices import Names
from td_currents_cli.events.lenient import loads
from td_currents_cli.events.names import full_name
from td_currents_cli.events.surrogates import hide_lone_surrogates
from td_currents_cli.write.json_text import json_line

_decode: Final = msgspec.json.Decoder(dict[str, Raw])
_PLACES: Final = list(Where)
_LONGEST: Final = 18
"""Digits that surely fit into 64 bits."""

_EXACT: Final = 15
"""Digits of an integer that a double surely holds."""


class Met(Struct):
    """What was met in flat events.

    Attributes:
        types: event types, as JSON texts, in the order met.
        names: of their members, each with the kinds of its values, in the order met.
    """

    types: dict[bytes, None] = {}
    names: dict[str, set[str]] = {}

    def add(self, lines: Iterable[bytes]) -> None:
        """Take flat events."""
        for line in lines:
            members = members_of(line)
            self.types[bytes(members.get("event_type", b"null"))] = None
            for name, value in members.items():
                self.names.setdefault(name, set()).add(kind_of(bytes(value)))

    def merge(self, other: "Met") -> None:
        """Take what was met elsewhere."""
        self.types |= other.types
        for name, kinds in other.names.items():
            self.names.setdefault(name, set()).update(kinds)


def members_of(line: bytes) -> Mapping[str, bytes | Raw]:
    """The members of a flat event, each as it stands."""
    try:
        return _decode.decode(line)
    except msgspec.DecodeError:
        hidden, restore = hide_lone_surrogates(line)
        found = _decode.decode(hidden).items()
        return {text_of(restore(orjson.dumps(name))): restore(bytes(value)) for name, value in found}


def kind_of(value: bytes) -> str:
    """What a JSON value is: `null`, `string`, `boolean`, `nested`, or a number.

    A number is a `number` if a double holds it, a `long` too if it is an integer, `huge` if only 64 bits hold it,
    `other` if nothing does.
    """
    first = value[:1]
    if first == b'"':
        return "string"
    if first in b"-0123456789":
        return _kind_of_number(value)
    return "nested" if first in b"{[" else "null" if first == b"n" else "boolean"


def _kind_of_number(value: bytes) -> str:
    digits = value.removeprefix(b"-")
    if not digits.isdigit():
        return "number" if isfinite(float(value)) else "other"
    # `-0` is no integer: it has a sign that one would lose.
    if value == b"-0":
        return "number"
    return "long" if len(digits) <= _EXACT else "huge" if len(digits) <= _LONGEST else "other"


def columns_of(met: Met, names: Names, *, with_personal: bool = True) -> tuple[str, ...]:
    """All columns, in the order of the catalogue; what it does not know follows, as it was met.

    The types that were met have all their columns, whether an event has a value for one or not; those of personal data
    only if they are wanted.
    """
    types = {text_of(each) for each in met.types}
    found: dict[str, int] = {}
    for event in load().events.values():
        for field in event.fields:
            name = full_name(field.where, field.name, names)
            is_usual = not field.storage_only and (with_personal or not field.pii)
            if name in met.names or (event.name in types and is_usual):
                found.setdefault(name, _PLACES.index(field.where))
    return tuple({**dict.fromkeys(ENVELOPE), **dict.fromkeys(sorted(found, key=found.__getitem__)), **met.names})


def unknown_of(fields: Iterable[str], names: Names) -> dict[str, str | None]:
    """Those of some names of a scheme that the catalogue does not know, each with the known one that may be meant."""
    every = (field for event in load().events.values() for field in event.fields)
    known = tuple({full_name(field.where, field.name, names): None for field in every} | dict.fromkeys(ENVELOPE))
    return {name: nearest(name, known, separator="_") for name in fields if name not in known}


def chosen(line: bytes, fields: tuple[str, ...]) -> bytes:
    """A flat event with these members alone, in this order, as far as it has them."""
    members = members_of(line)
    return b"{" + b",".join(b"%s:%s" % (_name(name), members[name]) for name in fields if name in members) + b"}"


def nested_as_text(line: bytes) -> bytes:
    """A flat event in which objects and arrays are texts that hold their JSON."""
    members = members_of(line)
    values = {name: bytes(value) for name, value in members.items()}
    if not any(value.startswith((b"{", b"[")) for value in values.values()):
        return line
    pairs = [
        b"%s:%s" % (_name(name), orjson.dumps(value.decode()) if value.startswith((b"{", b"[")) else value)
        for name, value in values.items()
    ]
    return b"{" + b",".join(pairs) + b"}"


def text_of(value: bytes | Raw) -> str:
    """What a JSON text says; empty for any other value."""
    if not bytes(value).startswith(b'"'):
        return ""
    found: str = loads(bytes(value))
    return found


def _name(name: str) -> bytes:
    return json_line(name)[:-1]
