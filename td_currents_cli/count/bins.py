"""How many events at what time, finely enough for a line of bars and no finer."""

from collections import Counter
from collections.abc import Sequence
from typing import Final, TypeAlias

Key: TypeAlias = tuple[str | None, ...]

FINEST: Final = 1
"""Seconds of a bin to begin with."""

_COARSER: Final = 4
_MOST: Final = 512
"""Bins from the first to the last time, beyond which they are made coarser."""


class Bins:
    """Counts of events by group and by a span of time, the same for all groups, which grows as they need it.

    Attributes:
        width: seconds of a bin.
        counts: events by bin, of each group; a bin's number is its time divided by the width.
        first: the first bin that has events.
        last: the last one.
    """

    def __init__(self) -> None:
        self.width = FINEST
        self.counts: dict[Key, Counter[int]] = {}
        self.first = 0
        self.last = -1

    def add(self, key: Key, times: Sequence[float]) -> None:
        """Count times of events of a group."""
        if times:
            self._cover(int(min(times)) // self.width, int(max(times)) // self.width)
            width = self.width
            self.counts.setdefault(key, Counter()).update([int(time // width) for time in times])

    def merge(self, other: "Bins") -> None:
        """Count all that another has counted, which is left in a state of its own."""
        if not other.counts:
            return
        while other.width < self.width:
            other.coarsen()
        while self.width < other.width:
            self.coarsen()
        self._cover(other.first, other.last)
        while other.width < self.width:
            other.coarsen()
        for key, counts in other.counts.items():
            self.counts.setdefault(key, Counter()).update(counts)

    def heights(self, key: Key, columns: int) -> list[int]:
        """Events of a group in that many spans of equal length, from the first event of any group to the last."""
        if not self.counts:
            return []
        span = self.last - self.first + 1
        heights = [0] * min(columns, span)
        for place, number in self.counts.get(key, Counter()).items():
            heights[(place - self.first) * len(heights) // span] += number
        return heights

    def _cover(self, first: int, last: int) -> None:
        if self.counts:
            first, last = min(first, self.first), max(last, self.last)
        self.first, self.last = first, last
        while self.last - self.first >= _MOST:
            self.coarsen()

    def coarsen(self) -> None:
        """Make a bin of each few."""
        self.width *= _COARSER
        self.first //= _COARSER
        self.last //= _COARSER
        for key, counts in self.counts.items():
            coarser: Counter[int] = Counter()
            for place, number in counts.items():
                coarser[place // _COARSER] += number
            self.counts[key] = coarser
