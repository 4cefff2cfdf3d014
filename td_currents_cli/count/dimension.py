"""What events can be counted by."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import tzinfo
from enum import Enum
from typing import Any, Final, TypeAlias

from msgspec import Struct

from td_currents_cli.catalog import load
from td_currents_cli.catalog.event_types import channel_of
from td_currents_cli.count.buckets import Buckets, Unit
from td_currents_cli.count.field_path import FieldPath, field_paths
from td_currents_cli.count.projection import Projection, texts
from td_currents_cli.errors import UsageError

EVENT_TYPE: Final = "event_type"
SOURCE: Final = "source"


class Slice(Struct, gc=False):
    """Some events of one source.

    Attributes:
        events: as a Projection decodes them.
        times: their usable times in UNIX seconds.
        source: its name.
    """

    events: list[Any]
    times: Sequence[float | None]
    source: str


Keys: TypeAlias = list[str | None]
KeysOf: TypeAlias = Callable[[Slice], Keys]
"""The value of a dimension for each event; None where it has none."""


class Kind(Enum):
    """What a dimension is told from."""

    TYPE = "the event's type"
    DERIVED = "what the catalogue says of the event's type"
    TIME = "the event's time"
    SOURCE = "where the event was read"
    FIELD = "a field of the event"


class Dimension(Struct, frozen=True):
    """Something that events can be counted by.

    Attributes:
        name: as the user says it, and as it stands in the output.
        kind: what it is told from.
        paths: where in an event the values are that it is told from; the first path that has one counts.
    """

    name: str
    kind: Kind
    paths: tuple[FieldPath, ...] = ()

    def keys(self, projection: Projection, zone: tzinfo) -> KeysOf:
        """A function that gives the values of events which that projection decoded."""
        if self.kind is Kind.SOURCE:
            return lambda some: [some.source] * len(some.events)
        if self.kind is Kind.TIME:
            buckets = Buckets(Unit(self.name), zone)
            return lambda some: buckets.names(some.times)
        column = projection.column(self.paths)
        if self.kind is Kind.FIELD:
            return lambda some: texts(column(some.events))
        if self.kind is Kind.TYPE:
            return lambda some: names_only(column(some.events))
        told = _Told(DERIVED[self.name])
        return lambda some: [told[name] for name in names_only(column(some.events))]


def names_only(values: list[Any]) -> Keys:
    """Values of which only texts that are not empty are names."""
    if set(map(type, values)) == {str} and "" not in values:
        return values
    return [value if isinstance(value, str) and value else None for value in values]


def dimensions(names: Sequence[str]) -> tuple[Dimension, ...]:
    """The dimensions that a user names.

    Raises:
        UsageError: none is named, or one twice, or one that cannot be.
    """
    found = tuple(_dimension(name) for name in names)
    if not found:
        raise UsageError("--by names nothing to count by", hint=_HINT)
    if len(set(names)) < len(names):
        raise UsageError("--by names something twice", hint="Name it once.")
    return found


def _dimension(name: str) -> Dimension:
    if not name:
        raise UsageError("--by has an empty name in it", hint=_HINT)
    if name == EVENT_TYPE:
        return Dimension(name, Kind.TYPE, ((EVENT_TYPE,),))
    if name in DERIVED:
        return Dimension(name, Kind.DERIVED, ((EVENT_TYPE,),))
    if name in set(Unit):
        return Dimension(name, Kind.TIME, (("time",),))
    if name == SOURCE:
        return Dimension(name, Kind.SOURCE)
    return Dimension(name, Kind.FIELD, field_paths(name))


_HINT: Final = (
    "Give event_type, category, channel, hour, day, week, month, source, or a field of user or properties, "
    "several with commas between them."
)


def category_of(event_type: str) -> str | None:
    """The category that Braze has a type in; None for a type that the catalogue does not know."""
    known = load().get(event_type)
    return known.category if known else None


DERIVED: Final[Mapping[str, Callable[[str], str | None]]] = {"category": category_of, "channel": channel_of}
"""Dimensions that an event's type alone tells."""

BY_NAME: Final = (EVENT_TYPE, *DERIVED, *Unit, SOURCE)
"""All dimensions that are no fields."""


class _Told(dict[str | None, str | None]):
    """What a function tells of names, each asked for once."""

    def __init__(self, tell: Callable[[str], str | None]) -> None:
        super().__init__()
        self._tell = tell

    def __missing__(self, name: str | None) -> str | None:
        self[name] = told = None if name is None else self._tell(name)
        return told


def split_names(given: Sequence[str]) -> Iterator[str]:
    """The names in a list of options, each of which may hold several with commas between them."""
    for names in given:
        yield from (name.strip() for name in names.split(","))
