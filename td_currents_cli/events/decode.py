"""From a batch to its events: one call at C speed for a clean batch, event by event for one that is not."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeVar

import msgspec
from msgspec import UNSET, Raw, UnsetType

from td_currents_cli.codes import Code
from td_currents_cli.events.elements import NEITHER, elements_of, kind_of
from td_currents_cli.events.lenient import loads
from td_currents_cli.events.syntax import syntax_problem, too_deep
from td_currents_cli.model import Batch, Location, Problem, Record
from td_currents_cli.read.documents import Document, documents_in
from td_currents_cli.read.rows.torn import truncated_array
from td_currents_cli.read.rows.torn_row import is_truncated_utf8

E = TypeVar("E")
"""What an event is decoded into: a Struct of just the fields a verb needs."""


@dataclass(slots=True)
class Decoded(Generic[E]):
    """The events of one batch.

    Attributes:
        events: in order, without the rejected ones.
        problems: one for each rejected event, or one for the whole batch.
        rejected: whether the batch as a whole was rejected, so that nothing is known of its events.
        documents: what the batch turned out to be, where it is several documents on one line (`cat` of files without
            a last line end). `events` and `problems` are those of all of them.
        lost: how many events a cell that is cut off has lost, as far as is known: the last problem tells of it.
    """

    events: list[E]
    problems: list[Problem] = field(default_factory=list)
    rejected: bool = False
    documents: Sequence[Record] = ()
    lost: int = 0


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
            batch.require_utf8()
            if data.startswith(b"["):
                return Decoded(self._array.decode(data))
            payload = self._payload.decode(data)
            if payload.events is UNSET:
                if payload.event_type is UNSET:
                    return _rejected(batch, Code.EVENTS_MISSING, NEITHER)
                return Decoded([self._event.decode(data)])
            return Decoded(payload.events or [])
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            return self._diagnosed(batch)

    def _diagnosed(self, batch: Batch) -> Decoded[E]:
        """What can be had of a batch that does not decode as it stands."""
        try:
            problem = syntax_problem(batch)
            if problem is None:
                return self._one_by_one(batch)
        except RecursionError:
            problem = too_deep(batch)
        documents = _documents_on_one_line(batch) if problem.code in {Code.NOT_JSON, Code.NOT_A_NUMBER} else ()
        if len(documents) < 2:
            return self._of_torn_cell(batch, problem) or Decoded([], [problem], rejected=True)
        together: Decoded[E] = Decoded([], documents=documents)
        for document in documents:
            decoded = Decoded([], [document]) if isinstance(document, Problem) else self(document)
            together.events += decoded.events
            together.problems += decoded.problems
        return together

    def _of_torn_cell(self, batch: Batch, problem: Problem) -> Decoded[E] | None:
        """The whole events of a cell that is cut off; None for what is wrong in any other way."""
        may_be_torn = problem.code is Code.NOT_JSON or (problem.code is Code.NOT_UTF8 and is_truncated_utf8(batch.data))
        left = truncated_array(batch.data) if batch.location.row is not None and may_be_torn else None
        if left is None:
            return None
        decoded = self._one_by_one(Batch(b"[" + b",".join(left.elements) + b"]", batch.location))
        whole = "1 whole event" if len(left.elements) == 1 else f"{len(left.elements):,} whole events"
        lost = f"{len(left.rest):,} bytes of the next are lost" if left.rest else "what followed is lost"
        message = f"the cell is cut off after {whole}: {lost}"
        decoded.problems.append(
            Problem(
                code=Code.CUT_OFF,
                location=batch.location,
                message=message,
                event_index=len(left.elements),
                hint="Export the row again, as JSON Lines or msgpack.",
                raw=batch.data,
            )
        )
        decoded.lost = 1
        return decoded

    def _one_by_one(self, batch: Batch) -> Decoded[E]:
        elements = elements_of(batch)
        if isinstance(elements, Problem):
            return Decoded([], [elements], rejected=True)
        decoded: Decoded[E] = Decoded([])
        locations: list[Location] = []
        for index, text in enumerate(elements.texts):
            if text.startswith(b"{"):
                decoded.events.append(self._decode_event(text))
                continue
            locations = locations or elements.locations()
            decoded.problems.append(
                Problem(
                    code=Code.EVENT_NOT_OBJECT,
                    location=locations[index],
                    message=f"event {index} should be an object, found {kind_of(text)}",
                    pointer=elements.pointer_to(index),
                    event_index=index,
                    raw=text,
                )
            )
        return decoded

    def _decode_event(self, text: bytes) -> E:
        try:
            return self._event.decode(text)
        except msgspec.DecodeError:
            return msgspec.convert(loads(text), self._type)


def split(batch: Batch) -> Decoded[Raw]:
    """Each event's own bytes."""
    return _split(batch)


def whole_events(decoded: Decoded[Raw], batch: Batch) -> Batch:
    """The events that `split` has made of a cell that is cut off, as a batch that is whole."""
    return Batch(b"[%b]" % b",".join(map(bytes, decoded.events)), batch.location)


class _RawDecoder(Decoder[Raw]):
    """Also tells what is no event, which `Raw` by itself would take."""

    def __call__(self, batch: Batch) -> Decoded[Raw]:
        decoded = super().__call__(batch)
        if all(memoryview(event)[0] == _OBJECT for event in decoded.events):
            return decoded
        return self._diagnosed(batch)

    def _decode_event(self, text: bytes) -> Raw:
        return Raw(text)


_OBJECT: Final = ord("{")
_split: Final = _RawDecoder(Raw)


def _documents_on_one_line(batch: Batch) -> Sequence[Record]:
    """The documents of a line that holds several. The cell of an ingested row holds one batch, whole or not."""
    if batch.location.row is not None:
        return ()
    found = documents_in(batch.data, batch.location)
    source = batch.location.source
    return [Batch(each.data, each.location(source)) if isinstance(each, Document) else each for each in found]


def _rejected(batch: Batch, code: Code, message: str) -> Decoded[Any]:
    return Decoded([], [Problem(code=code, location=batch.location, message=message, raw=batch.data)], rejected=True)
