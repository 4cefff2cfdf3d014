"""Parts of SQL queries: identifiers, string literals and JSON paths, safely quoted."""

from collections.abc import Mapping, Sequence

from td_currents_cli.choices import Dialect
from td_currents_cli.warehouse.address import TableAddress
from td_currents_cli.warehouse.period import Period


def identifier(text: str) -> str:
    return Dialect.TRINO.quoted(text)


def string_literal(text: str) -> str:
    return Dialect.TRINO.literal(text)


def json_path(names: Sequence[str]) -> str:
    """Write a JSON path as a string literal, given the names from the root on."""
    steps = [each.replace("\\", "\\\\").replace('"', '\\"') for each in names]
    return string_literal("$" + "".join(f'["{each}"]' for each in steps))


def table_identifier(address: TableAddress) -> str:
    return f"{identifier(address.database)}.{identifier(address.table)}"


def receive_time_condition(rows: Period) -> str:
    """Write the condition on rows of a period, by which Treasure Data prunes partitions."""
    until = "NULL" if rows.until is None else f"{rows.until:.0f}"
    return f"TD_TIME_RANGE(time, {rows.since:.0f}, {until})"


def case_lookup(column: str, cases: Sequence[tuple[str, str]], otherwise: str = "NULL") -> str:
    """Map a column's values by a list of pairs of a value and its result."""
    whens = " ".join(f"WHEN {string_literal(each)} THEN {string_literal(meaning)}" for each, meaning in cases)
    return f"CASE {column} {whens} ELSE {otherwise} END" if cases else otherwise


def map_of(entries: Mapping[str, str]) -> str:
    """Write a map of string keys and expressions of one type, without those that are null."""
    names, values = ", ".join(map(string_literal, entries)), ", ".join(entries.values())
    return f"MAP_FILTER(MAP(ARRAY[{names}], ARRAY[{values}]), (k, v) -> v IS NOT NULL)"


def cte(name: str, columns: Sequence[str], source: str) -> str:
    """Write a common table expression."""
    listed = ",\n    ".join(columns)
    # Whatever comes from outside was quoted by `identifier`, `string_literal` or `json_path`.
    return f"{name} AS (\n  SELECT\n    {listed}\n  FROM {source}\n)"
