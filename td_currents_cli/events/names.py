"""The names of flat events: short, as Braze's storage export has them; as Treasure Data's streaming connector; dotted.

| scheme | `user.user_id` | `properties.campaign_name` |
| --- | --- | --- |
| short | `user_id` | `campaign_name` |
| streaming | `user_user_id` | `properties_campaign_name` |
| dotted | `user.user_id` | `properties.campaign_name` |

`event_type`, `id`, `time` and whatever else stands beside them keep their names. A name that is taken gets its place in
front once more. An event that is flat already is told by its names: those of the user's fields that every catalogue has
stand in one scheme only. In the short one, they and the envelope apart, all fields without a place in front are
properties. An event that has neither any of them nor a property says nothing of its scheme and is taken for short: a
field of the user that no catalogue has, alone in an event, as `user_x`, is then a property of that name.
"""

from collections.abc import Iterator
from typing import Final, TypeAlias

import msgspec
import orjson
from msgspec import Raw

from td_currents_cli.braze import ENVELOPE, PLACES, USER_FIELDS
from td_currents_cli.choices import Names
from td_currents_cli.events.flatten import flatten
from td_currents_cli.events.surrogates import hide_lone_surrogates

Member: TypeAlias = tuple[str, str, Raw]
"""The place of a member (`user`, `properties`, or empty for the event itself), its own name there, and its value."""

_SEPARATORS: Final = {Names.STREAMING: "_", Names.DOTTED: "."}
_decode: Final = msgspec.json.Decoder(dict[str, Raw])


def full_name(place: str, name: str, names: Names) -> str:
    """What a member of `user` or `properties` is called where its name does not clash with another."""
    return f"{place}{_SEPARATORS[names]}{name}" if place in PLACES and names in _SEPARATORS else name


def named(event: bytes, names: Names) -> bytes:
    """The flat form of one event, as a JSON object on one line, with the names of a scheme.

    Args:
        event: a well-formed JSON object, nested or flat in any scheme, which may hold lone surrogates.
        names: the scheme.
    """
    try:
        return _named(event, names)
    except msgspec.DecodeError:
        hidden, restore = hide_lone_surrogates(event)
        return restore(_named(hidden, names))


def members_of(event: bytes) -> list[Member]:
    """The members of an event that holds no lone surrogates: the envelope, then all others as they stand."""
    members = _decode.decode(event)
    nested = [place for place in PLACES if place in members and is_object(members[place])]
    found: list[Member] = [("", name, members[name]) for name in ENVELOPE if name in members]
    if not nested:
        scheme = scheme_of(members)
        return found + [(*_place_of(name, scheme), members[name]) for name in members if name not in ENVELOPE]
    found += [("", name, value) for name, value in members.items() if name not in (*ENVELOPE, *nested)]
    return found + [(place, *pair) for place in nested for pair in _decode.decode(members[place]).items()]


def is_object(value: Raw) -> bool:
    """Whether a JSON value is an object."""
    return bytes(value).startswith(b"{")


def scheme_of(members: "dict[str, Raw]") -> Names:
    """The scheme that the names of a flat event are in."""
    no_bare_user = members.keys().isdisjoint(USER_FIELDS)
    for scheme, separator in _SEPARATORS.items():
        if any(f"user{separator}{name}" in members for name in USER_FIELDS):
            return scheme
        if any(name.startswith(f"properties{separator}") for name in members) and no_bare_user:
            return scheme
    return Names.SHORT


def nested_of(members: list[Member]) -> bytes:
    """Members as an event with `user` and `properties`."""
    beside = [_pair(name, value) for place, name, value in members if not place]
    for each in PLACES:
        inner = b",".join(_pair(name, value) for place, name, value in members if place == each)
        if inner:
            beside.append(b'"%s":{%s}' % (each.encode(), inner))
    return b"{" + b",".join(beside) + b"}"


def _named(event: bytes, names: Names) -> bytes:
    members = _decode.decode(event)
    is_flat = not any(place in members and is_object(members[place]) for place in PLACES)
    if is_flat and scheme_of(members) is names:
        return flatten(event)
    if names is Names.SHORT:
        return flatten(nested_of(members_of(event)) if is_flat else event)
    return _one_line(b"{" + b",".join(_pair(*each) for each in _renamed(members_of(event), names)) + b"}")


def _renamed(members: list[Member], names: Names) -> Iterator[tuple[str, Raw]]:
    separator = _SEPARATORS[names]
    taken = {name for place, name, _ in members if not place}
    for place, name, value in members:
        full = f"{place}{separator}{name}" if place else name
        while place and full in taken:
            full = f"{place}{separator}{full}"
        taken.add(full)
        yield full, value


def _place_of(name: str, scheme: Names) -> tuple[str, str]:
    """The place and the own name of a member of a flat event."""
    for place in PLACES:
        # A short name has its place in front only where it needs it, as `flatten` puts it there.
        prefix = place + _SEPARATORS.get(scheme, ".")
        if name.startswith(prefix):
            return place, name.removeprefix(prefix)
    if scheme is Names.SHORT:
        return ("user" if name in USER_FIELDS else "properties"), name
    return "", name


def _pair(name: str, value: "Raw | bytes") -> bytes:
    return b"%s:%s" % (orjson.dumps(name), value)


def _one_line(line: bytes) -> bytes:
    return msgspec.json.format(line, indent=-1) if b"\n" in line or b"\r" in line else line
