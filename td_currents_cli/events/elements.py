"""What stands where the events of a batch should be, and its place. Asked for where a batch is odd, not for each."""

import re
from collections.abc import Sequence
from typing import Final

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from td_currents_cli.codes import Code
from td_currents_cli.events.surrogates import hide_lone_surrogates
from td_currents_cli.events.syntax import place_in
from td_currents_cli.model import Batch, Location, Problem

_EVENTS: Final = re.compile(rb'"events"\s*:\s*')
_USUAL: Final = b'{"events":'
"""What a payload begins with that has nothing else and no white space."""
_KINDS: Final = {"{": "an object", "[": "an array", "n": "null", "t": "a boolean", "f": "a boolean", '"': "a text"}


NEITHER: Final = "neither a payload nor an event: there is no `events` and no `event_type`"


class _Envelope(Struct):
    events: Raw | UnsetType = UNSET
    event_type: Raw | UnsetType = UNSET


class Elements(Struct, frozen=True):
    """The elements of a batch, whatever they are.

    Attributes:
        batch: where they are from.
        texts: each as it stands.
        pointer: of the array that holds them (RFC 6901); None for a bare event.
        begin: bytes of the batch before the array.
    """

    batch: Batch
    texts: Sequence[bytes]
    pointer: str | None = None
    begin: int = 0

    def locations(self) -> list[Location]:
        """Where each element begins in the source."""
        data, here, passed, end = self.batch.data, self.batch.location, 0, self.begin
        locations: list[Location] = []
        for text in self.texts:
            # Nothing but a comma, a bracket and white space is between two elements.
            begin = data.find(text, end)
            here = place_in(Batch(data[passed:begin], here), begin - passed)
            locations.append(here)
            passed, end = begin, begin + len(text)
        return locations

    def pointer_to(self, index: int) -> str:
        """Pointer to an element from the root of the batch."""
        return "" if self.pointer is None else f"{self.pointer}/{index}"


def elements_of(batch: Batch) -> Elements | Problem:
    """The elements of a well-formed batch, which may hold lone surrogates, or why it has none.

    Raises:
        RecursionError: the JSON is nested too deep.
    """
    text, restore = hide_lone_surrogates(batch.data)
    if text.startswith(b"["):
        return Elements(batch, [restore(bytes(each)) for each in msgspec.json.decode(text, type=list[Raw])], "")
    if not text.startswith(b"{"):
        return _problem(batch, Code.NOT_AN_OBJECT, f"expected a payload or an event, found {kind_of(text)}")
    envelope = msgspec.json.decode(text, type=_Envelope)
    if envelope.events is UNSET:
        is_event = envelope.event_type is not UNSET
        return Elements(batch, [batch.data]) if is_event else _problem(batch, Code.EVENTS_MISSING, NEITHER)
    array = bytes(envelope.events)
    if array == b"null":
        return Elements(batch, [], "/events")
    if not array.startswith(b"["):
        message = f"`events` should be an array, found {kind_of(array)}"
        return _problem(batch, Code.EVENTS_NOT_ARRAY, message, "/events", _begin(text, array))
    texts = [*map(restore, map(bytes, msgspec.json.decode(array, type=list[Raw])))]
    return Elements(batch, texts, "/events", _begin(text, array))


def kind_of(text: bytes) -> str:
    """What kind of JSON value a text begins with, for a message."""
    return _KINDS.get(text[:1].decode(errors="replace"), "a number")


def _begin(text: bytes, events: bytes) -> int:
    """Where the value of `events` stands. A name that stands twice has its last value, for every JSON reader."""
    if text == b"%b%b}" % (_USUAL, events):
        return len(_USUAL)
    begins = [match.end() for match in _EVENTS.finditer(text) if text.startswith(events, match.end())]
    return begins[-1] if begins else text.find(events)


def _problem(batch: Batch, code: Code, message: str, pointer: str = "", offset: int = 0) -> Problem:
    return Problem(code=code, location=place_in(batch, offset), message=message, pointer=pointer, raw=batch.data)
