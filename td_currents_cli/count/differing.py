"""What is told of events and users that differ, whoever found it out: this process, or the engine behind a table."""

from collections import Counter
from typing import Protocol

from td_currents_cli.count.dimension import Key


class Numbers(Protocol):
    """How many different things there are."""

    @property
    def total(self) -> int:
        """In all groups together."""

    @property
    def in_groups(self) -> Counter[Key]:
        """In each group."""


class Differing(Protocol):
    """What differs, and what was left out for being there twice."""

    @property
    def dedupes(self) -> bool:
        """Whether duplicates are dropped."""

    @property
    def duplicates(self) -> Counter[Key]:
        """Events that were dropped, by group."""

    @property
    def events(self) -> Numbers | None:
        """Different ids, where that was asked."""

    @property
    def users(self) -> Numbers | None:
        """Different users, where that was asked."""

    @property
    def spilled(self) -> int:
        """Digests that did not fit into memory."""
