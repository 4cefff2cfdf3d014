r"""Flat events: `event_type`, `id`, `time`, then the members of `user` and `properties` under their bare names.

A name is bare when no other member of the event could have it. One that occurs in both places, or beside them, or is
one of the first three, keeps its place as a prefix: `user.<name>`, `properties.<name>`; so does a name that already
begins like such a prefix, and `events`, which would make a payload of the event. Nothing is overwritten, nothing is
lost. Values are copied byte for byte as they stood; only white space between them goes, and only where a pretty-printed
event would not fit on a line.
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

_Members: TypeAlias = dict[str, Raw]
_members: Final = msgspec.json.Decoder(_Members)


def flatten(event: bytes | Raw) -> bytes:
    """The flat form of one event, as a JSON object on one line.

    Args:
        event: a well-formed JSON object, which may hold lone surrogates.
    """
    try:
        flat = _flatten(event)
    except msgspec.DecodeError:
        hidden, restore = hide_lone_surrogates(bytes(event))
        return restore(_on_one_line(_flatten(hidden)))
    return _on_one_line(flat)


def _flatten(event: bytes | Raw) -> bytes:
    members = _members.decode(event)
    user, properties = (bytes(members.get(place, b"{}")) for place in PLACES)
    if user.startswith(b"{") and properties.startswith(b"{") and _KNOWN.issuperset(members):
        of_user, of_properties = _members.decode(user), _members.decode(properties)
        if _all_bare(of_user, of_properties):
            pieces = [b'"%s":%s' % (name.encode(), members[name]) for name in ENVELOPE if name in members]
            pieces += [place[1:-1].strip() for place, names in ((user, of_user), (properties, of_properties)) if names]
            return b"{" + b",".join(pieces) + b"}"
    if _is_flat(members):
        return bytes(event)
    return b"{" + b",".join(b"%s:%s" % (orjson.dumps(name), value) for name, value in _named(members)) + b"}"


def _is_flat(members: _Members) -> bool:
    """Whether this is a flat event already: nothing to take out of `user` and `properties`, the envelope in front."""
    if any(place in members and bytes(members[place]).startswith(b"{") for place in PLACES):
        return False
    envelope = [name for name in ENVELOPE if name in members]
    return list(islice(members, len(envelope))) == envelope


def _all_bare(user: _Members, properties: _Members) -> bool:
    """Whether no name needs its place as a prefix: then the insides of both objects can stand side by side."""
    return (
        _NEVER_BARE.isdisjoint(user)
        and _NEVER_BARE.isdisjoint(properties)
        and user.keys().isdisjoint(properties)
        and not any(name.startswith(_PREFIXES) for name in (*user, *properties))
    )


def _named(members: _Members) -> Iterator[tuple[str, Raw]]:
    """All members with the names that tell them apart."""
    nested = {
        place: _members.decode(members[place])
        for place in PLACES
        if place in members and bytes(members[place]).startswith(b"{")
    }
    beside = {name: members[name] for name in (*ENVELOPE, *members) if name in members and name not in nested}
    yield from beside.items()
    taken = {*_NEVER_BARE, *beside, *(nested.get("user", {}).keys() & nested.get("properties", {}).keys())}
    for place, inner in nested.items():
        for name, value in inner.items():
            yield _prefixed(f"{place}.{name}", taken) if name in taken or name.startswith(_PREFIXES) else name, value


def _prefixed(name: str, taken: set[str]) -> str:
    place, _, _ = name.partition(".")
    while name in taken:
        name = f"{place}.{name}"
    taken.add(name)
    return name


def _on_one_line(flat: bytes) -> bytes:
    if b"\n" in flat or b"\r" in flat:
        return msgspec.json.format(flat, indent=-1)
    return flat
