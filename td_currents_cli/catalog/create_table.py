"""The statement that makes a table for flat events."""

from collections import Counter
from collections.abc import Sequence

from td_currents_cli.catalog.columns import OTHER_FIELDS, TableColumn
from td_currents_cli.catalog.event_types import FieldType, Where
from td_currents_cli.choices import Dialect
from td_currents_cli.errors import UsageError

TIME = "time"


def create_table_sql(table: Sequence[str], columns: Sequence[TableColumn], dialect: Dialect = Dialect.TRINO) -> str:
    """The statement; the last column is that for other fields.

    Args:
        table: its name, behind that of its database where that has to be said.
        columns: see `catalog.columns`.
        dialect: to say it in.

    Raises:
        UsageError: two of them are one, for SQL does not tell upper from lower case.
    """
    names = Counter(column.name.lower() for column in columns)
    twice = [name for name, number in names.items() if number > 1]
    if twice:
        raise UsageError(f"more than one field would be in the column `{twice[0]}`", hint="Leave one of them out.")
    listed = [f"{dialect.quoted(column.name)} {dialect.type(column_type(column))}" for column in columns]
    lines = ",\n  ".join([*listed, _other_fields(dialect)])
    return f"CREATE TABLE IF NOT EXISTS {_qualified(table, dialect)} (\n  {lines}\n)"


def add_other_fields_sql(table: Sequence[str]) -> str:
    """The statement, in Trino's dialect, that gives a table the column for other fields."""
    return f"ALTER TABLE {_qualified(table, Dialect.TRINO)} ADD COLUMN {_other_fields(Dialect.TRINO)}"


def column_type(column: TableColumn) -> FieldType:
    """The type of a column's values. Treasure Data keeps tables by `time`, which are always UNIX seconds."""
    return FieldType.LONG if column.where is Where.EVENT and column.field == TIME else column.type


def _qualified(table: Sequence[str], dialect: Dialect) -> str:
    return ".".join(map(dialect.quoted, table))


def _other_fields(dialect: Dialect) -> str:
    return f"{dialect.quoted(OTHER_FIELDS)} {dialect.type(FieldType.OBJECT)}"
