r"""Flat events: `event_type`, `id`, `time`, then the fields of `user` and `properties` without prefixes.

A name gets the prefix `user.` or `properties.` if it is ambiguous: it occurs in both objects or as another field of the
event, it already begins with such a prefix, it is `events`, which would make the event a payload, or a name of the
streaming connector, which would make the event a row of its table. Nothing is overwritten or lost. Values are copied
byte for byte; only the line ends of a pretty-printed event are removed.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import count, islice
from typing import Annotated, Any, Final, TypeAlias

import msgspec
import orjson
from msgspec import UNSET, Meta, Raw, Struct, UnsetType, structs

from td_currents_cli.braze import ENVELOPE, EVENT_FIELDS, PLACES, USER_FIELDS
from td_currents_cli.choices import Names
from td_currents_cli.events.decode import Decoded, split
from td_currents_cli.events.json import hide_lone_surrogates
from td_currents_cli.model import Batch
from td_currents_cli.patterns import pattern
from td_currents_cli.read.lines import LineChunk
from td_currents_cli.read.scanner import SPACE

_KNOWN: Final = frozenset(EVENT_FIELDS)
_OF_CONNECTOR: Final = tuple(f"user_{name}" for name in USER_FIELDS)
_NEVER_BARE: Final = _KNOWN.union(_OF_CONNECTOR, ["events"])
_CONNECTOR_PREFIX: Final = "properties_"
_PREFIXES: Final = (*(f"{place}." for place in PLACES), _CONNECTOR_PREFIX)

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
        names = (*of_user, *of_properties)
        # If no name needs a prefix, the insides of both objects can be joined.
        is_unique = len(_NEVER_BARE.union(names)) == len(_NEVER_BARE) + len(names)
        if is_unique and not any(name.startswith(_PREFIXES) for name in names):
            pieces = [b'"%s":%s' % (name.encode(), fields[name]) for name in ENVELOPE if name in fields]
            pieces += [place[1:-1].strip() for place, names in ((user, of_user), (properties, of_properties)) if names]
            return b"{" + b",".join(pieces) + b"}"
    if not _nested_places(fields):
        if any(map(_is_of_connector, fields)):
            return _flatten(nested_of(nested_fields_of(event)))
        envelope = [name for name in ENVELOPE if name in fields]
        if list(islice(fields, len(envelope))) == envelope:
            return bytes(event)
    return _object(_with_unique_names(fields))


def _nested_places(fields: _Fields) -> list[str]:
    return [place for place in PLACES if place in fields and bytes(fields[place]).startswith(b"{")]


def _is_of_connector(name: str) -> bool:
    return name.startswith(_CONNECTOR_PREFIX) or name in _OF_CONNECTOR


def _with_unique_names(fields: _Fields) -> Iterator[tuple[str, Raw]]:
    nested = {place: _fields.decode(fields[place]) for place in _nested_places(fields)}
    names = [name for name in dict.fromkeys((*ENVELOPE, *fields)) if name in fields and name not in nested]
    others = {_with_dots(name, fields) if _is_of_connector(name) else name: fields[name] for name in names}
    yield from others.items()
    taken = {*_NEVER_BARE, *others, *(nested.get("user", {}).keys() & nested.get("properties", {}).keys())}
    for place, inner in nested.items():
        for name, value in inner.items():
            is_bare = name not in taken and not name.startswith(_PREFIXES)
            yield name if is_bare else _prefixed(f"{place}.", name, taken), value


def _prefixed(prefix: str, name: str, taken: set[str]) -> str:
    name = prefix + name
    while name in taken:
        name = prefix + name
    taken.add(name)
    return name


def _with_dots(name: str, fields: _Fields) -> str:
    return next(dotted for dotted in ("." * n + name for n in count(1)) if dotted not in fields)


def as_bare_event(flat: bytes) -> bytes:
    """Make a flat event one that is read as such: with `event_type`, null if it has none, and without `events`.

    A field of that name next to `user` and `properties` is renamed to `.events`.
    """
    if flat.startswith(b'{"event_type":') and b'"events"' not in flat and not _ESCAPED_LETTER.search(flat):
        return flat
    hidden, restore = hide_lone_surrogates(flat)
    fields = _fields.decode(hidden)
    if "event_type" in fields and "events" not in fields:
        return flat
    renamed = _with_dots("events", fields)
    named_fields = {"event_type": fields.get("event_type", Raw(b"null")), **fields}
    return restore(_object((renamed if name == "events" else name, value) for name, value in named_fields.items()))


def on_one_line(flat: bytes) -> bytes:
    if b"\n" in flat or b"\r" in flat:
        return msgspec.json.format(flat, indent=-1)
    return flat


NestedField: TypeAlias = tuple[str, str, Raw]
"""The object that a field is in (`user`, `properties`, or empty for the event), its name there, and its value."""

_SEPARATORS: Final = {Names.STREAMING: "_", Names.DOTTED: "."}


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


def nested_fields_of(event: bytes | Raw) -> list[NestedField]:
    """The fields of an event without lone surrogates: the envelope, then all others in their order."""
    fields = _fields.decode(event)
    nested = _nested_places(fields)
    found: list[NestedField] = [("", name, fields[name]) for name in ENVELOPE if name in fields]
    if not nested:
        scheme = scheme_of(fields)
        return found + [(*_place_of(name, scheme), fields[name]) for name in fields if name not in ENVELOPE]
    found += [("", name, value) for name, value in fields.items() if name not in (*ENVELOPE, *nested)]
    return found + [(place, *pair) for place in nested for pair in _fields.decode(fields[place]).items()]


def scheme_of(fields: _Fields) -> Names:
    no_bare_user = fields.keys().isdisjoint(USER_FIELDS)
    for scheme, separator in _SEPARATORS.items():
        if any(f"user{separator}{name}" in fields for name in USER_FIELDS):
            return scheme
        if any(name.startswith(f"properties{separator}") for name in fields) and no_bare_user:
            return scheme
    return Names.SHORT


def nested_of(fields: list[NestedField]) -> bytes:
    nested = {each: [(name, value) for place, name, value in fields if place == each] for each in ("", *PLACES)}
    return _object([*nested[""], *((place, _object(nested[place])) for place in PLACES if nested[place])])


def _renamed(event: bytes, names: Names) -> bytes:
    if names is not Names.SHORT:
        return on_one_line(_object(_with_full_names(nested_fields_of(event), names)))
    fields = _fields.decode(event)
    is_named = not _nested_places(fields) and scheme_of(fields) is not Names.SHORT
    return flatten(nested_of(nested_fields_of(event)) if is_named else event)


def _with_full_names(fields: list[NestedField], names: Names) -> Iterator[tuple[str, Raw]]:
    taken = {name for place, name, _ in fields if not place}
    for place, name, value in fields:
        yield _prefixed(f"{place}{_SEPARATORS[names]}", name, taken) if place else name, value


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


def _object(fields: Iterable[tuple[str, Raw | bytes]]) -> bytes:
    return b"{" + b",".join([b"%s:%s" % (orjson.dumps(name), value) for name, value in fields]) + b"}"


_Never: Any = Annotated[int, Meta(gt=1, lt=0)] | UnsetType

_User: Final = msgspec.defstruct(
    "_User", [(name, Raw | UnsetType, UNSET) for name in USER_FIELDS], forbid_unknown_fields=True, gc=False
)

# A property with one of these names would need a prefix: each of their values is refused.
_Properties: Final = msgspec.defstruct(
    "_Properties", [(name, _Never, UNSET) for name in (*USER_FIELDS, *EVENT_FIELDS, *_OF_CONNECTOR, "events")], gc=False
)

_users: Final = msgspec.json.Decoder(_User)
_properties: Final = msgspec.json.Decoder(_Properties)


class _Event(Struct, forbid_unknown_fields=True, gc=False):
    """The values of an event, whatever the order of its fields, unchanged."""

    event_type: Raw
    id: Raw
    time: Raw
    user: Raw
    properties: Raw


class _Payload(Struct, forbid_unknown_fields=True, gc=False):
    events: list[_Event]


_arrays: Final = msgspec.json.Decoder(list[_Event])
_payloads: Final = msgspec.json.Decoder(_Payload)

# No quote that begins a name has a backslash before it: text that was encoded twice is not searched again and again.
_PREFIXED_NAME: Final = pattern(rb"""(?<!\\)"(?:user\.|properties[._])[^"\\]*+(?:\\.[^"\\]*+)*+"[ \t]*:""")
# It begins with a byte that is rare.
_DOT: Final = pattern(rb"""\.(?:(?<="user\.)|(?<="properties\.))""")
_ESCAPED_LETTER: Final = pattern(rb"\\u00[2-7]")


class FlatLines(Struct, frozen=True, gc=False):
    """Flat events as JSON Lines, and what they were made from."""

    data: bytes
    events: list[_Event]

    def __len__(self) -> int:
        return len(self.events)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.data.split(b"\n")[:-1])

    def envelopes(self) -> bytes:
        """The fields next to `user` and `properties`, as JSON Lines."""
        heads = [b'{"event_type":%b,"id":%b,"time":%b}' % (each.event_type, each.id, each.time) for each in self.events]
        return b"\n".join(heads)


def flatten_batch(batch: Batch) -> Decoded[Any]:
    """The events of a batch in the form that `flatten` gives each: FlatLines or a list of bytes."""
    lines: Any = flatten_together([batch.data], is_utf8=batch.is_utf8)
    if lines is not None:
        return Decoded(lines)
    decoded: Decoded[Any] = split(batch)
    return structs.replace(decoded, events=[flatten(event) for event in decoded.events])


def flatten_lines(chunk: LineChunk) -> FlatLines | list[bytes]:
    """The events of a chunk in the form that `flatten` gives each. Raises as `Decoder.of_lines`."""
    batches = [bytes(batch).rstrip(SPACE) for batch in chunk.batches]
    # An array is a batch only in an ingested row.
    may_be_usual = chunk.row is not None or batches[0].startswith(b"{")
    lines = flatten_together(batches, is_utf8=True) if may_be_usual else None
    if lines is not None:
        return lines
    if len(batches) == 1:
        return [flatten(event) for event in split.of_lines(chunk)]
    # Most of the others are as usual.
    lines_alone = (structs.replace(chunk, batches=[batch]) for batch in chunk.batches)
    return [event for line in lines_alone for event in flatten_lines(line)]


def flatten_together(batches: Sequence[bytes], *, is_utf8: bool) -> FlatLines | None:
    """The flat events of batches, payloads or arrays; None unless each event has the fields of Braze's events.

    None also where one is not on one line, so that each event is on one.
    """
    events: list[_Event] = []
    try:
        for batch in batches:
            if not batch.startswith((b"{", b"[")) or b"\n" in batch or b"\r" in batch:
                return None
            if not is_utf8:
                batch.decode()
            events += _payloads.decode(batch).events if batch.startswith(b"{") else _arrays.decode(batch)
        return FlatLines(_joined(events), events) if _are_bare(events) else None
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None


def _are_bare(events: Sequence[_Event]) -> bool:
    """Whether no name needs a prefix. Raises DecodeError if `user` or `properties` is not an object, RecursionError."""
    lines = b"\n".join([each.properties for each in events])
    # These searches are fast and seldom find something, so that the one for names needs no speed.
    may_be_prefixed = _DOT.search(lines) or b'"properties_' in lines
    if (may_be_prefixed and _PREFIXED_NAME.search(lines)) or _ESCAPED_LETTER.search(lines):
        return False
    _properties.decode_lines(lines)
    _users.decode_lines(b"\n".join([each.user for each in events]))
    return True


def _joined(events: Sequence[_Event]) -> bytes:
    pieces: list[bytes | Raw] = []
    for each in events:
        user, properties = bytes(each.user)[1:-1].strip(), bytes(each.properties)[1:-1].strip()
        pieces += b'{"event_type":', each.event_type, b',"id":', each.id, b',"time":', each.time
        pieces += b"," if user else b"", user, b"," if properties else b"", properties, b"}\n"
    return b"".join(pieces)
