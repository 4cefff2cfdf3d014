"""The dialects of SQL that tables are made in, where they differ."""

from enum import StrEnum
from typing import Final

from td_currents_cli.catalog.event_types import FieldType


class Dialect(StrEnum):
    """Engines of Treasure Data, and Spark, which reads its tables with td-spark."""

    TRINO = "trino"
    HIVE = "hive"
    SPARK = "spark"

    def quoted(self, identifier: str) -> str:
        """An identifier."""
        mark = '"' if self is Dialect.TRINO else "`"
        return mark + identifier.replace(mark, mark * 2) + mark

    def literal(self, value: str) -> str:
        """A text. In Hive and Spark a backslash in it takes the next character as it is, or for another one."""
        if self is Dialect.TRINO:
            return "'" + value.replace("'", "''") + "'"
        return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"

    def matches(self, column: str, pattern: str) -> str:
        """The condition that a text has a match for a regular expression, which all three leave to Java."""
        if self is Dialect.TRINO:
            return f"REGEXP_LIKE({column}, {self.literal(pattern)})"
        return f"{column} RLIKE {self.literal(pattern)}"

    def type(self, of_field: FieldType) -> str:
        """The type of a column.

        Treasure Data's tables have no booleans: `true` and `false` are texts. Arrays and objects are JSON texts.
        """
        return _TYPES.get(of_field, "VARCHAR" if self is Dialect.TRINO else "STRING")


_TYPES: Final = {FieldType.INT: "BIGINT", FieldType.LONG: "BIGINT", FieldType.FLOAT: "DOUBLE"}
