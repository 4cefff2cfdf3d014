"""From a batch to its events: one call at C speed for a clean batch, event by event for any other."""

from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from typing import Any, Final, Generic, TypeVar

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType, field

from td_currents_cli.events.json import decode_any, elements_of, kind_of, syntax_problem, too_deep
from td_currents_cli.model import Batch, Code, Location, Problem, Record
from td_currents_cli.outcome import Balance, ProblemLog
from td_currents_cli.read.formats.cell import is_truncated_utf8, truncated_array
from td_currents_cli.read.json_documents import Document, documents_in
from td_currents_cli.read.lines import IrregularError, LineChunk

_ARRAY: Final = ord("[")
_OBJECT: Final = ord("{")

E = TypeVar("E")
"""What an event is decoded into: a Struct of just the fields that are needed."""

Events = TypeVar("Events", bound=Sized)


class Decoded(Struct, Generic[E]):
    """The events of one batch.

    If a line holds several documents (`cat` of files without a last line end), `documents` are these, and `events` and
    `problems` those of all of them.
    """

    events: list[E]  # without the rejected ones
    problems: list[Problem] = []  # one per rejected event, or one for the batch
    rejected: bool = False  # the batch as a whole
    documents: Sequence[Record] = ()
    lost: int = 0  # events of a truncated cell, as far as known; the last problem reports it


