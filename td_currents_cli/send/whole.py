"""A payload document that can go out as it is, read once: how many events it holds, and what the journal keeps of them.

To decode the three fields that the journal keeps takes no longer than to look for the events alone.
"""

from collections.abc import Sequence
from typing import Final, TypeAlias

import msgspec
from msgspec import Struct

from td_currents_cli.read.scanner import is_utf8

Kept: TypeAlias = tuple[str | None, str | None, int | float | str | None]
"""What the journal keeps of an event: `id`, `event_type`, `time`."""


class _Event(Struct, gc=False):
    id: str | None = None
    event_type: str | None = None
    time: int | float | str | None = None


class Whole(Struct, frozen=True, gc=False):
    """A well-formed payload document.

    Attributes:
        count: its events.
        kept: what the journal keeps of them; None where they are odd, and have to be looked at one by one.
        is_sound: whether the rules say that they have no errors; None where they were not asked.
    """

    count: int
    kept: Sequence[Kept] | None
    is_sound: bool | None = None


class _Events(Struct, gc=False):
    events: list[_Event]


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
    if not is_utf8(data):
        return None
    try:
        kept = kept_of(data)
        return Whole(len(_objects.decode(data).events) if kept is None else len(kept), kept)
    except (msgspec.DecodeError, RecursionError):
        return None


def kept_of(document: bytes) -> list[Kept] | None:
    """What the journal keeps of the events of a document; None where they are odd, or it is no such document."""
    try:
        return [(each.id, each.event_type, each.time) for each in _events.decode(document).events]
    except msgspec.DecodeError:
        return None
