r"""The flat forms of a whole batch at once, at a quarter of the cost of one event after another.

Nearly all batches are alike: each event has the five members that Braze sends and no others, and no name stands in two
places. That this is so is found out for all events in two calls at C speed; whatever is in doubt is flattened by
`flatten`, event by event, which gives the same bytes.
"""

from dataclasses import replace
from typing import Any, Final

import msgspec
from msgspec import Raw, Struct

from td_currents_cli.events.decode import Decoded, split
from td_currents_cli.events.flatten import flatten
from td_currents_cli.events.usual import Properties, User, usual_lines
from td_currents_cli.model import Batch


class RawEvent(Struct, forbid_unknown_fields=True, gc=False):
    """An event that has all its members, each as it stands."""

    event_type: Raw
    id: Raw
    time: Raw
    user: Raw
    properties: Raw


class _Unclashing(Struct, gc=False):
    user: User
    properties: Properties  # type: ignore[valid-type]  # made at run time


class _RawPayload(Struct, forbid_unknown_fields=True, gc=False):
    events: list[RawEvent]


class _UnclashingPayload(Struct, gc=False):
    events: list[_Unclashing]


_raw_payload: Final = msgspec.json.Decoder(_RawPayload)
_raw_array: Final = msgspec.json.Decoder(list[RawEvent])
_unclashing_payload: Final = msgspec.json.Decoder(_UnclashingPayload)
_unclashing_array: Final = msgspec.json.Decoder(list[_Unclashing])

_PREFIXED: Final = (b'"user.', b'"properties.')
_LINE_ENDS: Final = (b"\n", b"\r")
_DOUBTFUL: Final = (*_LINE_ENDS, *_PREFIXED)
_ENVELOPE: Final = b'"event_type":%b,"id":%b,"time":%b'
_LINE: Final = b"{" + _ENVELOPE + b",%b,%b}"


def whole(batch: Batch) -> "Decoded[Any]":
    """The events of a batch: all of them as RawEvent where none of their names clash, else as Raw.

    `flat` makes lines of either.
    """
    events = _unclashing(batch)
    return split(batch) if events is None else Decoded(events)


def flat(events: list[Any]) -> list[bytes]:
    """The flat forms of events that `whole` gave, in order; see `flatten`."""
    if not events or not isinstance(events[0], RawEvent):
        return [flatten(event) for event in events]
    users = [bytes(event.user)[1:-1].strip() for event in events]
    properties = [bytes(event.properties)[1:-1].strip() for event in events]
    if all(users) and all(properties):
        return [
            _LINE % (event.event_type, event.id, event.time, of_user, of_properties)
            for event, of_user, of_properties in zip(events, users, properties, strict=True)
        ]
    return [
        b"{%b}" % b",".join([_ENVELOPE % (event.event_type, event.id, event.time), *filter(None, insides)])
        for event, *insides in zip(events, users, properties, strict=True)
    ]


def lined(batch: Batch) -> "Decoded[Any]":
    """The flat forms of the events of a batch, as `flat` makes them of what `whole` gives: a list of them, or Lines."""
    lines: Any = usual_lines(batch)
    if lines is not None:
        return Decoded(lines)
    found = whole(batch)
    return replace(found, events=flat(found.events))


def nested(event: "RawEvent | Raw") -> bytes:
    """An event that `whole` gave as one JSON object."""
    if isinstance(event, RawEvent):
        return msgspec.json.encode(event)
    return bytes(event)


def _unclashing(batch: Batch) -> list[RawEvent] | None:
    """The events, if it is certain that `flatten` would put the members of each beside each other as they stand."""
    data = batch.data
    # A name may be written with escapes of plain letters. A single byte is found ten times as fast as several.
    if any(mark in data for mark in _DOUBTFUL) or (b"\\" in data and b"\\u00" in data):
        return None
    try:
        batch.require_utf8()
        if data.startswith(b"["):
            _unclashing_array.decode(data)
            return _raw_array.decode(data)
        _unclashing_payload.decode(data)
        return _raw_payload.decode(data).events
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None
