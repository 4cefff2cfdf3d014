"""A payload document that can go out as it is, read once: how many events it holds, and what the journal keeps of them.

To decode the three fields that the journal keeps takes no longer than to look for the events alone.
"""

from typing import Final

import msgspec
from msgspec import Struct


class Event(Struct, gc=False):
    """What the journal keeps of an event."""

    id: str | None = None
    event_type: str | None = None
    time: int | float | str | None = None


class Whole(Struct, frozen=True, gc=False):
    """A well-formed payload document.

    Attributes:
        count: its events.
        events: what the journal keeps of them; None where they are odd, and have to be looked at one by one.
    """

    count: int
    events: list[Event] | None


class _Events(Struct, gc=False):
    events: list[Event]


class _Object(Struct, gc=False):
    """Any JSON object: nothing of it is looked at."""


class _Objects(Struct, gc=False):
    events: list[_Object]


_events: Final = msgspec.json.Decoder(_Events)
_objects: Final = msgspec.json.Decoder(_Objects)


def whole_of(data: bytes) -> Whole | None:
    """What is in a well-formed payload document; None for anything else.

    Stricter than `split`, which also makes the best of what is damaged: such text must not go out as one body.
    """
    try:
        if not data.isascii():
            data.decode()
        events = events_of(data)
        return Whole(len(_objects.decode(data).events) if events is None else len(events), events)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None


def events_of(document: bytes) -> list[Event] | None:
    """What the journal keeps of the events of a document; None where they are odd, or it is no such document."""
    try:
        return _events.decode(document).events
    except msgspec.DecodeError:
        return None
