"""Tables with one event per row: their columns, and the SQL that creates them."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from msgspec import Struct

from td_currents_cli.catalog.model import EventType, FieldType, Where
from td_currents_cli.choices import Dialect, Names
from td_currents_cli.errors import UsageError

OTHER_FIELDS: Final = "other_fields"  # column for everything that fits no other column, as a JSON string
RECEIVED_TIME: Final = "received_time"  # column for the receive time; that of the event is in `time`
ADDED_COLUMNS: Final = {RECEIVED_TIME: FieldType.LONG, OTHER_FIELDS: FieldType.OBJECT}
"""Columns besides those of the fields of an event."""


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
        for each in event.fields:
            types.setdefault((each.where, each.name), set()).add(each.type)
    order = list(Where)
    places = sorted(types, key=lambda place: order.index(place[0]))
    separator = "_" if names is Names.STREAMING else "."
    columns = []
    for where, field in places:
        name = field if names is Names.SHORT or where is Where.EVENT else f"{where}{separator}{field}"
        columns.append(TableColumn(name, where, field, _common_type(types[where, field])))
    return tuple(columns)


def _common_type(types: set[FieldType]) -> FieldType:
    if len(types) == 1:
        return next(iter(types))
    if types <= _NUMBERS:
        return FieldType.FLOAT if FieldType.FLOAT in types else FieldType.LONG
    return FieldType.STRING


_NUMBERS: Final = {FieldType.INT, FieldType.LONG, FieldType.FLOAT}
TIME = "time"


def create_table_sql(table: Sequence[str], columns: Sequence[TableColumn], dialect: Dialect = Dialect.TRINO) -> str:
    """Write the statement; the last columns are ADDED_COLUMNS. `table` is a name, optionally after that of a database.

    Raises:
        UsageError: two column names are the same, because SQL ignores case.
    """
    names = Counter(column.name.lower() for column in columns)
    twice = [name for name, number in names.items() if number > 1]
    if twice:
        raise UsageError(f"several fields map to the column `{twice[0]}`", hint="Exclude all but one of them.")
    listed = [f"{dialect.quoted(column.name)} {dialect.type(column_type(column))}" for column in columns]
    lines = ",\n  ".join([*listed, *(_definition(name, dialect) for name in ADDED_COLUMNS)])
    return f"CREATE TABLE IF NOT EXISTS {_qualified(table, dialect)} (\n  {lines}\n)"


def add_column_sql(table: Sequence[str], name: str) -> str:
    """Write the statement that adds one of ADDED_COLUMNS."""
    return f"ALTER TABLE {_qualified(table, Dialect.TRINO)} ADD COLUMN {_definition(name, Dialect.TRINO)}"


def column_type(column: TableColumn) -> FieldType:
    # Treasure Data partitions tables by `time`, which is always in UNIX seconds.
    return FieldType.LONG if column.where is Where.EVENT and column.field == TIME else column.type


def _qualified(table: Sequence[str], dialect: Dialect) -> str:
    return ".".join(map(dialect.quoted, table))


def _definition(name: str, dialect: Dialect) -> str:
    return f"{dialect.quoted(name)} {dialect.type(ADDED_COLUMNS[name])}"
