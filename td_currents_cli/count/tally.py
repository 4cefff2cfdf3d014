"""Groups of events and their figures while events are still coming."""

from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from typing import Any

from msgspec import Struct

from td_currents_cli.count.bins import Bins, Key


class Group(Struct, gc=False):
    """Figures of the events of a group.

    Attributes:
        count: how many there are.
        first: their earliest usable time in UNIX seconds.
        last: the latest one.
    """

    count: int = 0
    first: float | None = None
    last: float | None = None

    def add(self, count: int, first: float | None, last: float | None) -> None:
        """Count events, given their earliest and latest time."""
        self.count += count
        if first is not None and (self.first is None or first < self.first):
            self.first = first
        if last is not None and (self.last is None or last > self.last):
            self.last = last


class Tally:
    """Counts by group.

    Attributes:
        groups: by their key.
        bins: counts over time, where they are wanted.
    """

    def __init__(self, *, over_time: bool = False) -> None:
        self.groups: defaultdict[Key, Group] = defaultdict(Group)
        self.bins = Bins() if over_time else None

    @property
    def total(self) -> int:
        """Events of all groups."""
        return sum(group.count for group in self.groups.values())

    def add(self, columns: Sequence[Sequence[str | None]], times: Sequence[float | None]) -> None:
        """Count events, given the values that make each one's group, and its time.

        Args:
            columns: for each thing that is counted by, its value of each event.
            times: of each event.
        """
        # Texts by themselves are far cheaper to group by than tuples of them.
        single = len(columns) == 1
        keys: Iterable[Any] = columns[0] if single else zip(*columns, strict=True)
        times_of: defaultdict[Any, list[float | None]] = defaultdict(list)
        # A loop of one call an event, all of it in C.
        deque(map(list.append, map(times_of.__getitem__, keys), times), maxlen=0)
        for key, found in times_of.items():
            usable = [time for time in found if time is not None] if None in found else found
            self._add((key,) if single else key, len(found), usable)  # type: ignore[arg-type]  # None is gone

    def _add(self, key: Key, count: int, times: Sequence[float]) -> None:
        self.groups[key].add(count, min(times, default=None), max(times, default=None))
        if self.bins is not None:
            self.bins.add(key, times)

    def merge(self, other: "Tally") -> None:
        """Count all that another has counted."""
        for key, group in other.groups.items():
            self.groups[key].add(group.count, group.first, group.last)
        if self.bins is not None and other.bins is not None:
            self.bins.merge(other.bins)
