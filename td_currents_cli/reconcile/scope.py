"""Which events are compared: those of a period, and those that have had the time to arrive."""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from td_currents_cli.events.filter import EVERYTHING, Filter


class Verdict(Enum):
    """Whether an event is compared, and if not, why."""

    MEANT = "meant"
    FILTERED = "filtered"
    TOO_YOUNG = "too young"


@dataclass(frozen=True, slots=True)
class Scope:
    """Which events are compared, on both sides alike, by their own time: a file knows of no other.

    Attributes:
        wanted: the period; an event whose time is no time is in none.
        settled: UNIX seconds from which an event is too young; None for none. One whose time is no time never is.
    """

    wanted: Filter = EVERYTHING
    settled: float | None = None

    def __bool__(self) -> bool:
        """Whether anything is left out at all."""
        return bool(self.wanted) or self.settled is not None

    def verdict(self, seconds: float | None) -> Verdict:
        """Whether an event of this time is compared."""
        if not self.wanted.covers(seconds):
            return Verdict.FILTERED
        if self.settled is not None and seconds is not None and seconds > self.settled:
            return Verdict.TOO_YOUNG
        return Verdict.MEANT


ALL: Final = Scope()
"""Leaves nothing out."""
