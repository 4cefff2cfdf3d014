"""Payloads: one request each, which knows where each of its events was read."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import msgspec
from msgspec import Raw, Struct

from td_currents_cli.braze import MAX_BYTES, MAX_EVENTS, PAYLOAD_END, PAYLOAD_START
from td_currents_cli.events.decode import split
from td_currents_cli.model import Batch, Location, Problem
from td_currents_cli.send.dead_letters import DeadLetter


@dataclass(frozen=True, slots=True, kw_only=True)
class PayloadLimits:
    """Maximum size of a request, and whether events of different documents may share one."""

    events: int = MAX_EVENTS
    size: int = MAX_BYTES
    repack: bool = False


class Origin(Struct, frozen=True, gc=False):
    """Where consecutive events of a payload come from."""

    location: Location  # of the batch that held them
    first: int  # index of the first of them in that batch
    count: int


class Payload(Struct, frozen=True, kw_only=True):
    """One request to be made.

    Attributes:
        index: its place in the plan. Parts of a payload have that of the whole.
        body: the exact bytes on the wire, `{"events":[…]}`.
        events: how many the body holds.
        origins: where they come from, in their order.
        keys: what the journal recognizes it by, see `journal.keys`; empty without a journal.
        kept: what the journal records of its events; empty where that is still to be made of the body.
    """

    index: int
    body: bytes
    events: int
    origins: tuple[Origin, ...]
    keys: bytes = b""
    kept: bytes = b""

    @property
    def location(self) -> Location:
        return self.origins[0].location

    def event_texts(self) -> list[bytes]:
        return [bytes(event) for event in split(Batch(self.body, self.location)).events]


Planned: TypeAlias = Payload | DeadLetter | Problem
"""A request, an event that is not sent, or a problem of the input."""


class _EventNames(Struct, gc=False):
    id: object = None
    event_type: object = None


_event_names: Final = msgspec.json.Decoder(_EventNames)


def names_of(event: bytes) -> tuple[str | None, str | None]:
    """Return the id and the type of an event, where they are strings that can be read."""
    try:
        names = _event_names.decode(event)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None, None
    return (
        names.id if isinstance(names.id, str) else None,
        names.event_type if isinstance(names.event_type, str) else None,
    )


def body_of(prefix: bytes, events: Sequence[bytes]) -> bytes:
    return b"".join((prefix, b",".join(events), PAYLOAD_END))


_fields: Final = msgspec.json.Decoder(dict[str, Raw])


def prefix_of(data: bytes) -> tuple[bytes, bool]:
    """Return how a request with events of this batch begins, and whether the batch is a bare event.

    Treasure Data makes a column of every field next to `events`: each part of a split document keeps them all.
    """
    try:
        fields = _fields.decode(data)
    except (msgspec.DecodeError, RecursionError):
        return PAYLOAD_START, False
    if "events" not in fields:
        return PAYLOAD_START, True
    del fields["events"]
    if not fields:
        return PAYLOAD_START, False
    others = b",".join(msgspec.json.encode(name) + b":" + bytes(value) for name, value in fields.items())
    return b"".join((b"{", others, b',"events":[')), False
