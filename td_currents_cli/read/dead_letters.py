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


class _DeadLetter(msgspec.Struct, gc=False):
    event: Raw
    events: Raw | UnsetType = UNSET
    event_type: Raw | UnsetType = UNSET


_dead_letter: Final = msgspec.json.Decoder(_DeadLetter)


def event_of(document: Document) -> Document | None:
    """The event that a dead letter holds, at its own place; None for whatever is no dead letter."""
    data = document.data
    if _SOMETHING_ELSE.match(data) or b'"event"' not in data:
        return None
    # Only places are read off this copy: msgspec stops at a lone surrogate, which an event may hold.
    shown = _LONE_SURROGATE.sub(rb"\\u0041", data) if b"\\u" in data else data
    try:
        letter = _dead_letter.decode(shown)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    event = bytes(letter.event)
    if letter.events is not UNSET or letter.event_type is not UNSET or not event.startswith(b"{"):
        return None
    begin = shown.rfind(event)
    return _within(document, begin, begin + len(event))


def _within(document: Document, begin: int, end: int) -> Document:
    before = document.data[:begin]
    lines = before.count(b"\n")
    column = code_points(before[before.rfind(b"\n") + 1 :]) + (1 if lines else document.column)
    return Document(document.data[begin:end], document.line + lines, column, document.offset + begin)
