"""The values of options that the command line and the commands' packages share. Imports nothing of the package."""

import os
from enum import StrEnum
from typing import Final


class When(StrEnum):
    """When to use color or to show progress; `auto` depends on the terminal."""

    auto = "auto"
    always = "always"
    never = "never"


def wants_color(color: When, *, is_terminal: bool) -> bool:
    """Whether output is colored, by the option, or else by the environment and what it is written to."""
    if color is not When.auto:
        return color is When.always
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return is_terminal or bool(os.environ.get("FORCE_COLOR"))


class Dialect(StrEnum):
    """SQL dialects: Treasure Data's engines, and Spark, which reads its tables with td-spark."""

    TRINO = "trino"
    HIVE = "hive"
    SPARK = "spark"

    def quoted(self, identifier: str) -> str:
        """Quote an identifier."""
        mark = '"' if self is Dialect.TRINO else "`"
        return mark + identifier.replace(mark, mark * 2) + mark

    def literal(self, value: str) -> str:
        """Write a string literal. In Hive and Spark a backslash escapes the character after it."""
        if self is Dialect.TRINO:
            return "'" + value.replace("'", "''") + "'"
        return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"

    def matches(self, column: str, pattern: str) -> str:
        """Write the condition that a string matches a regular expression; all three use Java's syntax."""
        if self is Dialect.TRINO:
            return f"REGEXP_LIKE({column}, {self.literal(pattern)})"
        return f"{column} RLIKE {self.literal(pattern)}"

    def type(self, of_field: str) -> str:
        """Name the column type for a catalog field type (`catalog.model.FieldType`).

        Treasure Data's tables have no booleans: `true` and `false` are strings. Arrays and objects are JSON strings.
        """
        return _COLUMN_TYPES.get(of_field, "VARCHAR" if self is Dialect.TRINO else "STRING")


_COLUMN_TYPES: Final = {"int": "BIGINT", "long": "BIGINT", "float": "DOUBLE"}


class WorkflowAction(StrEnum):
    """What `tdcur workflow` does."""

    INIT = "init"


class ProjectKind(StrEnum):
    """What `tdcur workflow` writes: a project of Treasure Workflow, whose engine is digdag, or one of dbt."""

    DIGDAG = "digdag"
    DBT = "dbt"


class Schedule(StrEnum):
    """How often a workflow runs."""

    HOURLY = "hourly"
    DAILY = "daily"


class Sort(StrEnum):
    """Order of the groups of `count`: most events first, by name, earliest first, or latest event first."""

    COUNT = "count"
    NAME = "name"
    FIRST = "first"
    LAST = "last"


class To(StrEnum):
    """Output format of `parse`."""

    JSONL = "jsonl"
    CSV = "csv"
    TSV = "tsv"
    PARQUET = "parquet"


class Nested(StrEnum):
    """How `parse` writes objects and arrays: as JSON strings, or as JSON values."""

    JSON = "json"
    OBJECT = "object"


class Names(StrEnum):
    """Field names of flat events: `user_id` (storage export), `user_user_id` (streaming connector), `user.user_id`."""

    SHORT = "short"
    STREAMING = "streaming"
    DOTTED = "dotted"


class Mask(StrEnum):
    """What `parse` does with personal data."""

    KEEP = "keep"
    HASH = "hash"
    DROP = "drop"


class Query(StrEnum):
    """Queries that `sql` prints."""

    COUNT = "count"
    PARSE = "parse"
    DEDUPE = "dedupe"
    CREATE_TABLE = "create-table"
    FORGET = "forget"


class RunBy(StrEnum):
    """What runs a query that `sql` prints."""

    CONSOLE = "console"
    WORKFLOW = "workflow"
    DBT = "dbt"


class Layout(StrEnum):
    """Contents of a table's rows.

    The Postback API stores a batch as a JSON string in one column; the Braze Currents streaming connector stores each
    event in a row of its own, a field per column.
    """

    BATCHES = "batches"
    FLAT = "flat"


class JournalAction(StrEnum):
    """What `journal` does."""

    LIST = "list"
    SHOW = "show"
    PRUNE = "prune"
