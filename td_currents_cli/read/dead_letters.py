"""Dead letters of `tdcur send`: the event in such a line is read like any bare event."""

import re
from typing import Final

import msgspec
from msgspec import UNSET, Raw, UnsetType

from td_currents_cli.read.documents import Document
from td_currents_cli.read.scanner import SURROGATE, code_points

_SOMETHING_ELSE: Final = re.compile(rb'\{\s*"event(?:s|_type)"\s*:')
"""How payloads and most bare events begin: they are not examined further."""


class _BareEvent(msgspec.Struct, gc=False):
    event_type: Raw | UnsetType = UNSET


class _DeadLetter(_BareEvent, gc=False):
    event: Raw | UnsetType = UNSET
    events: Raw | UnsetType = UNSET


_bare_event: Final = msgspec.json.Decoder(_BareEvent)
_dead_letter: Final = msgspec.json.Decoder(_DeadLetter)


def event_of_dead_letter(document: Document) -> Document | None:
    """Return the event in a dead letter, at its own place; None for anything else.

    An event without `event_type` would not be taken for one: it comes in an array.
    """
    data = document.data
    if _SOMETHING_ELSE.match(data) or b'"event"' not in data:
        return None
    # Only places are taken from this copy: msgspec stops at a lone surrogate, which an event may contain.
    shown = SURROGATE.sub(rb"\\u0041", data) if b"\\u" in data else data
    try:
        letter = _dead_letter.decode(shown)
        if letter.event is UNSET or letter.events is not UNSET or letter.event_type is not UNSET:
            return None
        event = bytes(letter.event)
        has_type = _bare_event.decode(event).event_type is not UNSET
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    begin = shown.rfind(event)
    found = data[begin : begin + len(event)]
    if not has_type:
        # The bracket stands where the colon does, so that the event is at its own place.
        begin, found = begin - 1, b"[" + found + b"]"
    before = data[:begin]
    line_ends = before.count(b"\n")
    column = code_points(before[before.rfind(b"\n") + 1 :]) + (1 if line_ends else document.column)
    return Document(found, document.line + line_ends, column, document.offset + begin)
