"""Dead letters of `tdcur send`: the event that such a line holds is read as any bare event is."""

import re
from typing import Final

import msgspec
from msgspec import UNSET, Raw, UnsetType

from td_currents_cli.read.documents import Document
from td_currents_cli.read.scanner import code_points

_SOMETHING_ELSE: Final = re.compile(rb'\{\s*"event(?:s|_type)"\s*:')
"""How payloads and most bare events begin: they are not looked at any closer."""

_LONE_SURROGATE: Final = re.compile(rb"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")


class _Event(msgspec.Struct, gc=False):
    event_type: Raw | UnsetType = UNSET


class _DeadLetter(_Event, gc=False):
    event: Raw | UnsetType = UNSET
    events: Raw | UnsetType = UNSET


_event: Final = msgspec.json.Decoder(_Event)
_dead_letter: Final = msgspec.json.Decoder(_DeadLetter)


def event_of(document: Document) -> Document | None:
    """The event that a dead letter holds, at its own place; None for whatever is no dead letter.

    One without `event_type`, which by itself nobody would take for an event, comes as an array of one.
    """
    data = document.data
    if _SOMETHING_ELSE.match(data) or b'"event"' not in data:
        return None
    # Only places are read off this copy: msgspec stops at a lone surrogate, which an event may hold.
    shown = _LONE_SURROGATE.sub(rb"\\u0041", data) if b"\\u" in data else data
    try:
        letter = _dead_letter.decode(shown)
        if letter.event is UNSET or letter.events is not UNSET or letter.event_type is not UNSET:
            return None
        event = bytes(letter.event)
        has_type = _event.decode(event).event_type is not UNSET
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    begin = shown.rfind(event)
    found = data[begin : begin + len(event)]
    if has_type:
        return _at(document, begin, found)
    # The bracket stands where the colon does, so that the event is at its own place.
    return _at(document, begin - 1, b"[" + found + b"]")


def _at(document: Document, begin: int, data: bytes) -> Document:
    before = document.data[:begin]
    lines = before.count(b"\n")
    column = code_points(before[before.rfind(b"\n") + 1 :]) + (1 if lines else document.column)
    return Document(data, document.line + lines, column, document.offset + begin)
