"""The statement that creates a table for flat events."""

from collections import Counter
from collections.abc import Sequence

from td_currents_cli.catalog.columns import OTHER_FIELDS, TableColumn
from td_currents_cli.catalog.event_types import FieldType, Where
from td_currents_cli.choices import Dialect
from td_currents_cli.errors import UsageError

TIME = "time"


def create_table_sql(table: Sequence[str], columns: Sequence[TableColumn], dialect: Dialect = Dialect.TRINO) -> str:
    """Write the statement; the last column is OTHER_FIELDS. `table` is a name, optionally after that of a database.

    Raises:
        UsageError: two column names are the same, because SQL ignores case.
    """
    names = Counter(column.name.lower() for column in columns)
    twice = [name for name, number in names.items() if number > 1]
    if twice:
        raise UsageError(f"several fields map to the column `{twice[0]}`", hint="Exclude all but one of them.")
    listed = [f"{dialect.quoted(column.name)} {dialect.type(column_type(column))}" for column in columns]
    lines = ",\n  ".join([*listed, _other_fields(dialect)])
    return f"CREATE TABLE IF NOT EXISTS {_qualified(table, dialect)} (\n  {lines}\n)"


def add_other_fields_sql(table: Sequence[str]) -> str:
    return f"ALTER TABLE {_qualified(table, Dialect.TRINO)} ADD COLUMN {_other_fields(Dialect.TRINO)}"


def column_type(column: TableColumn) -> FieldType:
    # Treasure Data partitions tables by `time`, which is always in UNIX seconds.
    return FieldType.LONG if column.where is Where.EVENT and column.field == TIME else column.type


def _qualified(table: Sequence[str], dialect: Dialect) -> str:
    return ".".join(map(dialect.quoted, table))


def _other_fields(dialect: Dialect) -> str:
    return f"{dialect.quoted(OTHER_FIELDS)} {dialect.type(FieldType.OBJECT)}"
