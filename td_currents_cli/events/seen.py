"""Which ids came before, and where, in little memory."""

from array import array
from collections.abc import Iterable, Sequence
from typing import Final

QUICK: Final = 1 << 19
"""Ids that are kept in a dict, about 170 bytes each, before the table takes over."""

_FREE: Final = 0


class SeenIds:
    """The first place of each id: in a dict while they are few, then in a table of 24 to 48 bytes an id.

    Ids are compared by their 64-bit hash: among a million ids, the odds that any two are taken for the same are one
    to thirty million.
    """

    def __init__(self, quick: int = QUICK) -> None:
        self._quick = quick
        self._dict: dict[int, int] = {}
        self._table: _Table | None = None

    def add(self, ids: Sequence[str | None], first: int) -> list[tuple[int, int]]:
        """Take the ids of a batch.

        Args:
            ids: of its events, in order; None for an event that has none.
            first: the ordinal of the first of them in the run.

        Returns:
            For each id that came before: its index in the batch, and the ordinal it had first.
        """
        if self._table is None and len(self._dict) + len(ids) > self._quick:
            self._table = _Table(self._dict)
            self._dict = {}
        if self._table is not None:
            return self._table.add(ids, first)
        new = dict(zip(map(hash, ids), range(first, first + len(ids)), strict=True))
        if len(new) == len(ids) and None not in ids and self._dict.keys().isdisjoint(new):
            self._dict.update(new)
            return []
        return self._add_one_by_one(ids, first)

    def _add_one_by_one(self, ids: Sequence[str | None], first: int) -> list[tuple[int, int]]:
        repeated: list[tuple[int, int]] = []
        for index, event_id in enumerate(ids):
            if event_id is not None:
                before = self._dict.setdefault(hash(event_id), first + index)
                if before != first + index:
                    repeated.append((index, before))
        return repeated


class _Table:
    """An open table of 16 bytes a slot, between a third and two thirds full."""

    def __init__(self, before: dict[int, int]) -> None:
        self._size = 1 << 12
        self._count = 0
        while 3 * len(before) > 2 * self._size:
            self._size *= 2
        # The hash of an empty text is 0, which stands for a free slot here.
        self._fill((value or 1, ordinal) for value, ordinal in before.items())

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
        """Take over hashes and their ordinals into arrays of the present size."""
        # Multiplied, not made of zero bytes, which would take as much memory again.
        hashes, ordinals, mask = array("q", [0]) * self._size, array("Q", [0]) * self._size, self._size - 1
        count = 0
        for value, ordinal in entries:
            if value != _FREE:
                slot = value & mask
                while hashes[slot]:
                    slot = (slot + 1) & mask
                hashes[slot] = value
                ordinals[slot] = ordinal
                count += 1
        self._hashes, self._ordinals, self._count = hashes, ordinals, count
