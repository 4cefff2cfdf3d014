"""The statement that makes a table for flat events."""

from collections.abc import Sequence

from td_currents_cli.catalog.columns import Column
from td_currents_cli.catalog.dialect import Dialect
from td_currents_cli.catalog.event_types import FieldType, Where

TIME = "time"


def create_table_sql(table: Sequence[str], columns: Sequence[Column], dialect: Dialect = Dialect.TRINO) -> str:
    """The statement.

    Args:
        table: its name, behind that of its database where that has to be said.
        columns: see `catalog.columns`.
        dialect: to say it in.
    """
    listed = [f"  {dialect.quoted(column.name)} {dialect.type(type_of(column))}" for column in columns]
    called = ".".join(map(dialect.quoted, table))
    return f"CREATE TABLE IF NOT EXISTS {called} (\n" + ",\n".join(listed) + "\n)"


def type_of(column: Column) -> FieldType:
    """The type of a column's values. Treasure Data keeps tables by `time`, which are always UNIX seconds."""
    return FieldType.LONG if column.where is Where.EVENT and column.field == TIME else column.type
