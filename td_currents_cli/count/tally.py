"""Groups of events and their figures while events are still coming."""

from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from typing import Any

from msgspec import Struct

from td_currents_cli.count.bins import TimeHistogram
from td_currents_cli.count.dimension import Key


class GroupStats(Struct, gc=False):
    count: int = 0
    first: float | None = None  # earliest usable time in UNIX seconds
    last: float | None = None

    def add(self, count: int, first: float | None, last: float | None) -> None:
        """Count events, given their earliest and latest time."""
        self.count += count
        if first is not None and (self.first is None or first < self.first):
            self.first = first
        if last is not None and (self.last is None or last > self.last):
            self.last = last


class GroupCounts:
    def __init__(self, *, over_time: bool = False) -> None:
        self.groups = defaultdict[Key, GroupStats](GroupStats)
        self.histogram = TimeHistogram() if over_time else None

    @property
    def total(self) -> int:
        return sum(group.count for group in self.groups.values())

    def add(self, columns: Sequence[Sequence[str | None]], times: Sequence[float | None]) -> None:
        """Count events, given their values of each dimension, a column each, and their times."""
        # Strings are far cheaper to group by than tuples of them.
        single = len(columns) == 1
        keys: Iterable[Any] = columns[0] if single else zip(*columns, strict=True)
        times_of: defaultdict[Any, list[float | None]] = defaultdict(list)
        # A loop with one call per event, all of it in C.
        deque(map(list.append, map(times_of.__getitem__, keys), times), maxlen=0)
        for value, found in times_of.items():
            key = (value,) if single else value
            usable: list[float] = [time for time in found if time is not None] if None in found else found  # type: ignore[assignment]  # None is gone
            self.groups[key].add(len(found), min(usable, default=None), max(usable, default=None))
            if self.histogram is not None:
                self.histogram.add(key, usable)

    def merge(self, other: "GroupCounts") -> None:
        for key, group in other.groups.items():
            self.groups[key].add(group.count, group.first, group.last)
        if self.histogram is not None and other.histogram is not None:
            self.histogram.merge(other.histogram)
