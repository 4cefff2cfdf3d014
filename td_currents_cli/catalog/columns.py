"""The columns of a table with one event in each row."""

from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from td_currents_cli.catalog.event_types import EventType, FieldType, Where
from td_currents_cli.choices import Names

OTHER_FIELDS: Final = "other_fields"  # column for everything that fits no other column, as a JSON string


class TableColumn(Struct, frozen=True):
    name: str
    where: Where  # of the field
    field: str
    type: FieldType

    @property
    def path(self) -> str:
        """Dotted name of the field."""
        return self.field if self.where is Where.EVENT else f"{self.where}.{self.field}"


def flat_columns(events: Iterable[EventType], names: Names) -> tuple[TableColumn, ...]:
    """List a column for each field of these event types: those of the event, of `user`, then of `properties`.

    No field of the catalog is in two places, so short names are unambiguous. A field whose type differs between event
    types gets a column type that holds all of them.
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
