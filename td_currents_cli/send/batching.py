"""Which events go into which request: payloads with a maximum of events and bytes, in the order read.

A payload document that fits is one request, byte for byte as it was read. A larger one is split in order, and so is one
from which some events are filtered. Bare events that follow one another in a source are batched, and so are all events
of Braze's export. The bytes of an event are never changed.
"""

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from itertools import count
from typing import Final

from msgspec import Raw, structs

from td_currents_cli.braze import PAYLOAD_END
from td_currents_cli.errors import UsageError
from td_currents_cli.events.decode import Decoded, complete_events, split
from td_currents_cli.events.identified import is_identified
from td_currents_cli.events.json import Elements, elements_of, place_in
from td_currents_cli.model import Batch, Code, Problem, Record
from td_currents_cli.read.formats.flat import with_booleans
from td_currents_cli.send.dead_letters import DeadLetter
from td_currents_cli.send.payload import Origin, Payload, PayloadLimits, Planned, body_of, prefix_of
from td_currents_cli.send.prefilter import PayloadSummary, SendFilter

EXPORT: Final = "export"
"""What all events of Braze's export have in common."""


class PayloadBuilder:
    """Events that will share a request; the size of its body is exact at every moment.

    Args:
        prefix: how the body begins.
        shared: what events must have in common to join: the source of bare events, EXPORT for those of Braze's export,
            None for those of a document.
    """

    def __init__(self, prefix: bytes, shared: str | None) -> None:
        self.origins: list[Origin] = []
        self.keys: list[bytes] = []
        self.prefix = prefix
        self._shared = shared
        self.events: list[bytes] = []
        self._size = len(prefix) + len(PAYLOAD_END)

    def has_room_for(self, event: bytes, prefix: bytes, shared: str | None, limits: PayloadLimits) -> bool:
        return (
            len(self.events) < limits.events
            and self._size + 1 + len(event) <= limits.size
            and prefix == self.prefix
            and (limits.repack or shared == self._shared)
        )

    def add(self, event: bytes, origin: Origin, key: bytes) -> None:
        self._size += len(event) + bool(self.events)
        self.events.append(event)
        self.keys.append(key)
        last = self.origins[-1] if self.origins else None
        if last is not None and last.location is origin.location and last.first + last.count == origin.first:
            self.origins[-1] = Origin(last.location, last.first, last.count + 1)
        else:
            self.origins.append(origin)


