"""How far a run is, in figures that can be taken at any time."""

from collections.abc import Callable
from typing import TypeAlias

from msgspec import Struct


class Progress(Struct, frozen=True, kw_only=True):
    """The figures of a run at one moment."""

    done: float
    unit: str  # of `done` and `total`: bytes, events, rows
    total: float | None = None  # None where it is not known
    settled: float | None = None  # share of the work that is done, from 0 to 1, if it is not that of `done`
    stage: str = ""  # what is being done, if a run has several parts
    figures: tuple[str, ...] = ()  # others, the most important first
    retrying: str = ""  # why a request failed and when it is sent again

    @property
    def share(self) -> float | None:
        """Share of the work that is done, from 0 to 1; None where it is not known."""
        if self.settled is None and self.total:
            return min(1.0, self.done / self.total)
        return self.settled


Gauge: TypeAlias = Callable[[], Progress | str]
"""Returns the progress of the run, or a line that says what it waits for."""