class Decoder(Generic[E]):
    """Decodes batches into events of one type.

    The Struct must accept any JSON object: its fields are optional and of type `Any`. An element that is not an object
    is rejected alone. Never raises because of data.
    """

    def __init__(self, event_type: type[E]) -> None:
        self._type = event_type
        self._array: msgspec.json.Decoder[list[E]] = msgspec.json.Decoder(list[event_type])  # type: ignore[valid-type]
        self._event: msgspec.json.Decoder[E] = msgspec.json.Decoder(event_type)
        events: Any = list[event_type]  # type: ignore[valid-type]
        payload = msgspec.defstruct(
            "Payload", [("events", events | None | UnsetType, UNSET), ("event_type", Raw | UnsetType, UNSET)], gc=False
        )
        self._payload: msgspec.json.Decoder[Any] = msgspec.json.Decoder(payload)
        # It refuses ingested rows.
        only_events = msgspec.defstruct("OnlyEvents", [("events", events)], forbid_unknown_fields=True, gc=False)
        self._only_events: msgspec.json.Decoder[Any] = msgspec.json.Decoder(only_events)

    def of_lines(self, chunk: LineChunk) -> list[E]:
        """The events of all batches. Raises IrregularError unless each is a payload, or an array in an ingested row."""
        decoded: list[E] = []
        try:
            for batch in chunk.batches:
                if chunk.row is not None and batch[0] == _ARRAY:
                    decoded += self._array.decode(batch)
                else:
                    decoded += self._only_events.decode(batch).events
        except (msgspec.DecodeError, RecursionError):
            raise IrregularError from None
        return decoded

    def __call__(self, batch: Batch) -> Decoded[E]:
        """The events of a payload, of an array of events, or the one bare event."""
        data = batch.data
        try:
            batch.require_utf8()
            if data.startswith(b"["):
                return Decoded(self._array.decode(data))
            payload = self._payload.decode(data)
            if payload.events is not UNSET:
                return Decoded(payload.events or [])
            if payload.event_type is not UNSET:
                return Decoded([self._event.decode(data)])
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            pass
        return self._diagnosed(batch)

    def _diagnosed(self, batch: Batch) -> Decoded[E]:
        """The events of a batch that does not decode in one call, and its problems."""
        try:
            problem = syntax_problem(batch)
            if problem is None:
                return self._one_by_one(batch)
        except RecursionError:
            problem = too_deep(batch)
        documents: Sequence[Record] = ()
        # A cell of an ingested row has one batch, complete or not.
        is_line = batch.location.row is None and not batch.is_part
        if is_line and problem.code in {Code.NOT_JSON, Code.NOT_A_NUMBER}:
            source = batch.location.source
            documents = [
                Batch(each.data, each.location(source), is_part=True, array=each.array)
                if isinstance(each, Document)
                else each
                for each in documents_in(batch.data, batch.location)
            ]
        if len(documents) < 2:
            return self._of_truncated_cell(batch, problem) or Decoded([], [problem], rejected=True)
        together: Decoded[E] = Decoded([], documents=documents)
        for document in documents:
            decoded = Decoded([], [document]) if isinstance(document, Problem) else self(document)
            together.events += decoded.events
            together.problems += decoded.problems
        return together

    def _of_truncated_cell(self, batch: Batch, problem: Problem) -> Decoded[E] | None:
        """The complete events of a truncated cell; None if something else is wrong."""
        may_be_truncated = problem.code is Code.NOT_JSON or (
            problem.code is Code.NOT_UTF8 and is_truncated_utf8(batch.data)
        )
        left = truncated_array(batch.data) if batch.location.row is not None and may_be_truncated else None
        if left is None:
            return None
        decoded = self._one_by_one(Batch(b"[" + b",".join(left.elements) + b"]", batch.location))
        complete = "1 complete event" if len(left.elements) == 1 else f"{len(left.elements):,} complete events"
        lost = f"{len(left.rest):,} bytes of the next are lost" if left.rest else "the rest is lost"
        decoded.problems.append(
            Problem(
                code=Code.CUT_OFF,
                location=batch.location,
                message=f"the cell is truncated after {complete}: {lost}",
                event_index=len(left.elements),
                hint="Export the row again as JSON Lines or msgpack.",
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
        for index, element in enumerate(elements.texts):
            if element.startswith(b"{"):
                decoded.events.append(self._decode_event(element))
                continue
            locations = locations or elements.locations()
            decoded.problems.append(
                Problem(
                    code=Code.EVENT_NOT_OBJECT,
                    location=locations[index],
                    message=f"event {index} must be an object, got {kind_of(element)}",
                    pointer=elements.pointer_to(index),
                    event_index=index,
                    raw=element,
                )
            )
        return decoded

    def _decode_event(self, event: bytes) -> E:
        try:
            return self._event.decode(event)
        except msgspec.DecodeError:
            return decode_any(event, self._type)


def complete_events(decoded: Decoded[Raw], batch: Batch) -> Batch:
    """The events that `split` returned for a truncated cell, as a well-formed batch."""
    return Batch(b"[%b]" % b",".join(map(bytes, decoded.events)), batch.location)


class _RawDecoder(Decoder[Raw]):
    """Rejects elements that are not objects, which `Raw` would accept."""

    def __call__(self, batch: Batch) -> Decoded[Raw]:
        decoded = super().__call__(batch)
        return decoded if _are_objects(decoded.events) else self._diagnosed(batch)

    def of_lines(self, chunk: LineChunk) -> list[Raw]:
        events = super().of_lines(chunk)
        if not _are_objects(events):
            raise IrregularError
        return events

    def _decode_event(self, event: bytes) -> Raw:
        return Raw(event)


def _are_objects(events: Iterable[Raw]) -> bool:
    return all(memoryview(event)[0] == _OBJECT for event in events)


split: Final = _RawDecoder(Raw)
"""Decodes into the bytes of each event."""


class EventReader(Struct):
    """Reads the events of records and counts what was read."""

    on_reject: Callable[[Problem], None] | None = None  # called for each rejected row or event; `raw` is its bytes
    log: ProblemLog = field(default_factory=ProblemLog)
    rows_read: int = 0
    rows_rejected: int = 0
    events_read: int = 0
    events_rejected: int = 0
    lost: int = 0

    def events(
        self, records: Iterable[Record], decode: Callable[[Batch], Decoded[E]]
    ) -> Iterator[tuple[Batch, list[E]]]:
        """Yield each good batch with its events; all else is counted, logged and passed to `on_reject`."""
        for record in records:
            if isinstance(record, Problem):
                if record.raw is not None:
                    self.rows_read += 1
                    self.rows_rejected += 1
                self._log(record)
                continue
            decoded = decode(record)
            if decoded.documents:
                yield from self.events(decoded.documents, decode)
                continue
            self.rows_read += 1
            if decoded.rejected:
                self.rows_rejected += 1
            else:
                self.events_read += len(decoded.events) + len(decoded.problems)
                self.events_rejected += len(decoded.problems) - decoded.lost
                self.lost += decoded.lost
            for problem in decoded.problems:
                self._log(problem)
            if not decoded.rejected:
                yield record, decoded.events

    def events_of_lines(self, chunk: LineChunk, decode: Callable[[LineChunk], Events]) -> Events:
        """The events of good batches. Raises IrregularError if there is any other."""
        events = decode(chunk)
        self.rows_read += len(chunk.batches)
        self.events_read += len(events)
        return events

    def balance(self, *, events_out: int, duplicates: int = 0, filtered: int = 0, canaries: int = 0) -> Balance:
        """What became of all rows and events, given what was done with the events."""
        return Balance(
            rows_read=self.rows_read,
            rows_rejected=self.rows_rejected,
            events_read=self.events_read,
            events_rejected=self.events_rejected,
            events_out=events_out,
            duplicates=duplicates,
            filtered=filtered,
            lost=self.lost,
            canaries=canaries,
        )

    def _log(self, problem: Problem) -> None:
        self.log.add(problem)
        if problem.raw is not None and self.on_reject is not None:
            self.on_reject(problem)
