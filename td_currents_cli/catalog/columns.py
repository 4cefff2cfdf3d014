"""The columns of a table with one event in each row."""

from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from td_currents_cli.catalog.event_types import EventType, FieldType, Where
from td_currents_cli.choices import Names

OTHER_FIELDS: Final = "other_fields"
"""The column for what the others cannot take, as JSON text."""


class TableColumn(Struct, frozen=True):
    """A column.

    Attributes:
        name: of the column.
        where: the object of an event that its field is a member of.
        field: the name of the field.
        type: of its values.
    """

    name: str
    where: Where
    field: str
    type: FieldType

    @property
    def path(self) -> str:
        """The dotted name of its field."""
        return self.field if self.where is Where.EVENT else f"{self.where}.{self.field}"


def flat_columns(events: Iterable[EventType], names: Names) -> tuple[TableColumn, ...]:
    """A column for each field that any of these event types has: of the event, of `user`, of `properties`, in order.

    No field of the catalogue is in two places, so that short names are unambiguous. A field whose type differs from one
    event type to another has one that takes all of them.
    """
    types: dict[tuple[Where, str], set[FieldType]] = {}
    for event in events:
        for field in event.fields:
            types.setdefault((field.where, field.name), set()).add(field.type)
    order = list(Where)
    places = sorted(types, key=lambda place: order.index(place[0]))
    return tuple(TableColumn(_column_name(*place, names), *place, _common_type(types[place])) for place in places)


def _column_name(where: Where, field: str, names: Names) -> str:
    if names is Names.SHORT or where is Where.EVENT:
        return field
    return f"{where}{'_' if names is Names.STREAMING else '.'}{field}"


def _common_type(types: set[FieldType]) -> FieldType:
    if len(types) == 1:
        return next(iter(types))
    if types <= _NUMBERS:
        return FieldType.FLOAT if FieldType.FLOAT in types else FieldType.LONG
    return FieldType.STRING


_NUMBERS: Final = {FieldType.INT, FieldType.LONG, FieldType.FLOAT}
