"""Different events and users, counted by this process or by Treasure Data."""

from collections import Counter
from typing import Protocol

from td_currents_cli.count.dimension import Key


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
