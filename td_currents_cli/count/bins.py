"""Event counts over time, for sparklines."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from td_currents_cli.count.dimension import Key

COARSENING: Final = 4
MAX_BINS: Final = 512  # from the first to the last time; beyond it, bins are made wider


class TimeHistogram:
    """Event counts by group and time, in bins whose width (in seconds) grows with the period.

    A bin's number is its time divided by the width.
    """

    def __init__(self) -> None:
        self.width = 1
        self.counts: dict[Key, Counter[int]] = {}
        self.first = 0
        self.last = -1

    def add(self, key: Key, times: Sequence[float]) -> None:
        if times:
            self._cover(int(min(times)) // self.width, int(max(times)) // self.width)
            width = self.width
            self.counts.setdefault(key, Counter()).update([int(time // width) for time in times])

    def merge(self, other: "TimeHistogram") -> None:
        """Add the counts of another histogram, whose bins may become wider by it."""
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
        """A group's events in up to `columns` equal periods, from the first to the last event of all groups."""
        if not self.counts:
            return []
        span = self.last - self.first + 1
        heights = [0] * min(columns, span)
        for place, number in self.counts.get(key, Counter()).items():
            heights[(place - self.first) * len(heights) // span] += number
        return heights

    def coarsen(self) -> None:
        """Join each COARSENING bins into one."""
        self.width *= COARSENING
        self.first //= COARSENING
        self.last //= COARSENING
        for key, counts in self.counts.items():
            coarser: Counter[int] = Counter()
            for place, number in counts.items():
                coarser[place // COARSENING] += number
            self.counts[key] = coarser

    def _cover(self, first: int, last: int) -> None:
        if self.counts:
            first, last = min(first, self.first), max(last, self.last)
        self.first, self.last = first, last
        while self.last - self.first >= MAX_BINS:
            self.coarsen()
