"""From a batch to its events: one call at C speed for a clean batch, event by event for one that is not."""

import json
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any, Final, Generic, TypeVar

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from td_currents_cli.codes import Code
from td_currents_cli.events.surrogates import hide_lone_surrogates
from td_currents_cli.events.syntax import place_in, syntax_problem
from td_currents_cli.model import Batch, Problem
from td_currents_cli.read.scanner import Scanner

E = TypeVar("E")
"""What an event is decoded into: a Struct of just the fields a verb needs."""


@dataclass(slots=True)
class Decoded(Generic[E]):
    """The events of one batch.

    Attributes:
        events: in order, without the rejected ones.
        problems: one for each rejected event, or one for the whole batch.
        rejected: whether the batch as a whole was rejected, so that nothing is known of its events.
    """

    events: list[E]
    problems: list[Problem] = field(default_factory=list)
    rejected: bool = False


class Decoder(Generic[E]):
    """Decodes batches into events of one type.

    The Struct must take any JSON object: fields optional and of type `Any`. An element that is not an object is
    rejected by itself; all others come out. Never raises on data.
    """

    def __init__(self, event_type: type[E]) -> None:
        self._type = event_type
        self._array: msgspec.json.Decoder[list[E]] = msgspec.json.Decoder(list[event_type])  # type: ignore[valid-type]
        self._event: msgspec.json.Decoder[E] = msgspec.json.Decoder(event_type)
        events: Any = list[event_type] | None | UnsetType  # type: ignore[valid-type]
        payload = msgspec.defstruct(
            "Payload", [("events", events, UNSET), ("event_type", Raw | UnsetType, UNSET)], gc=False
        )
        self._payload: msgspec.json.Decoder[Any] = msgspec.json.Decoder(payload)

    def __call__(self, batch: Batch) -> Decoded[E]:
        """The events of a payload, of an array of events, or the one bare event."""
        data = batch.data
        try:
            if not data.isascii():
                data.decode()
            if data.startswith(b"["):
                return Decoded(self._array.decode(data))
            payload = self._payload.decode(data)
            if payload.events is UNSET:
                if payload.event_type is UNSET:
                    return _rejected(batch, Code.EVENTS_MISSING, _NEITHER)
                return Decoded([self._event.decode(data)])
            return Decoded(payload.events or [])
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            return self._diagnosed(batch)

    def _diagnosed(self, batch: Batch) -> Decoded[E]:
        """What can be had of a batch that does not decode as it stands."""
        problem = syntax_problem(batch)
        if problem is None:
            return self._one_by_one(batch)
        parts = _documents_on_one_line(batch) if problem.code is Code.NOT_JSON else []
        if len(parts) < 2:
            return Decoded([], [problem], rejected=True)
        decoded: Decoded[E] = Decoded([])
        for part in parts:
            each = self(part)
            decoded.events += each.events
            decoded.problems += each.problems
        return decoded

    def _one_by_one(self, batch: Batch) -> Decoded[E]:
        hidden, restore = hide_lone_surrogates(batch.data)
        elements = _elements(Batch(hidden, batch.location))
        if isinstance(elements, Problem):
            return Decoded([], [msgspec.structs.replace(elements, raw=batch.data)], rejected=True)
        decoded: Decoded[E] = Decoded([])
        for index, element in enumerate(elements):
            text = restore(bytes(element))
            try:
                decoded.events.append(self._decode_event(text))
            except msgspec.ValidationError:
                decoded.problems.append(_not_an_object(batch, index, text))
        return decoded

    def _decode_event(self, text: bytes) -> E:
        if not text.startswith(b"{"):
            raise msgspec.ValidationError
        try:
            return self._event.decode(text)
        except msgspec.ValidationError:
            raise
        except msgspec.DecodeError:
            # Only a lone surrogate is left to be the reason: Python's own parser reads it.
            return msgspec.convert(json.loads(text), self._type)


def split(batch: Batch) -> Decoded[Raw]:
    """Each event's own bytes."""
    return _split(batch)


class _RawDecoder(Decoder[Raw]):
    """Also tells what is no event, which `Raw` by itself would take."""

    def __call__(self, batch: Batch) -> Decoded[Raw]:
        decoded = super().__call__(batch)
        if all(memoryview(event)[0] == _OBJECT for event in decoded.events):
            return decoded
        return self._one_by_one(batch)

    def _decode_event(self, text: bytes) -> Raw:
        if not text.startswith(b"{"):
            raise msgspec.ValidationError
        return Raw(text)


_OBJECT: Final = ord("{")
_split: Final = _RawDecoder(Raw)
_NEITHER: Final = "neither a payload nor an event: there is no `events` and no `event_type`"
_FOUND: Final = {"[": "an array", "n": "null", "t": "a boolean", "f": "a boolean", '"': "a text"}


class _Envelope(Struct):
    events: Raw | UnsetType = UNSET
    event_type: Raw | UnsetType = UNSET


def _elements(batch: Batch) -> list[Raw] | Problem:
    """The elements of a well-formed batch that should be its events, whatever they are."""
    data = batch.data
    if data.startswith(b"["):
        return msgspec.json.decode(data, type=list[Raw])
    if not data.startswith(b"{"):
        return _problem(batch, Code.NOT_AN_OBJECT, f"expected a payload or an event, found {_found(data)}")
    envelope = msgspec.json.decode(data, type=_Envelope)
    if envelope.events is UNSET:
        return [Raw(data)]
    events = bytes(envelope.events)
    if not events.startswith(b"["):
        return _problem(batch, Code.EVENTS_NOT_ARRAY, f"`events` should be an array, found {_found(events)}", "/events")
    return msgspec.json.decode(events, type=list[Raw])


def _documents_on_one_line(batch: Batch) -> list[Batch]:
    """The documents of a line that holds several, as `cat` makes of files that end without a line end."""
    scanner = Scanner(BytesIO(batch.data))
    found: list[Batch] = []
    while scanner.next_byte():
        offset = scanner.offset
        data = scanner.take_value() or scanner.take_damaged()
        found.append(Batch(data, place_in(batch, offset)))
    return found


def _not_an_object(batch: Batch, index: int, text: bytes) -> Problem:
    pointer = f"/{index}" if batch.data.startswith(b"[") else f"/events/{index}"
    return Problem(
        code=Code.EVENT_NOT_OBJECT,
        location=batch.location,
        message=f"event {index} should be an object, found {_found(text)}",
        pointer=pointer,
        event_index=index,
        raw=text,
    )


def _rejected(batch: Batch, code: Code, message: str) -> Decoded[Any]:
    return Decoded([], [_problem(batch, code, message)], rejected=True)


def _problem(batch: Batch, code: Code, message: str, pointer: str = "") -> Problem:
    return Problem(code=code, location=batch.location, message=message, pointer=pointer, raw=batch.data)


def _found(text: bytes) -> str:
    return _FOUND.get(text[:1].decode(errors="replace"), "a number")
