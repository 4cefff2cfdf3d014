r"""Flat events: `event_type`, `id`, `time`, then the fields of `user` and `properties` without prefixes.

A name gets the prefix `user.` or `properties.` if it is ambiguous: it occurs in both objects or as another field of the
event, it already begins with such a prefix, or it is `events`, which would make the event a payload. Nothing is
overwritten or lost. Values are copied byte for byte; only the line ends of a pretty-printed event are removed.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Final, TypeAlias

import msgspec
import orjson
from msgspec import Raw

from td_currents_cli.braze import ENVELOPE, EVENT_FIELDS, PLACES
from td_currents_cli.events.surrogates import hide_lone_surrogates

_KNOWN: Final = frozenset(EVENT_FIELDS)
_NEVER_BARE: Final = _KNOWN | {"events"}
_PREFIXES: Final = tuple(f"{place}." for place in PLACES)

_Fields: TypeAlias = dict[str, Raw]
_fields: Final = msgspec.json.Decoder(_Fields)


def flatten(event: bytes | Raw) -> bytes:
    """Flatten an event, a well-formed JSON object that may contain lone surrogates, to a JSON object on one line."""
    try:
        flat = _flatten(event)
    except msgspec.DecodeError:
        hidden, restore = hide_lone_surrogates(bytes(event))
        return restore(on_one_line(_flatten(hidden)))
    return on_one_line(flat)


def _flatten(event: bytes | Raw) -> bytes:
    fields = _fields.decode(event)
    user, properties = (bytes(fields.get(place, b"{}")) for place in PLACES)
    if user.startswith(b"{") and properties.startswith(b"{") and _KNOWN.issuperset(fields):
        of_user, of_properties = _fields.decode(user), _fields.decode(properties)
        if _all_bare(of_user, of_properties):
            pieces = [b'"%s":%s' % (name.encode(), fields[name]) for name in ENVELOPE if name in fields]
            pieces += [place[1:-1].strip() for place, names in ((user, of_user), (properties, of_properties)) if names]
            return b"{" + b",".join(pieces) + b"}"
    if _is_flat(fields):
        return bytes(event)
    return b"{" + b",".join(b"%s:%s" % (orjson.dumps(name), value) for name, value in _with_unique_names(fields)) + b"}"


def _is_flat(fields: _Fields) -> bool:
    """Whether the event is already flat: nothing to take out of `user` and `properties`, the envelope first."""
    if any(place in fields and bytes(fields[place]).startswith(b"{") for place in PLACES):
        return False
    envelope = [name for name in ENVELOPE if name in fields]
    return list(islice(fields, len(envelope))) == envelope


def _all_bare(user: _Fields, properties: _Fields) -> bool:
    """Whether no name needs a prefix: then the insides of both objects can be joined."""
    return (
        _NEVER_BARE.isdisjoint(user)
        and _NEVER_BARE.isdisjoint(properties)
        and user.keys().isdisjoint(properties)
        and not any(name.startswith(_PREFIXES) for name in (*user, *properties))
    )


def _with_unique_names(fields: _Fields) -> Iterator[tuple[str, Raw]]:
    nested = {
        place: _fields.decode(fields[place])
        for place in PLACES
        if place in fields and bytes(fields[place]).startswith(b"{")
    }
    others = {name: fields[name] for name in (*ENVELOPE, *fields) if name in fields and name not in nested}
    yield from others.items()
    taken = {*_NEVER_BARE, *others, *(nested.get("user", {}).keys() & nested.get("properties", {}).keys())}
    for place, inner in nested.items():
        for name, value in inner.items():
            yield _prefixed(f"{place}.{name}", taken) if name in taken or name.startswith(_PREFIXES) else name, value


def _prefixed(name: str, taken: set[str]) -> str:
    place, _, _ = name.partition(".")
    while name in taken:
        name = f"{place}.{name}"
    taken.add(name)
    return name


def on_one_line(flat: bytes) -> bytes:
    if b"\n" in flat or b"\r" in flat:
        return msgspec.json.format(flat, indent=-1)
    return flat
