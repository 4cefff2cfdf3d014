"""Fingerprints of events, a fixed number of bytes each, bound together as they were read."""

from collections import Counter
from collections.abc import Callable, Iterable
from operator import itemgetter
from struct import Struct as Layout
from typing import Any, Final, TypeAlias

from msgspec import Struct, field

from td_currents_cli.events.dedupe import digest
from td_currents_cli.events.times import LATEST, usable_seconds
from td_currents_cli.reconcile.scope import Scope, Verdict
from td_currents_cli.reconcile.suspects import Suspects

RECORD: Final = Layout("<16sQHIBH")
"""The digest of the id, the content, the type's place in the sheaf's types, the time (40 bits), the place in the sheaf.

The content is a digest of 64 bits, `content.UNKNOWN` where only the id is known: of the event as it is written; as
`content.Contents` sees it where that is the question; as `outline.outline` does beside a table.
"""

NO_TIME: Final = (1 << 40) - 1
LARGEST: Final = 1 << 16
"""Events in a sheaf: a place in it takes two bytes."""

Read: TypeAlias = tuple[Any, Any, Any, Any]
"""The `id`, the `event_type` and the `time` of an event as they stand, and what its content is to be made of."""


class Sheaf(Struct, frozen=True):
    """Fingerprints of events that follow one another.

    Attributes:
        events: all that were read, of which those out of scope have no fingerprint.
        types: the types among them; None for none.
        sizes: number of fingerprints by the first byte of their digests, in its order.
        records: the fingerprints in the order of their digests; see RECORD.
    """

    events: int
    types: tuple[str | None, ...]
    sizes: dict[int, int]
    records: bytes


class Tally(Struct):
    """Where the events of a side went.

    Attributes:
        by_type: those with a fingerprint.
        without_id: those that nothing can be told from: their `id` is missing, empty, or no text.
        filtered: those out of the period that was asked for.
        too_young: those that may still be on their way.
    """

    by_type: Counter[str | None] = field(default_factory=Counter)
    without_id: Counter[str | None] = field(default_factory=Counter)
    filtered: int = 0
    too_young: int = 0

    def add(self, other: "Tally") -> None:
        """Count what another has counted."""
        self.by_type += other.by_type
        self.without_id += other.without_id
        self.filtered += other.filtered
        self.too_young += other.too_young


class Binder:
    """Makes fingerprints of events, and sheaves of them.

    Attributes:
        tally: where the events went.

    Args:
        scope: which events are compared at all.
        content: makes the digest of what the last member of a `Read` holds; asked for what is in scope only.
        suspects: the ids that get fingerprints; None for all.
    """

    def __init__(self, scope: Scope, content: Callable[[Any], int], suspects: Suspects | None = None) -> None:
        self.tally = Tally()
        self._scope = scope or None
        self._content = content
        self._suspects = suspects
        self._records: list[bytes] = []
        self._types: dict[str | None, int] = {}
        self._events = 0
        self._bound: list[Sheaf] = []

    def add(self, events: Iterable[Read]) -> None:
        """Take events, in the order read."""
        scope, suspects, content, pack = self._scope, self._suspects, self._content, RECORD.pack
        for event_id, event_type, time, event in events:
            if self._events == LARGEST:
                self._bind()
            self._events += 1
            seconds = time if type(time) is int and 0 <= time <= LATEST else usable_seconds(time)
            if scope is not None and not self._is_meant(scope.verdict(seconds)):
                continue
            kind = event_type if isinstance(event_type, str) and event_type else None
            if not isinstance(event_id, str) or not event_id:
                self.tally.without_id[kind] += 1
                continue
            self.tally.by_type[kind] += 1
            key = digest(event_id)
            if suspects is not None and key not in suspects:
                continue
            number = self._types.setdefault(kind, len(self._types))
            whole = NO_TIME if seconds is None else int(seconds)
            place = self._events - 1
            self._records.append(pack(key, content(event), number, whole & 0xFFFF_FFFF, whole >> 32, place))

    def sheaves(self) -> list[Sheaf]:
        """All that were made of the events so far, each given once."""
        if self._events:
            self._bind()
        bound, self._bound = self._bound, []
        return bound

    def _is_meant(self, verdict: Verdict) -> bool:
        if verdict is Verdict.FILTERED:
            self.tally.filtered += 1
        elif verdict is Verdict.TOO_YOUNG:
            self.tally.too_young += 1
        return verdict is Verdict.MEANT

    def _bind(self) -> None:
        records = self._records
        records.sort()
        sizes = dict(Counter(map(itemgetter(0), records)))
        self._bound.append(Sheaf(self._events, tuple(self._types), sizes, b"".join(records)))
        self._records, self._types, self._events = [], {}, 0
