"""Counts different events and users, in total and in each group, and drops duplicates."""

from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from itertools import compress
from typing import Any, Self

from msgspec import Struct, field

from td_currents_cli.count.dimensions import Key
from td_currents_cli.events.dedupe import LIMIT, IdSet, digest, event_digest


class DistinctCounts(Struct):
    """Number of different ids or users."""

    total: int = 0
    in_groups: Counter[Key] = field(default_factory=Counter)


class DistinctStats(Struct):
    unique: bool  # whether different events and users are counted
    dedupe: bool  # whether duplicates are dropped
    events: DistinctCounts = field(default_factory=DistinctCounts)
    users: DistinctCounts = field(default_factory=DistinctCounts)
    duplicates: Counter[Key] = field(default_factory=Counter)  # dropped events, by group
    spilled: int = 0  # digests that did not fit into memory


class _DistinctCounter:
    def __init__(self, counts: DistinctCounts, everywhere: IdSet[bytes], in_group: IdSet[bytes]) -> None:
        self._counts = counts
        self._everywhere = everywhere
        self._in_group = in_group
        self._of_key: dict[Key, int] = {}

    def add(self, digests: Sequence[bytes | None], keys: Sequence[Key]) -> None:
        """Count ids or users, given their digests and groups; None is not counted."""
        known = [(each, key) for each, key in zip(digests, keys, strict=True) if each is not None]
        self._counts.total += len(known) - len(self._everywhere.add([each for each, _key in known]))
        repeated = self._in_group.add([self._pair(each, key) for each, key in known])
        self._counts.in_groups.update([key for index, (_each, key) in enumerate(known) if index not in repeated])

    def _pair(self, each: bytes, key: Key) -> bytes:
        of_key = self._of_key.get(key)
        if of_key is None:
            of_key = self._of_key[key] = int.from_bytes(digest(repr(key)), "big")
        # Digests are evenly distributed, and so is their XOR: pairs collide as rarely as ids do.
        return (int.from_bytes(each, "big") ^ of_key).to_bytes(len(each), "big")


class Distinct:
    """Counts different events and users, and drops duplicates. A context manager."""

    def __init__(self, *, unique: bool, dedupe: bool, limit: int | None = None) -> None:
        self.stats = DistinctStats(unique, dedupe)
        self._open = ExitStack()
        self._stores: list[IdSet[bytes]] = []
        # --unique needs sets of ids and of users, each in total and by group.
        self._limit = (limit or LIMIT) // ((4 if unique else 0) + dedupe)
        self._ids = self._store() if dedupe else None
        counts = (self.stats.events, self.stats.users) if unique else ()
        self._counters = [_DistinctCounter(each, self._store(), self._store()) for each in counts]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def add(self, ids: Sequence[Any], users: Sequence[Any], keys: Sequence[Key]) -> list[bool]:
        """Count events, given their ids, users and groups; return for each whether it is kept, not a duplicate.

        An event whose id is missing or not a string is kept, and not counted as a different event.
        """
        digests = [event_digest(each) for each in ids]
        repeated = {} if self._ids is None else self._ids.add(digests)
        kept = [index not in repeated for index in range(len(digests))]
        self.stats.duplicates.update(key for key, new in zip(keys, kept, strict=True) if not new)
        keys = list(compress(keys, kept))
        values = digests, map(event_digest, users)
        for counter, each in zip(self._counters, values, strict=False):
            counter.add(list(compress(each, kept)), keys)
        self.stats.spilled = sum(store.spilled for store in self._stores)
        return kept

    def _store(self) -> IdSet[bytes]:
        store = self._open.enter_context(IdSet[bytes](self._limit))
        self._stores.append(store)
        return store
