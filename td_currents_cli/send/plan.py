"""Which events go into which request: payloads of at most so many events and so many bytes, in the order read.

A payload document that fits is one request, byte for byte as it was read. A larger one is split in order, and so is one
of which some events are held back. Bare events that follow one another in a source are packed together. The bytes of
an event are never changed.
"""

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence

from msgspec import structs

from td_currents_cli.braze import PAYLOAD_END
from td_currents_cli.codes import Code
from td_currents_cli.events.decode import split
from td_currents_cli.events.elements import Elements, elements_of
from td_currents_cli.events.syntax import place_in
from td_currents_cli.model import Batch, Problem, Record
from td_currents_cli.send.pack import Pack
from td_currents_cli.send.payload import Limits, Origin, Payload, Planned, Unsendable, prefix_of
from td_currents_cli.send.sieve import Sieve
from td_currents_cli.send.whole import Whole


class Planner:
    """Turns the stream of records into payloads.

    Attributes:
        read: events seen so far, whatever becomes of them.
        already_delivered: those of them that earlier runs delivered, and that are in no payload.
        is_exhausted: whether the input was worked through to its end.
    """

    def __init__(self, limits: Limits, sieve: Sieve | None = None) -> None:
        self.read = 0
        self.already_delivered = 0
        self.is_exhausted = False
        self._limits = limits
        self._sieve = sieve or Sieve()
        self._made = 0
        self._pack: Pack | None = None

    def plan(self, records: Iterable[Record]) -> Generator[Planned]:
        """Payloads in order, what cannot be sent, and the stream's own problems. Holds one payload at a time.

        Raises:
            JournalError: it cannot be told what was delivered before.
        """
        for record in records:
            yield from self._record(record)
        yield from self._flush()
        self.is_exhausted = True

    def _record(self, record: Record) -> Iterator[Planned]:
        if isinstance(record, Problem):
            yield record
            return
        whole = self._sieve.whole_of(record.data)
        key = b"" if whole is None else self._sieve.document_key(record.data)
        if whole and whole.count and self._sieve.has_delivered(record.data, key):
            self.read += whole.count
            self.already_delivered += whole.count
        elif whole and self._fits(record.data, whole) and self._sieve.passes(record.data, whole):
            yield from self._whole(record, whole, key)
        else:
            yield from self._event_by_event(record, whole, key)

    def _fits(self, document: bytes, whole: Whole) -> bool:
        limits = self._limits
        return not limits.repack and whole.count <= limits.events and len(document) <= limits.size

    def _whole(self, batch: Batch, whole: Whole, key: bytes) -> Iterator[Payload]:
        """The document as it was read, as one request; an empty one is none."""
        yield from self._flush()
        self.read += whole.count
        if whole.count:
            origins = (Origin(batch.location, 0, whole.count),)
            yield self._payload(batch.data, origins, key, self._sieve.kept_of(whole))

    def _event_by_event(self, batch: Batch, whole: Whole | None, key: bytes) -> Iterator[Planned]:
        decoded = split(batch)
        for document in decoded.documents:
            yield from self._record(document)
        if decoded.documents:
            return
        events = [bytes(event) for event in decoded.events]
        keys = self._sieve.event_keys(events)
        sifted = self._sieve.sift(batch.data, whole, events, keys)
        if not sifted and whole and self._fits(batch.data, whole):
            yield from self._whole(batch, whole, key)
            return
        self.read += len(events)
        self.already_delivered += len(sifted.delivered)
        yield from decoded.problems
        prefix, is_bare = prefix_of(batch.data)
        shared = batch.location.source if is_bare else None
        places = list(_places(len(events), decoded.problems))
        yield from _refused(batch, events, places, sifted.refused)
        for number, (place, event) in enumerate(zip(places, events, strict=False)):
            origin = Origin(batch.location, place, 1)
            if number not in sifted.refused and number not in sifted.delivered:
                yield from self._add(event, origin, keys[number], prefix, shared)
        if not is_bare and not self._limits.repack:
            yield from self._flush()

    def _add(self, event: bytes, origin: Origin, key: bytes, prefix: bytes, shared: str | None) -> Iterator[Planned]:
        size = len(prefix) + len(event) + len(PAYLOAD_END)
        if size > self._limits.size:
            yield _too_large(event, origin, size, self._limits.size)
            return
        pack = self._pack
        if pack is None or not pack.takes(event, prefix, shared, self._limits):
            yield from self._flush()
            pack = self._pack = Pack(prefix, shared)
        pack.add(event, origin, key)

    def _flush(self) -> Iterator[Payload]:
        if self._pack is not None:
            pack, self._pack = self._pack, None
            yield self._payload(pack.body(), tuple(pack.origins), b"".join(pack.keys))

    def _payload(self, body: bytes, origins: tuple[Origin, ...], keys: bytes, kept: bytes = b"") -> Payload:
        self._made += 1
        events = sum(origin.count for origin in origins)
        return Payload(index=self._made - 1, body=body, events=events, origins=origins, keys=keys, kept=kept)


def _places(count: int, rejected: Iterable[Problem]) -> Iterator[int]:
    """The places in their batch of so many events, where other places hold what is no event."""
    taken = {problem.event_index for problem in rejected}
    return (place for place in range(count + len(taken)) if place not in taken)


def _refused(
    batch: Batch, events: Sequence[bytes], places: Sequence[int], refused: Mapping[int, Sequence[Problem]]
) -> Iterator[Unsendable]:
    """The events that the rules refuse, and their errors, each with its place in the source."""
    elements = elements_of(batch) if refused else None
    if not isinstance(elements, Elements):
        return
    locations = elements.locations()
    for number, errors in refused.items():
        event, place = events[number], places[number]
        here, pointer = Batch(event, locations[place]), elements.pointer_to(place)
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
        yield Unsendable(event=event, origin=Origin(batch.location, place, 1), problems=problems, pointer=pointer)


def _too_large(event: bytes, origin: Origin, size: int, limit: int) -> Unsendable:
    problem = Problem(
        code=Code.EVENT_TOO_LARGE,
        location=origin.location,
        message=f"the event alone makes a request of {size:,} bytes; the limit is {limit:,}",
        event_index=origin.first,
        hint="It was not sent. Shorten it at its source, or raise --batch-bytes if the endpoint takes more.",
    )
    return Unsendable(event=event, origin=origin, problems=(problem,))
