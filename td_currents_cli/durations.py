"""Durations as option values."""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Final

from td_currents_cli.errors import UsageError
from td_currents_cli.patterns import pattern

_DURATION: Final = pattern(r"(?P<number>\d+(?:\.\d+)?)(?P<unit>ms|s|m|h|d)|0", re.ASCII)
_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, None: 0.0}


def duration(value: str, option: str) -> float:
    """Seconds of a duration such as `30s`, `15m`, `1.5h`, or `90d`. Raises UsageError, which names the option."""
    match = _DURATION.fullmatch(value.strip())
    if match is None:
        raise UsageError(f"{option} is not a duration", hint="Use a number with a unit: 500ms, 30s, 15m, 2h, 90d.")
    return float(match["number"] or 0) * _UNITS[match["unit"]]


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
