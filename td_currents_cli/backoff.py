"""Exponential backoff: the one way in which pauses between attempts grow."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count


@dataclass(frozen=True, slots=True, kw_only=True)
class ExponentialBackoff:
    """Pauses in seconds: `base`, then each `growth` times as long as the one before, up to `longest`."""

    base: float
    longest: float = math.inf
    growth: float = 2.0

    def pause(self, failures: int) -> float:
        """Return the pause after this many failures in a row, at least 1."""
        # Bounded, since a power of this size is an OverflowError.
        return min(self.longest, self.base * self.growth ** min(failures - 1, 256))

    def pauses(self) -> Iterator[float]:
        """Yield one pause after the other, without end."""
        return map(self.pause, count(1))
