"""Which events are compared: those of a period that have had the time to arrive."""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from td_currents_cli.events.filter import EVERYTHING, Filter


class ScopeDecision(Enum):
    """Whether an event is compared, and if not, why."""

    COMPARED = "compared"
    FILTERED = "filtered"
    TOO_YOUNG = "too young"


@dataclass(frozen=True, slots=True)
class TimeScope:
    """Which events are compared on both sides, by event time: files have no receive time."""

    wanted: Filter = EVERYTHING  # the period; an event without a usable time is in none
    settled: float | None = None  # UNIX seconds after which an event is too young; one without a usable time never is

    def __bool__(self) -> bool:
        """Whether any event is left out."""
        return bool(self.wanted) or self.settled is not None

    def decide(self, seconds: float | None) -> ScopeDecision:
        if not self.wanted.covers(seconds):
            return ScopeDecision.FILTERED
        if self.settled is not None and seconds is not None and seconds > self.settled:
            return ScopeDecision.TOO_YOUNG
        return ScopeDecision.COMPARED


EVERY_EVENT: Final = TimeScope()
