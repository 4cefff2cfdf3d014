"""Parts of SQL queries: identifiers, string literals and JSON paths, safely quoted."""

import re
from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias

from msgspec import Struct

from td_currents_cli.braze import CANARY, LATEST
from td_currents_cli.choices import Dialect
from td_currents_cli.events.filter import Filter, TypeGlobs
from td_currents_cli.patterns import pattern
from td_currents_cli.treasure_data.address import Period, TableAddress
from td_currents_cli.treasure_data.sql.scheduled import ScheduledTime, seconds_sql

identifier: Final = Dialect.TRINO.quoted
string_literal: Final = Dialect.TRINO.literal


def json_path(names: Sequence[str]) -> str:
    """Write a JSON path as a string literal, given the names from the root on."""
    steps = [each.replace("\\", "\\\\").replace('"', '\\"') for each in names]
    return string_literal("$" + "".join(f'["{each}"]' for each in steps))


def table_identifier(address: TableAddress, dialect: Dialect = Dialect.TRINO) -> str:
    return f"{dialect.quoted(address.database)}.{dialect.quoted(address.table)}"


class TimeRange(Struct, frozen=True):
    """A range of receive times, for Trino: SQL expressions of UNIX seconds, which a workflow can fill in."""

    since: str
    until: str  # excluded


Rows: TypeAlias = Period | TimeRange
"""The rows of a table that are read, by their receive times."""


def receive_time_condition(rows: Rows, dialect: Dialect = Dialect.TRINO) -> str:
    """Write the condition on rows of a period, by which Treasure Data prunes partitions."""
    if isinstance(rows, TimeRange):
        return f"TD_TIME_RANGE(time, {rows.since}, {rows.until})"
    time = "time" if dialect is Dialect.TRINO else dialect.quoted("time")  # a keyword of Hive's
    if dialect is Dialect.SPARK:
        until = "" if rows.until is None else f" AND {time} < {seconds_sql(rows.until, dialect)}"
        return f"{time} >= {seconds_sql(rows.since, dialect)}{until}"
    until = "NULL" if rows.until is None else seconds_sql(rows.until)
    return f"TD_TIME_RANGE({time}, {seconds_sql(rows.since)}, {until})"


def create_table(address: TableAddress, columns: Mapping[str, str]) -> str:
    """Write the statement for a table with these columns and types, unless it is there."""
    listed = ",\n  ".join(f"{identifier(name)} {kind}" for name, kind in columns.items())
    return f"CREATE TABLE IF NOT EXISTS {table_identifier(address)} (\n  {listed}\n)"


IS_TIME: Final = f'\'^"?[0-9]{{1,{len(str(LATEST))}}}"?$|^[0-9][^"]*$\''
"""A string literal: the regular expression for JSON of a number, or of a string of digits, that may be UNIX seconds."""


def case_lookup(column: str, cases: Sequence[tuple[str, str]], dialect: Dialect = Dialect.TRINO) -> str:
    """Map a column's values by a list of pairs of a value and its result; null for other values."""
    whens = " ".join(f"WHEN {dialect.literal(each)} THEN {dialect.literal(meaning)}" for each, meaning in cases)
    return f"CASE {column} {whens} ELSE NULL END"


def map_of(entries: Mapping[str, str]) -> str:
    """Write a map of string keys and expressions of one type, without those that are null."""
    named = list(entries.items())
    maps = [_map(named[start : start + _MOST_ELEMENTS]) for start in range(0, len(named), _MOST_ELEMENTS)]
    every = maps[0] if len(maps) == 1 else f"MAP_CONCAT({', '.join(maps)})"
    return f"MAP_FILTER({every}, (k, v) -> v IS NOT NULL)"


_MOST_ELEMENTS: Final = 250
"""Trino's constructor of arrays takes up to 254."""


def _map(entries: Sequence[tuple[str, str]]) -> str:
    names = ", ".join(string_literal(name) for name, _ in entries)
    return f"MAP(ARRAY[{names}], ARRAY[{', '.join(value for _, value in entries)}])"


def cte(name: str, columns: Sequence[str], source: str) -> str:
    """Write a common table expression."""
    listed = ",\n    ".join(columns)
    # Whatever comes from outside was quoted by `identifier`, `string_literal` or `json_path`.
    return f"{name} AS (\n  SELECT\n    {listed}\n  FROM {source}\n)"


_CHARACTER_CLASS: Final = pattern(r"\[(!?)(\]?[^\]]*)\]", re.DOTALL)


def filter_condition(event_filter: Filter, event_type: str, seconds: str, dialect: Dialect = Dialect.TRINO) -> str:
    """Write a condition that is never null; the columns of the type and the time are null if invalid."""
    conditions = [*_type_conditions(event_filter.types, f"LOWER({event_type})", dialect)]
    if not event_filter.canaries:
        conditions.append(f"NOT {is_canary(event_type, dialect)}")
    if event_filter.timed:
        conditions.append(f"{seconds} IS NOT NULL")
    for time, comparison in ((event_filter.since, ">="), (event_filter.until, "<")):
        if time is not None:
            bound = seconds_sql(time, dialect) if isinstance(time, ScheduledTime) else repr(time)
            conditions.append(f"{seconds} {comparison} {bound}")
    return f"COALESCE({' AND '.join(conditions)}, FALSE)" if conditions else "TRUE"


def is_canary(event_type: str, dialect: Dialect = Dialect.TRINO) -> str:
    """Write the condition that an event is one of `tdcur watch --canary`; it is never null."""
    return f"COALESCE({event_type} = {dialect.literal(CANARY)}, FALSE)"


def _type_conditions(globs: TypeGlobs, column: str, dialect: Dialect) -> list[str]:
    conditions = []
    if globs.included:
        conditions.append(f"({' OR '.join(dialect.matches(column, glob_to_regex(glob)) for glob in globs.included)})")
    conditions += [f"NOT COALESCE({dialect.matches(column, glob_to_regex(glob))}, FALSE)" for glob in globs.excluded]
    return conditions


def glob_to_regex(glob: str) -> str:
    """Convert a glob of `fnmatch` to a regular expression of Java, which Trino and Hive use."""
    parts, place = [], 0
    while place < len(glob):
        match = _CHARACTER_CLASS.match(glob, place)
        if glob[place] == "*":
            parts.append(".*")
        elif glob[place] == "?":
            parts.append(".")
        elif match:
            inside = re.sub(r"([\\\[\]&^~])", r"\\\1", match[2])
            parts.append(f"[{'^' if match[1] else ''}{inside}]")
            place = match.end() - 1
        else:
            parts.append(re.escape(glob[place]))
        place += 1
    return rf"(?s)^{''.join(parts)}\z"
