"""What events can be counted by."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, tzinfo
from enum import Enum, StrEnum
from functools import cache
from typing import Any, Final, TypeAlias

from msgspec import Struct

from td_currents_cli.catalog import load
from td_currents_cli.catalog.model import channel_of
from td_currents_cli.count.projection import FieldPath, Projection, as_strings, field_paths
from td_currents_cli.errors import UsageError
from td_currents_cli.events.filter import usable_or_none

BLOCK: Final = 900
"""Seconds that are nearly always within one hour, in any time zone: the bucket's name is computed once for all."""

CACHED_BLOCKS: Final = 100_000


class TimeUnit(StrEnum):
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


BUCKET_FORMATS: Final = {
    TimeUnit.HOUR: "%Y-%m-%dT%H:00",
    TimeUnit.DAY: "%Y-%m-%d",
    TimeUnit.WEEK: "%G-W%V",
    TimeUnit.MONTH: "%Y-%m",
}


class TimeBuckets:
    """Names the buckets of times: `2026-07-01T10:00`, `2026-07-01`, `2026-W27` (ISO 8601), `2026-07`."""

    def __init__(self, unit: TimeUnit, zone: tzinfo) -> None:
        self._unit = unit
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
            moment = datetime.fromtimestamp(time, self._zone)
        except (OverflowError, ValueError):
            # The last hours of the year 9999, in an eastern time zone.
            return None
        # When clocks go back, the second of two hours has its UTC offset, by which it sorts after the first.
        is_second_hour = moment.fold and self._unit is TimeUnit.HOUR
        return f"{moment:{BUCKET_FORMATS[self._unit]}}" + (
            moment.isoformat(timespec="seconds")[19:] if is_second_hour else ""
        )


EVENT_TYPE: Final = "event_type"
SOURCE: Final = "source"

Key: TypeAlias = tuple[str | None, ...]
"""Identifies a group: its value of each dimension; None where its events have none."""


class SourceEvents(Struct, gc=False):
    """Some events of one source, as a Projection decodes them."""

    events: list[Any]
    types: list[Any]  # values of `event_type`
    times: list[Any]  # usable or not
    source: str


class DimensionKind(Enum):
    """Where the values of a dimension come from."""

    TYPE = "the event's type"
    DERIVED = "what the catalog says about the event's type"
    TIME = "the event's time"
    SOURCE = "where the event was read"
    FIELD = "a field of the event"


class Dimension(Struct, frozen=True):
    """Something that events can be counted by."""

    name: str  # as in --by and in the output
    kind: DimensionKind
    paths: tuple[FieldPath, ...] = ()  # where its values are in an event; the first path with a value counts

    def reader(self, projection: Projection, zone: tzinfo) -> Callable[[SourceEvents], list[str | None]]:
        """A function that returns the value of each event that the projection decoded; None where it has none."""
        if self.kind is DimensionKind.SOURCE:
            return lambda chunk: [chunk.source] * len(chunk.events)
        if self.kind is DimensionKind.TIME:
            buckets = TimeBuckets(TimeUnit(self.name), zone)
            return lambda chunk: buckets.names(usable_or_none(chunk.times))
        if self.kind is DimensionKind.TYPE:
            return lambda chunk: names_only(chunk.types)
        if self.kind is DimensionKind.DERIVED:
            derived_from = DERIVED[self.name]
            derive = cache(lambda name: None if name is None else derived_from(name))
            return lambda chunk: list(map(derive, names_only(chunk.types)))
        column = projection.column(self.paths)
        return lambda chunk: as_strings(column(chunk.events))


def names_only(values: list[Any]) -> list[str | None]:
    """The values, with None for all but non-empty strings."""
    if set(map(type, values)) == {str} and "" not in values:
        return values
    return [value if isinstance(value, str) and value else None for value in values]


def dimensions(names: Sequence[str]) -> tuple[Dimension, ...]:
    """The dimensions with these names.

    Raises:
        UsageError: there is no name, a name is repeated, or it cannot be a dimension.
    """
    found = tuple(_dimension(name) for name in names)
    if not found:
        raise UsageError("--by is empty", hint=_HINT)
    if len(set(names)) < len(names):
        raise UsageError("--by contains a name twice", hint="Give each name once.")
    return found


def _dimension(name: str) -> Dimension:
    if not name:
        raise UsageError("--by contains an empty name", hint=_HINT)
    if name == EVENT_TYPE:
        return Dimension(name, DimensionKind.TYPE, ((EVENT_TYPE,),))
    if name in DERIVED:
        return Dimension(name, DimensionKind.DERIVED, ((EVENT_TYPE,),))
    if name in set(TimeUnit):
        return Dimension(name, DimensionKind.TIME, (("time",),))
    if name == SOURCE:
        return Dimension(name, DimensionKind.SOURCE)
    return Dimension(name, DimensionKind.FIELD, field_paths(name))


_HINT: Final = (
    "Give event_type, category, channel, hour, day, week, month, source, or a field of user or properties, "
    "separated by commas."
)


def category_of(event_type: str) -> str | None:
    """Braze's category of a type; None for a type that is not in the catalog."""
    known = load().get(event_type)
    return known.category if known else None


DERIVED: Final[Mapping[str, Callable[[str], str | None]]] = {"category": category_of, "channel": channel_of}
"""Dimensions that depend on an event's type only."""

BY_NAME: Final = (EVENT_TYPE, *DERIVED, *TimeUnit, SOURCE)
"""All dimensions that are not fields."""


def split_names(values: Sequence[str]) -> Iterator[str]:
    """The names in option values, each of which may contain several, separated by commas."""
    for names in values:
        yield from (name.strip() for name in names.split(","))
