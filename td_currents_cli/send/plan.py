"""Which events go into which request: payloads of at most so many events and so many bytes, in the order read.

A payload document that fits is one request, byte for byte as it was read. A larger one is split in order. Bare events
that follow one another in a source are packed together. The bytes of an event are never changed.
"""

from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

import msgspec
from msgspec import Raw, Struct

from td_currents_cli.codes import Code
from td_currents_cli.events.decode import split
from td_currents_cli.model import Batch, Location, Problem, Record

MAX_EVENTS: Final = 100
"""Events in a request of Braze's own sender."""
MAX_BYTES: Final = 1_048_064
"""Bytes of a body that Treasure Data's Postback API v2 takes; a larger one is answered 413."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How large a request may be.

    Attributes:
        events: at most so many in one request.
        size: at most so many bytes of body, on the wire.
        repack: whether events of different documents may share a request.
    """

    events: int = MAX_EVENTS
    size: int = MAX_BYTES
    repack: bool = False


class Origin(Struct, frozen=True, gc=False):
    """Where consecutive events of a payload come from.

    Attributes:
        location: of the batch that held them.
        first: index of the first of them in that batch, from 0.
        count: how many.
    """

    location: Location
    first: int
    count: int


class Payload(Struct, frozen=True, kw_only=True):
    """One request to be made.

    Attributes:
        index: its place in the plan, from 0.
        body: the exact bytes on the wire, `{"events":[…]}`.
        events: how many the body holds.
        origins: where they come from, in their order.
    """

    index: int
    body: bytes
    events: int
    origins: tuple[Origin, ...]

    @property
    def location(self) -> Location:
        """Where its first event was read."""
        return self.origins[0].location


class Unsendable(Struct, frozen=True, kw_only=True):
    """An event that no request can carry: `problem` says why, and holds its bytes in `raw`."""

    problem: Problem


Planned: TypeAlias = Payload | Unsendable | Problem


class Planner:
    """Turns the stream of records into payloads.

    Attributes:
        read: events seen so far, whatever becomes of them.
    """

    def __init__(self, limits: Limits) -> None:
        self.read = 0
        self._limits = limits
        self._made = 0
        self._pack: _Pack | None = None

    def plan(self, records: Iterable[Record]) -> Generator[Planned]:
        """Payloads in order, what cannot be sent, and the stream's own problems. Holds one payload at a time."""
        for record in records:
            if isinstance(record, Problem):
                yield record
            else:
                yield from self._batch(record)
        yield from self._flush()

    def _batch(self, batch: Batch) -> Iterator[Planned]:
        whole = None if self._limits.repack else _whole(batch.data)
        if whole is not None and whole <= self._limits.events and len(batch.data) <= self._limits.size:
            yield from self._flush()
            self.read += whole
            if whole:
                yield self._payload(batch.data, (Origin(batch.location, 0, whole),))
            return
        decoded = split(batch)
        self.read += len(decoded.events)
        yield from decoded.problems
        rejected = {problem.event_index for problem in decoded.problems}
        indexes = (index for index in range(len(decoded.events) + len(rejected)) if index not in rejected)
        prefix, is_bare = _prefix(batch.data)
        shared = batch.location.source if is_bare else None
        for index, event in zip(indexes, decoded.events, strict=False):
            yield from self._add(bytes(event), Origin(batch.location, index, 1), prefix, shared)
        if not is_bare and not self._limits.repack:
            yield from self._flush()

    def _add(self, event: bytes, origin: Origin, prefix: bytes, shared: str | None) -> Iterator[Planned]:
        size = len(prefix) + len(event) + len(_SUFFIX)
        if size > self._limits.size:
            yield _too_large(event, origin, size, self._limits.size)
            return
        pack = self._pack
        if pack is None or not pack.takes(event, prefix, shared, self._limits):
            yield from self._flush()
            pack = self._pack = _Pack(prefix, shared)
        pack.add(event, origin)

    def _flush(self) -> Iterator[Payload]:
        if self._pack is not None:
            yield self._payload(self._pack.body(), tuple(self._pack.origins))
            self._pack = None

    def _payload(self, body: bytes, origins: tuple[Origin, ...]) -> Payload:
        self._made += 1
        return Payload(index=self._made - 1, body=body, events=sum(origin.count for origin in origins), origins=origins)


class _Pack:
    """A request in the making; its size is exact at every moment."""

    def __init__(self, prefix: bytes, shared: str | None) -> None:
        self.origins: list[Origin] = []
        self._prefix = prefix
        self._shared = shared
        self._events: list[bytes] = []
        self._size = len(prefix) + len(_SUFFIX)

    def takes(self, event: bytes, prefix: bytes, shared: str | None, limits: Limits) -> bool:
        """Whether the event may join those that are here already."""
        return (
            len(self._events) < limits.events
            and self._size + 1 + len(event) <= limits.size
            and prefix == self._prefix
            and (limits.repack or shared == self._shared)
        )

    def add(self, event: bytes, origin: Origin) -> None:
        self._size += len(event) + bool(self._events)
        self._events.append(event)
        last = self.origins[-1] if self.origins else None
        if last is not None and last.location is origin.location and last.first + last.count == origin.first:
            self.origins[-1] = Origin(last.location, last.first, last.count + 1)
        else:
            self.origins.append(origin)

    def body(self) -> bytes:
        return b"".join((self._prefix, b",".join(self._events), _SUFFIX))


_PREFIX: Final = b'{"events":['
_SUFFIX: Final = b"]}"


class _Event(Struct, gc=False):
    """Any JSON object: nothing of it is looked at."""


class _Document(Struct, gc=False):
    events: list[_Event]


_document: Final = msgspec.json.Decoder(_Document)
_members: Final = msgspec.json.Decoder(dict[str, Raw])


def _whole(data: bytes) -> int | None:
    """The number of events of a well-formed payload document; None for anything else.

    Stricter than `split`, which also makes the best of what is damaged: such text must not go out as one body.
    """
    try:
        if not data.isascii():
            data.decode()
        return len(_document.decode(data).events)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None


def _prefix(data: bytes) -> tuple[bytes, bool]:
    """How a request with events of this batch begins, and whether the batch is a bare event.

    Treasure Data makes a column of every member beside `events`: each part of a split document keeps them all.
    """
    try:
        members = _members.decode(data)
    except (msgspec.DecodeError, RecursionError):
        return _PREFIX, False
    if "events" not in members:
        return _PREFIX, True
    del members["events"]
    if not members:
        return _PREFIX, False
    beside = b",".join(msgspec.json.encode(name) + b":" + bytes(value) for name, value in members.items())
    return b"".join((b"{", beside, b',"events":[')), False


def _too_large(event: bytes, origin: Origin, size: int, limit: int) -> Unsendable:
    return Unsendable(
        problem=Problem(
            code=Code.EVENT_TOO_LARGE,
            location=origin.location,
            message=f"the event alone makes a request of {size:,} bytes; the limit is {limit:,}",
            event_index=origin.first,
            hint="It was not sent. Shorten it at its source, or raise --batch-bytes if the endpoint takes more.",
            raw=event,
        )
    )
