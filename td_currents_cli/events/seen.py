"""Which ids came before, and where, in little memory."""

from array import array
from collections.abc import Iterable, Sequence
from typing import Final

QUICK: Final = 1_398_101
"""Ids that are kept in a dict, about 100 bytes each, before the table takes over: as many as a dict of 2**21 slots has.

Beyond that a dict doubles, to more memory than validation of a whole gigabyte may take.
"""

_FREE: Final = 0


class SeenIds:
    """The first place of each id: in a dict while they are few, then in a table of 24 to 48 bytes an id.

    Ids are compared by their 64-bit hash: among a million ids, the odds that any two are taken for the same are one
    to thirty million.
    """

    def __init__(self, quick: int = QUICK) -> None:
        self._quick = quick
        # A batch is one number for all its ids, so that none takes an object of its own; their order tells the rest.
        self._first_of_batch: dict[int, int] = {}
        self._hashes = array("q")
        self._table: _Table | None = None

    def add(self, ids: Sequence[str | None], first: int) -> list[tuple[int, int]]:
        """Take the ids of a batch.

        Args:
            ids: of its events, in order; None for an event that has none.
            first: the ordinal of the first of them in the run: how many were taken before.

        Returns:
            For each id that came before: its index in the batch, and the ordinal it had first.
        """
        if self._table is None and len(self._first_of_batch) + len(ids) > self._quick:
            # Before the table is made, so that they do not need their memory at once.
            self._first_of_batch = {}
            self._table = _Table(self._hashes)
            self._hashes = array("q")
        if self._table is not None:
            return self._table.add(ids, first)
        hashes = list(map(hash, ids)) if all(ids) else list(map(_hash, ids))
        self._hashes.extend(hashes)
        new = dict.fromkeys(hashes, first)
        if len(new) == len(ids) and _FREE not in new and self._first_of_batch.keys().isdisjoint(new):
            self._first_of_batch.update(new)
            return []
        return self._add_one_by_one(hashes, first)

    def _add_one_by_one(self, hashes: Sequence[int], first: int) -> list[tuple[int, int]]:
        repeated: list[tuple[int, int]] = []
        for index, value in enumerate(hashes):
            if value != _FREE:
                before = self._hashes.index(value, self._first_of_batch.setdefault(value, first))
                if before != first + index:
                    repeated.append((index, before))
        return repeated


def _hash(event_id: str | None) -> int:
    """The hash of an id, which is never that of none. The hash of an empty text is 0, too."""
    return _FREE if event_id is None else hash(event_id) or 1


class _Table:
    """An open table of 16 bytes a slot, between a third and two thirds full."""

    def __init__(self, before: Sequence[int]) -> None:
        self._size = 1 << 12
        while 3 * len(before) > 2 * self._size:
            self._size *= 2
        self._fill((value, ordinal) for ordinal, value in enumerate(before))

    def add(self, ids: Sequence[str | None], first: int) -> list[tuple[int, int]]:
        """As SeenIds."""
        while 3 * (self._count + len(ids)) > 2 * self._size:
            self._size *= 2
            self._fill(zip(self._hashes, self._ordinals, strict=True))
        hashes, ordinals, mask = self._hashes, self._ordinals, self._size - 1
        repeated: list[tuple[int, int]] = []
        for index, event_id in enumerate(ids):
            if event_id is None:
                continue
            wanted = hash(event_id) or 1
            slot = wanted & mask
            while (found := hashes[slot]) not in (_FREE, wanted):
                slot = (slot + 1) & mask
            if found:
                repeated.append((index, ordinals[slot]))
            else:
                hashes[slot] = wanted
                ordinals[slot] = first + index
                self._count += 1
        return repeated

    def _fill(self, entries: Iterable[tuple[int, int]]) -> None:
        """Take over hashes and their ordinals into arrays of the present size; of equal hashes the first."""
        # Multiplied, not made of zero bytes, which would take as much memory again.
        hashes, ordinals, mask = array("q", [0]) * self._size, array("Q", [0]) * self._size, self._size - 1
        taken = 0
        for value, ordinal in entries:
            if value != _FREE:
                slot = value & mask
                while hashes[slot] not in (_FREE, value):
                    slot = (slot + 1) & mask
                if hashes[slot] == _FREE:
                    hashes[slot] = value
                    ordinals[slot] = ordinal
                    taken += 1
        self._hashes, self._ordinals, self._count = hashes, ordinals, taken
