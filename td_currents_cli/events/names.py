"""Naming schemes for the fields of flat events.

Short is the scheme of Braze's storage export, streaming that of Treasure Data's connector.

| scheme | `user.user_id` | `properties.campaign_name` |
| --- | --- | --- |
| short | `user_id` | `campaign_name` |
| streaming | `user_user_id` | `properties_campaign_name` |
| dotted | `user.user_id` | `properties.campaign_name` |

Other fields of the event keep their names. A name that is taken gets the prefix once more. The scheme of an event that
is already flat is found from its names: the usual fields of `user` are written differently in each scheme. In the short
scheme, all fields without a prefix are properties, except those and the envelope. An event with none of them and no
property does not show its scheme and is taken as short: an unknown field of the user, such as `user_x`, is then a
property of that name.
"""

from collections.abc import Iterator
from typing import Final, TypeAlias

import msgspec
import orjson
from msgspec import Raw

from td_currents_cli.braze import ENVELOPE, PLACES, USER_FIELDS
from td_currents_cli.choices import Names
from td_currents_cli.events.flatten import flatten, on_one_line
from td_currents_cli.events.surrogates import hide_lone_surrogates

NestedField: TypeAlias = tuple[str, str, Raw]
"""The object that a field is in (`user`, `properties`, or empty for the event), its name there, and its value."""

_SEPARATORS: Final = {Names.STREAMING: "_", Names.DOTTED: "."}
_decode: Final = msgspec.json.Decoder(dict[str, Raw])


def full_name(place: str, name: str, names: Names) -> str:
    """The name of a field of `user` or `properties` in a flat event, if it is not taken."""
    return f"{place}{_SEPARATORS[names]}{name}" if place in PLACES and names in _SEPARATORS else name


def named(event: bytes, names: Names) -> bytes:
    """Flatten an event, nested or flat in any scheme, to a JSON object on one line with the names of a scheme."""
    try:
        return _renamed(event, names)
    except msgspec.DecodeError:
        hidden, restore = hide_lone_surrogates(event)
        return restore(_renamed(hidden, names))


def nested_fields_of(event: bytes) -> list[NestedField]:
    """The fields of an event without lone surrogates: the envelope, then all others in their order."""
    fields = _decode.decode(event)
    nested = [place for place in PLACES if place in fields and is_object(fields[place])]
    found: list[NestedField] = [("", name, fields[name]) for name in ENVELOPE if name in fields]
    if not nested:
        scheme = scheme_of(fields)
        return found + [(*_place_of(name, scheme), fields[name]) for name in fields if name not in ENVELOPE]
    found += [("", name, value) for name, value in fields.items() if name not in (*ENVELOPE, *nested)]
    return found + [(place, *pair) for place in nested for pair in _decode.decode(fields[place]).items()]


def is_object(value: Raw) -> bool:
    return bytes(value).startswith(b"{")


def scheme_of(fields: "dict[str, Raw]") -> Names:
    no_bare_user = fields.keys().isdisjoint(USER_FIELDS)
    for scheme, separator in _SEPARATORS.items():
        if any(f"user{separator}{name}" in fields for name in USER_FIELDS):
            return scheme
        if any(name.startswith(f"properties{separator}") for name in fields) and no_bare_user:
            return scheme
    return Names.SHORT


def nested_of(fields: list[NestedField]) -> bytes:
    others = [_pair(name, value) for place, name, value in fields if not place]
    for each in PLACES:
        inner = b",".join(_pair(name, value) for place, name, value in fields if place == each)
        if inner:
            others.append(b'"%s":{%s}' % (each.encode(), inner))
    return b"{" + b",".join(others) + b"}"


def _renamed(event: bytes, names: Names) -> bytes:
    fields = _decode.decode(event)
    is_flat = not any(place in fields and is_object(fields[place]) for place in PLACES)
    if is_flat and scheme_of(fields) is names:
        return flatten(event)
    if names is Names.SHORT:
        return flatten(nested_of(nested_fields_of(event)) if is_flat else event)
    return on_one_line(
        b"{" + b",".join(_pair(*each) for each in _with_full_names(nested_fields_of(event), names)) + b"}"
    )


def _with_full_names(fields: list[NestedField], names: Names) -> Iterator[tuple[str, Raw]]:
    separator = _SEPARATORS[names]
    taken = {name for place, name, _ in fields if not place}
    for place, name, value in fields:
        full = f"{place}{separator}{name}" if place else name
        while place and full in taken:
            full = f"{place}{separator}{full}"
        taken.add(full)
        yield full, value


def _place_of(name: str, scheme: Names) -> tuple[str, str]:
    """The object that a field of a flat event belongs to, and its name there."""
    for place in PLACES:
        # A short name has a prefix only where `flatten` adds one.
        prefix = place + _SEPARATORS.get(scheme, ".")
        if name.startswith(prefix):
            return place, name.removeprefix(prefix)
    if scheme is Names.SHORT:
        return ("user" if name in USER_FIELDS else "properties"), name
    return "", name


def _pair(name: str, value: "Raw | bytes") -> bytes:
    return b"%s:%s" % (orjson.dumps(name), value)