class Planner:
    """Turns the stream of records into payloads. Holds one payload at a time.

    Rows of the streaming connector are a UsageError unless `is_lossy`.

    Attributes:
        read: events seen so far, sent or not.
        rows_rejected: documents and rows in which no event could be read.
        already_delivered: events that earlier runs delivered, and that are in no payload.
        anonymous: events of Braze's export whose user has no external id.
        left_out: events of such users that are not sent.
        is_exhausted: whether the input was read to its end.
    """

    def __init__(
        self,
        limits: PayloadLimits,
        send_filter: SendFilter | None = None,
        *,
        is_lossy: bool = False,
        identified_only: bool = False,
    ) -> None:
        self.read = 0
        self.rows_rejected = 0
        self.already_delivered = 0
        self.anonymous = 0
        self.left_out = 0
        self.is_exhausted = False
        self._limits = limits
        self._is_lossy = is_lossy
        self._identified_only = identified_only
        self._filter = send_filter or SendFilter()
        self._indexes = count()
        self._builder: PayloadBuilder | None = None

    def plan(self, records: Iterable[Record]) -> Generator[Planned]:
        """Yield payloads in order, events that cannot be sent, and problems of the input."""
        for record in records:
            yield from self._record(record)
        yield from self._flush()
        self.is_exhausted = True

    def _record(self, record: Record) -> Iterator[Planned]:
        if isinstance(record, Problem):
            self.rows_rejected += record.raw is not None
            yield record
            return
        if record.is_streaming:
            if not self._is_lossy:
                raise UsageError(
                    f"{record.location} is a row of the streaming connector, which is not what Braze sent: the time of"
                    " the event and the fractions of its numbers are lost, and booleans are strings",
                    hint="Send the original payloads. With --lossy, events get the time of receipt as their `time`, "
                    "numbers without fractions, and booleans where the catalog has them.",
                )
            record = Batch(with_booleans(record.data), record.location)
        summary = self._filter.summary_of(record.data)
        if record.is_export:
            yield from self._event_by_event(record, summary, b"")
            return
        key = b"" if summary is None else self._filter.document_key(record.data)
        if summary and summary.count and self._filter.has_delivered(record.data, key):
            self.read += summary.count
            self.already_delivered += summary.count
        elif summary and self._is_sent_whole(record.data, summary) and self._filter.passes(record.data, summary):
            yield from self._whole(record, summary, key)
        else:
            yield from self._event_by_event(record, summary, key)

    def _is_sent_whole(self, document: bytes, summary: PayloadSummary) -> bool:
        return not self._identified_only and self._fits(document, summary)

    def _fits(self, document: bytes, summary: PayloadSummary) -> bool:
        limits = self._limits
        return not limits.repack and summary.count <= limits.events and len(document) <= limits.size

    def _whole(self, batch: Batch, summary: PayloadSummary, key: bytes) -> Iterator[Payload]:
        yield from self._flush()
        self.read += summary.count
        if summary.count:
            origins = (Origin(batch.location, 0, summary.count),)
            yield self._payload(batch.data, origins, key, self._filter.packed_fields(summary))

    def _event_by_event(self, batch: Batch, summary: PayloadSummary | None, key: bytes) -> Iterator[Planned]:
        decoded = split(batch)
        for document in decoded.documents:
            yield from self._record(document)
        if decoded.documents:
            return
        self.rows_rejected += decoded.rejected
        events = [bytes(event) for event in decoded.events]
        anonymous = self._anonymous(events, batch)
        keys = self._filter.event_keys(events, named=batch.is_export)
        delivered, refused = self._filter.filter(batch.data, summary, events, keys, skipped=anonymous)
        is_whole = not (delivered or refused or anonymous or batch.is_export)
        if is_whole and summary and self._fits(batch.data, summary):
            yield from self._whole(batch, summary, key)
            return
        self.read += len(events)
        self.already_delivered += len(delivered)
        yield from decoded.problems
        prefix, is_bare = prefix_of(batch.data)
        shared = EXPORT if batch.is_export else batch.location.source if is_bare else None
        # Other places of the batch hold something that is not an event.
        taken = {problem.event_index for problem in decoded.problems}
        places = [place for place in range(len(events) + len(taken)) if place not in taken]
        if refused:
            yield from _refused(batch, decoded, places, refused)
        for number, (place, event) in enumerate(zip(places, events, strict=False)):
            if number not in refused and number not in delivered and number not in anonymous:
                yield from self._add(event, Origin(batch.location, place, 1), keys[number], prefix, shared)
        if shared is None and not self._limits.repack:
            yield from self._flush()

    def _anonymous(self, events: Sequence[bytes], batch: Batch) -> frozenset[int]:
        """Count the events whose user has no external id; return those that are left out."""
        if not (batch.is_export or self._identified_only):
            return frozenset()
        found = frozenset(number for number, event in enumerate(events) if not is_identified(event))
        if not self._identified_only:
            self.anonymous += len(found)
            return frozenset()
        self.left_out += len(found)
        return found

    def _add(self, event: bytes, origin: Origin, key: bytes, prefix: bytes, shared: str | None) -> Iterator[Planned]:
        size = len(prefix) + len(event) + len(PAYLOAD_END)
        if size > self._limits.size:
            problem = Problem(
                code=Code.EVENT_TOO_LARGE,
                location=origin.location,
                message=f"a request with only this event has {size:,} bytes; the limit is {self._limits.size:,}",
                event_index=origin.first,
                hint="The event was not sent. Shorten it at its source, or raise --batch-bytes if the endpoint accepts"
                " more.",
            )
            yield DeadLetter(event=event, location=origin.location, event_index=origin.first, problems=(problem,))
            return
        builder = self._builder
        if builder is None or not builder.has_room_for(event, prefix, shared, self._limits):
            yield from self._flush()
            builder = self._builder = PayloadBuilder(prefix, shared)
        builder.add(event, origin, key)

    def _flush(self) -> Iterator[Payload]:
        if self._builder is not None:
            builder, self._builder = self._builder, None
            yield self._payload(body_of(builder.prefix, builder.events), tuple(builder.origins), b"".join(builder.keys))

    def _payload(self, body: bytes, origins: tuple[Origin, ...], keys: bytes, kept: bytes = b"") -> Payload:
        events = sum(origin.count for origin in origins)
        return Payload(index=next(self._indexes), body=body, events=events, origins=origins, keys=keys, kept=kept)


def _refused(
    batch: Batch, decoded: Decoded[Raw], places: Sequence[int], refused: Mapping[int, Sequence[Problem]]
) -> Iterator[DeadLetter]:
    # Of a truncated cell, what is left of it.
    elements = elements_of(complete_events(decoded, batch) if decoded.lost else batch)
    if not isinstance(elements, Elements):
        return
    locations = elements.locations()
    for number, errors in refused.items():
        event, place = bytes(decoded.events[number]), places[number]
        here, pointer = Batch(event, locations[number if decoded.lost else place]), elements.pointer_to(place)
        problems = tuple(
            structs.replace(
                error,
                location=place_in(here, error.location.offset),
                pointer=pointer + error.pointer,
                event_index=place,
                raw=None,
                excerpt=None,
            )
            for error in errors
        )
        yield DeadLetter(event=event, location=batch.location, event_index=place, problems=problems, pointer=pointer)
