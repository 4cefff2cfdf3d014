"""What is sent: a payload is one request, and knows where each of its events was read."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from td_currents_cli.braze import MAX_BYTES, MAX_EVENTS, PAYLOAD_END, PAYLOAD_START
from td_currents_cli.events.decode import split
from td_currents_cli.model import Batch, Location, Problem
from td_currents_cli.send.dead_letter import DeadLetter


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
        index: its place in the plan, from 0. Parts of a payload have that of the whole.
        body: the exact bytes on the wire, `{"events":[…]}`.
        events: how many the body holds.
        origins: where they come from, in their order.
        keys: what a journal knows it by once it is delivered, see `digest`; empty without a journal.
        kept: what a journal keeps of its events, see `sent_events`; empty where that is still to be made of the body.
    """

    index: int
    body: bytes
    events: int
    origins: tuple[Origin, ...]
    keys: bytes = b""
    kept: bytes = b""

    @property
    def location(self) -> Location:
        """Where its first event was read."""
        return self.origins[0].location

    def event_texts(self) -> list[bytes]:
        """Each event's own bytes, in their order."""
        return [bytes(event) for event in split(Batch(self.body, self.location)).events]


class Unsendable(Struct, frozen=True, kw_only=True):
    """An event that is not sent.

    Attributes:
        event: its bytes.
        origin: where it was read.
        problems: why; at least one.
        pointer: to the event, where the pointers of its problems begin at the root of its batch.
    """

    event: bytes
    origin: Origin
    problems: tuple[Problem, ...]
    pointer: str = ""

    def letter(self) -> DeadLetter:
        """What becomes of it. Its problems point into the event: a letter holds nothing else of the batch."""
        problems = [replace(each, pointer=each.pointer.removeprefix(self.pointer)) for each in self.problems]
        return DeadLetter(
            event=self.event, location=self.origin.location, event_index=self.origin.first, problems=problems
        )


Planned: TypeAlias = Payload | Unsendable | Problem


class _Names(Struct, gc=False):
    id: object = None
    event_type: object = None


_names: Final = msgspec.json.Decoder(_Names)


def names_of(event: bytes) -> tuple[str | None, str | None]:
    """The id and the type of an event, where they are texts that can be read."""
    try:
        names = _names.decode(event)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None, None
    return (
        names.id if isinstance(names.id, str) else None,
        names.event_type if isinstance(names.event_type, str) else None,
    )


def body_of(prefix: bytes, events: Sequence[bytes]) -> bytes:
    """The body of a request with these events."""
    return b"".join((prefix, b",".join(events), PAYLOAD_END))


_members: Final = msgspec.json.Decoder(dict[str, Raw])


def prefix_of(data: bytes) -> tuple[bytes, bool]:
    """How a request with events of this batch begins, and whether the batch is a bare event.

    Treasure Data makes a column of every member beside `events`: each part of a split document keeps them all.
    """
    try:
        members = _members.decode(data)
    except (msgspec.DecodeError, RecursionError):
        return PAYLOAD_START, False
    if "events" not in members:
        return PAYLOAD_START, True
    del members["events"]
    if not members:
        return PAYLOAD_START, False
    beside = b",".join(msgspec.json.encode(name) + b":" + bytes(value) for name, value in members.items())
    return b"".join((b"{", beside, b',"events":[')), False
