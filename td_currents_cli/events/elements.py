"""The elements of a batch, which should be events, and where they are. Used for unusual batches only."""

import re
from collections.abc import Sequence
from typing import Final

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from td_currents_cli.events.surrogates import hide_lone_surrogates
from td_currents_cli.events.syntax import place_in
from td_currents_cli.model import Batch, Code, Location, Problem

_EVENTS: Final = re.compile(rb'"events"\s*:\s*')
_PLAIN_START: Final = b'{"events":'
"""Start of a payload without other fields and white space."""

_KINDS: Final = {
    "{": "an object",
    "[": "an array",
    "n": "null",
    "t": "a boolean",
    "f": "a boolean",
    '"': "a string",
}

NEITHER: Final = "neither a payload nor an event: both `events` and `event_type` are missing"


class _PayloadFields(Struct):
    events: Raw | UnsetType = UNSET
    event_type: Raw | UnsetType = UNSET


class Elements(Struct, frozen=True):
    """The elements of a batch, events or not."""

    batch: Batch
    texts: Sequence[bytes]  # the JSON of each
    pointer: str | None = None  # to their array (RFC 6901); None for a bare event
    begin: int = 0  # offset of their array in the batch

    def locations(self) -> list[Location]:
        data, here, passed, end = self.batch.data, self.batch.location, 0, self.begin
        locations: list[Location] = []
        for element in self.texts:
            # Between two elements, there is only a comma, a bracket and white space.
            begin = data.find(element, end)
            here = place_in(Batch(data[passed:begin], here), begin - passed)
            locations.append(here)
            passed, end = begin, begin + len(element)
        return locations

    def pointer_to(self, index: int) -> str:
        return "" if self.pointer is None else f"{self.pointer}/{index}"


def elements_of(batch: Batch) -> Elements | Problem:
    """The elements of a well-formed batch, or why it has none. Raises RecursionError."""
    data, restore = hide_lone_surrogates(batch.data)
    if data.startswith(b"["):
        return Elements(batch, [restore(bytes(each)) for each in msgspec.json.decode(data, type=list[Raw])], "")
    if not data.startswith(b"{"):
        return _problem(batch, Code.NOT_AN_OBJECT, f"expected a payload or an event, got {kind_of(data)}")
    envelope = msgspec.json.decode(data, type=_PayloadFields)
    if envelope.events is UNSET:
        is_event = envelope.event_type is not UNSET
        return Elements(batch, [batch.data]) if is_event else _problem(batch, Code.EVENTS_MISSING, NEITHER)
    array = bytes(envelope.events)
    if array == b"null":
        return Elements(batch, [], "/events")
    if not array.startswith(b"["):
        message = f"`events` must be an array, got {kind_of(array)}"
        return _problem(batch, Code.EVENTS_NOT_ARRAY, message, "/events", _begin(data, array))
    texts = [*map(restore, map(bytes, msgspec.json.decode(array, type=list[Raw])))]
    return Elements(batch, texts, "/events", _begin(data, array))


def kind_of(value: bytes) -> str:
    """The type of a JSON value, for messages."""
    return _KINDS.get(value[:1].decode(errors="replace"), "a number")


def _begin(data: bytes, events: bytes) -> int:
    """Offset of the value of `events`: of the last one, if it occurs twice, as for every JSON parser."""
    if data == b"%b%b}" % (_PLAIN_START, events):
        return len(_PLAIN_START)
    begins = [match.end() for match in _EVENTS.finditer(data) if data.startswith(events, match.end())]
    return begins[-1] if begins else data.find(events)


def _problem(batch: Batch, code: Code, message: str, pointer: str = "", offset: int = 0) -> Problem:
    return Problem(code=code, location=place_in(batch, offset), message=message, pointer=pointer, raw=batch.data)
