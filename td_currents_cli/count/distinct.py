"""Counts different events and users, in total and in each group, and drops duplicates."""

from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from itertools import compress
from typing import Any, Final, Protocol, Self

from td_currents_cli.count.dimensions import Key
from td_currents_cli.events.dedupe import LIMIT, IdSet, digest, event_digest

_SETS: Final = 4
"""Sets that --unique needs: of ids and of users, each in total and by group."""


class DistinctCount:
    """Number of different ids or users, in total and in each group."""

    def __init__(self, everywhere: IdSet[bytes], in_group: IdSet[bytes]) -> None:
        self._everywhere = everywhere
        self._in_group = in_group
        self._of_key: dict[Key, int] = {}
        self.total = 0
        self.in_groups: Counter[Key] = Counter()

    def add(self, digests: Sequence[bytes | None], keys: Sequence[Key]) -> None:
        """Count ids or users, given their digests and groups; None is not counted."""
        known = [(each, key) for each, key in zip(digests, keys, strict=True) if each is not None]
        self.total += len(known) - len(self._everywhere.add([each for each, _key in known]))
        repeated = self._in_group.add([self._pair(each, key) for each, key in known])
        self.in_groups.update([key for index, (_each, key) in enumerate(known) if index not in repeated])

    def _pair(self, each: bytes, key: Key) -> bytes:
        of_key = self._of_key.get(key)
        if of_key is None:
            of_key = self._of_key[key] = int.from_bytes(digest(repr(key)), "big")
        # Digests are evenly distributed, and so is their XOR: pairs collide as rarely as ids do.
        return (int.from_bytes(each, "big") ^ of_key).to_bytes(len(each), "big")


class Distinct:
    """Counts different events and users, and drops duplicates; see `DistinctStats`. A context manager."""

    def __init__(self, *, unique: bool, dedupe: bool, limit: int | None = None) -> None:
        self._open = ExitStack()
        self._stores: list[IdSet[bytes]] = []
        self._limit = (limit or LIMIT) // ((_SETS if unique else 0) + dedupe)
        self._ids = self._store() if dedupe else None
        self.events = DistinctCount(self._store(), self._store()) if unique else None
        self.users = DistinctCount(self._store(), self._store()) if unique else None
        self.duplicates: Counter[Key] = Counter()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    @property
    def dedupes(self) -> bool:
        return self._ids is not None

    @property
    def spilled(self) -> int:
        return sum(store.spilled for store in self._stores)

    def add(self, ids: Sequence[Any], users: Sequence[Any], keys: Sequence[Key]) -> list[bool]:
        """Count events, given their ids, users and groups; return for each whether it is kept, not a duplicate.

        An event whose id is missing or not a string is kept, and not counted as a different event.
        """
        digests = [event_digest(each) for each in ids]
        repeated = {} if self._ids is None else self._ids.add(digests)
        kept = [index not in repeated for index in range(len(digests))]
        self.duplicates.update(key for key, new in zip(keys, kept, strict=True) if not new)
        keys = list(compress(keys, kept))
        if self.events is not None:
            self.events.add(list(compress(digests, kept)), keys)
        if self.users is not None:
            self.users.add([event_digest(each) for each in compress(users, kept)], keys)
        return kept

    def _store(self) -> IdSet[bytes]:
        store = self._open.enter_context(IdSet[bytes](self._limit))
        self._stores.append(store)
        return store


class DistinctCounts(Protocol):
    """Number of different ids or users, in total and in each group."""

    @property
    def total(self) -> int: ...

    @property
    def in_groups(self) -> Counter[Key]: ...


class DistinctStats(Protocol):
    """Different events and users, if requested, and duplicates."""

    @property
    def dedupes(self) -> bool:
        """Whether duplicates are dropped."""

    @property
    def duplicates(self) -> Counter[Key]:
        """Dropped events, by group."""

    @property
    def events(self) -> DistinctCounts | None: ...

    @property
    def users(self) -> DistinctCounts | None: ...

    @property
    def spilled(self) -> int:
        """Digests that did not fit into memory."""
