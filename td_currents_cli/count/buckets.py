"""The hour, day, week or month of an event's time, in a time zone."""

from collections.abc import Callable, Sequence
from datetime import datetime, tzinfo
from enum import StrEnum
from typing import Final

BLOCK: Final = 900
"""Seconds that are nearly always within one hour, in any time zone: the bucket's name is computed once for all."""

CACHED_BLOCKS: Final = 100_000


class TimeUnit(StrEnum):
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


def _week(moment: datetime) -> str:
    year, week, _day = moment.isocalendar()
    return f"{year}-W{week:02}"


_FORMATS: Final[dict[TimeUnit, Callable[[datetime], str]]] = {
    TimeUnit.HOUR: lambda moment: f"{moment.isoformat()[:13]}:00",
    TimeUnit.DAY: lambda moment: moment.isoformat()[:10],
    TimeUnit.WEEK: _week,
    TimeUnit.MONTH: lambda moment: moment.isoformat()[:7],
}


class TimeBuckets:
    """Names the buckets of times: `2026-07-01T10:00`, `2026-07-01`, `2026-W27` (ISO 8601), `2026-07`.

    An hour that occurs twice, when clocks go back, is one bucket.
    """

    def __init__(self, unit: TimeUnit, zone: tzinfo) -> None:
        self._format = _FORMATS[unit]
        self._zone = zone
        self._blocks: dict[int, str | None] = {}

    def names(self, times: Sequence[float | None]) -> list[str | None]:
        """The bucket of each time; None for None."""
        blocks = self._blocks
        try:
            # None is not a number, and a new block is not in the dictionary.
            return [blocks[time // BLOCK] or self._name(time) for time in times]  # type: ignore[operator, index, arg-type]
        except (KeyError, TypeError):
            return [None if time is None else self._name(time) for time in times]

    def _name(self, time: float) -> str | None:
        block = int(time // BLOCK)
        if block not in self._blocks:
            if len(self._blocks) >= CACHED_BLOCKS:
                self._blocks.clear()
            name = self._format_time(block * BLOCK)
            # Some clock changes are at odd minutes: such a block has no single name.
            self._blocks[block] = name if name == self._format_time(block * BLOCK + BLOCK - 1) else None
        return self._blocks[block] or self._format_time(time)

    def _format_time(self, time: float) -> str | None:
        try:
            return self._format(datetime.fromtimestamp(time, self._zone))
        except (OverflowError, ValueError):
            # The last hours of the year 9999, in an eastern time zone.
            return None
