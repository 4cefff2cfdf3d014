"""The hour, day, week or month of an event's time, in a time zone."""

from collections.abc import Callable, Sequence
from datetime import datetime, tzinfo
from enum import StrEnum
from typing import Final

BLOCK: Final = 900
"""Seconds that are nearly always within one hour, whatever the time zone: its name is worked out once for all."""

_MOST: Final = 100_000
"""Blocks that are remembered."""


class Unit(StrEnum):
    """How long a bucket is."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


def _week(moment: datetime) -> str:
    year, week, _day = moment.isocalendar()
    return f"{year}-W{week:02}"


_NAME: Final[dict[Unit, Callable[[datetime], str]]] = {
    Unit.HOUR: lambda moment: f"{moment.isoformat()[:13]}:00",
    Unit.DAY: lambda moment: moment.isoformat()[:10],
    Unit.WEEK: _week,
    Unit.MONTH: lambda moment: moment.isoformat()[:7],
}


class Buckets:
    """Names the buckets of times: `2026-07-01T10:00`, `2026-07-01`, `2026-W27` (ISO 8601), `2026-07`.

    An hour that a clock shows twice, in autumn, is one bucket.
    """

    def __init__(self, unit: Unit, zone: tzinfo) -> None:
        self._name = _NAME[unit]
        self._zone = zone
        self._blocks: dict[int, str | None] = {}

    def names(self, times: Sequence[float | None]) -> list[str | None]:
        """The name of the bucket of each time; None for no time."""
        blocks = self._blocks
        try:
            # None is no number, and a block that is new is not among those known.
            return [blocks[time // BLOCK] or self._named(time) for time in times]  # type: ignore[operator, index, arg-type]
        except (KeyError, TypeError):
            return [None if time is None else self._named(time) for time in times]

    def _named(self, time: float) -> str | None:
        block = int(time // BLOCK)
        if block not in self._blocks:
            if len(self._blocks) >= _MOST:
                self._blocks.clear()
            name = self._of(block * BLOCK)
            # Clocks are set at odd minutes in places: such a block has no name of its own.
            self._blocks[block] = name if name == self._of(block * BLOCK + BLOCK - 1) else None
        return self._blocks[block] or self._of(time)

    def _of(self, time: float) -> str | None:
        try:
            return self._name(datetime.fromtimestamp(time, self._zone))
        except (OverflowError, ValueError):
            # The last hours of the year 9999, seen from the east.
            return None
