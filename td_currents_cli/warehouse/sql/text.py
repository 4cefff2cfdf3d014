"""Words of SQL: names, texts and paths as they may stand in a query, whatever they hold."""

from collections.abc import Mapping, Sequence

from td_currents_cli.choices import Dialect
from td_currents_cli.warehouse.address import TableAddress
from td_currents_cli.warehouse.period import Period


def identifier(text: str) -> str:
    """An identifier."""
    return Dialect.TRINO.quoted(text)


def string_literal(text: str) -> str:
    """A text."""
    return Dialect.TRINO.literal(text)


def json_path(names: Sequence[str]) -> str:
    """The text of a JSON path to a member, given the names from the root inwards."""
    steps = [each.replace("\\", "\\\\").replace('"', '\\"') for each in names]
    return string_literal("$" + "".join(f'["{each}"]' for each in steps))


def table_identifier(address: TableAddress) -> str:
    """The table in a FROM."""
    return f"{identifier(address.database)}.{identifier(address.table)}"


def receive_time_condition(rows: Period) -> str:
    """The condition on rows of a period; Treasure Data reads only the part of the table that it leaves."""
    until = "NULL" if rows.until is None else f"{rows.until:.0f}"
    return f"TD_TIME_RANGE(time, {rows.since:.0f}, {until})"


def case_lookup(column: str, cases: Sequence[tuple[str, str]], otherwise: str = "NULL") -> str:
    """What a text stands for, by a list of both."""
    whens = " ".join(f"WHEN {string_literal(each)} THEN {string_literal(meaning)}" for each, meaning in cases)
    return f"CASE {column} {whens} ELSE {otherwise} END" if cases else otherwise


def map_of(members: Mapping[str, str]) -> str:
    """A map of texts, and of expressions of one type; those that are null are left out."""
    names, values = ", ".join(map(string_literal, members)), ", ".join(members.values())
    return f"MAP_FILTER(MAP(ARRAY[{names}], ARRAY[{values}]), (k, v) -> v IS NOT NULL)"


def cte(called: str, columns: Sequence[str], source: str) -> str:
    """A common table expression: some columns of another one."""
    listed = ",\n    ".join(columns)
    # The texts that columns are made of are all from `identifier`, `string_literal` and `json_path`.
    return f"{called} AS (\n  SELECT\n    {listed}\n  FROM {source}\n)"
