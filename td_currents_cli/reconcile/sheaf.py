"""Fingerprints of events: the id's digest and a digest of the content, a fixed number of bytes per event."""

from collections import Counter
from collections.abc import Callable, Iterable
from operator import itemgetter
from struct import Struct as Layout
from typing import Any, Final, TypeAlias

from msgspec import Struct, field

from td_currents_cli.events.dedupe import digest
from td_currents_cli.events.filter import LATEST, usable_seconds
from td_currents_cli.reconcile.scope import ScopeDecision, TimeScope
from td_currents_cli.reconcile.suspects import BloomFilter

RECORD: Final = Layout("<16sQHIBH")
"""Digest of the id, content, index of the type in the batch's types, time (40 bits), position in the batch.

The content is a digest of 64 bits, `content.UNKNOWN` if only the id is known. It is made of the bytes of the event; by
`content.ContentHasher` for suspects; by `outline.outline` when the other side is a table.
"""

NO_TIME: Final = (1 << 40) - 1
BATCH_EVENTS: Final = 1 << 16
"""Maximum number of events in a batch: a position in it takes two bytes."""

EventFields: TypeAlias = tuple[Any, Any, Any, Any]
"""An event's `id`, `event_type` and `time` as decoded, and what its content digest is made of."""


class FingerprintBatch(Struct, frozen=True):
    """Fingerprints of consecutive events."""

    events: int  # number of events read; those out of scope have no fingerprint
    types: tuple[str | None, ...]
    sizes: dict[int, int]  # number of fingerprints by the first byte of their digests, in order
    records: bytes  # RECORDs in the order of their digests


class EventCounts(Struct):
    """Where the events of a side went."""

    by_type: Counter[str | None] = field(default_factory=Counter)  # compared events
    without_id: Counter[str | None] = field(default_factory=Counter)  # `id` is missing, empty, or not a string
    filtered: int = 0
    too_young: int = 0

    def add(self, other: "EventCounts") -> None:
        """Add the counts of another."""
        self.by_type += other.by_type
        self.without_id += other.without_id
        self.filtered += other.filtered
        self.too_young += other.too_young


class Fingerprinter:
    """Makes batches of fingerprints of events.

    Args:
        scope: which events are compared.
        content: makes the content digest of the last of the EventFields; called for events in scope only.
        suspects: ids that get fingerprints; None for all.
    """

    def __init__(self, scope: TimeScope, content: Callable[[Any], int], suspects: BloomFilter | None = None) -> None:
        self.counts = EventCounts()
        self._scope = scope or None
        self._content = content
        self._suspects = suspects
        self._records: list[bytes] = []
        self._types: dict[str | None, int] = {}
        self._events = 0
        self._batches: list[FingerprintBatch] = []

    def add(self, events: Iterable[EventFields]) -> None:
        """Add events, in the order read."""
        scope, suspects, content, pack = self._scope, self._suspects, self._content, RECORD.pack
        for event_id, event_type, time, event in events:
            if self._events == BATCH_EVENTS:
                self._finish_batch()
            self._events += 1
            seconds = time if type(time) is int and 0 <= time <= LATEST else usable_seconds(time)
            if scope is not None and (decision := scope.decide(seconds)) is not ScopeDecision.COMPARED:
                self.counts.filtered += decision is ScopeDecision.FILTERED
                self.counts.too_young += decision is ScopeDecision.TOO_YOUNG
                continue
            name = event_type if isinstance(event_type, str) and event_type else None
            if not isinstance(event_id, str) or not event_id:
                self.counts.without_id[name] += 1
                continue
            self.counts.by_type[name] += 1
            key = digest(event_id)
            if suspects is not None and key not in suspects:
                continue
            number = self._types.setdefault(name, len(self._types))
            whole = NO_TIME if seconds is None else int(seconds)
            position = self._events - 1
            self._records.append(pack(key, content(event), number, whole & 0xFFFF_FFFF, whole >> 32, position))

    def take_batches(self) -> list[FingerprintBatch]:
        """The batches of all events so far, each returned once."""
        if self._events:
            self._finish_batch()
        batches, self._batches = self._batches, []
        return batches

    def _finish_batch(self) -> None:
        records = self._records
        records.sort()
        sizes = dict(Counter(map(itemgetter(0), records)))
        self._batches.append(FingerprintBatch(self._events, tuple(self._types), sizes, b"".join(records)))
        self._records, self._types, self._events = [], {}, 0
