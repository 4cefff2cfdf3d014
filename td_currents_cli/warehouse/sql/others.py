"""The fields that the columns of flat events cannot hold, as maps from dotted names to JSON, so that nothing is lost.

These are the fields without a column, and those whose value does not fit their column's type. A string column holds
everything; a numeric column also holds numbers in strings.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final

from td_currents_cli.catalog.ddl import OTHER_FIELDS, TIME, TableColumn, column_type
from td_currents_cli.catalog.model import Where
from td_currents_cli.choices import Dialect
from td_currents_cli.warehouse.sql.text import identifier, map_of, string_literal

MAP: Final = "MAP(VARCHAR, JSON)"
NO_FIELDS: Final = f"CAST(JSON_PARSE('{{}}') AS {MAP})"
INNER: Final = (Where.USER, Where.PROPERTIES)

_MISFITS: Final = {
    "BIGINT": "NOT COALESCE(CAST(TRY_CAST({0} AS BIGINT) AS VARCHAR) = {0}, FALSE)",
    "DOUBLE": "NOT COALESCE(ABS(TRY_CAST({0} AS DOUBLE)) < 9007199254740992, FALSE)",
}
"""Conditions that a string does not fit a column of the type; from 2**53 on a DOUBLE is inexact."""

_SCALAR: Final = "JSON_EXTRACT_SCALAR(v, '$')"
_HAS_VALUE: Final = "COALESCE(JSON_FORMAT(v) <> 'null', FALSE)"


def typed_cell(cell: str, column: TableColumn) -> str:
    """Cast a cell to the type of its column; null if it does not fit."""
    kind = _sql_type(column)
    return f"TRY_CAST({cell} AS {kind})" if kind in _MISFITS else cell


def other_fields_of_batches(columns: Sequence[TableColumn], seconds: str) -> Iterator[str]:
    """Yield maps, given the fields of the event, `user` and `properties` as `of_event`, `of_user` and `of_properties`.

    `seconds` is the expression for the time of a value `v`. A top-level name that looks as if it was in `user` or
    `properties` is prefixed with a dot.
    """
    inner = "|".join(INNER)
    paths = {where: f"'{where}.' || k" for where in INNER}
    paths[Where.EVENT] = rf"CASE WHEN REGEXP_LIKE(k, '^\.*({inner})\.') THEN '.' || k ELSE k END"
    for where in Where:
        cases = [*_cases([column for column in columns if column.where is where])]
        if where is Where.EVENT:
            cases += [
                f"WHEN k = '{TIME}' THEN {_HAS_VALUE} AND NOT COALESCE({seconds} = FLOOR({seconds}), FALSE)",
                f"WHEN {_key_in(INNER)} THEN {_HAS_VALUE} AND JSON_FORMAT(v) NOT LIKE '{{%'",
            ]
        kept = "\n        ".join(["CASE", *cases, "ELSE TRUE END"])
        filtered = f"MAP_FILTER(of_{where}, (k, v) -> {kept})"
        yield f"TRANSFORM_KEYS(\n      {filtered},\n      (k, v) -> {paths[where]}\n    )"


def _cases(columns: Sequence[TableColumn]) -> Iterator[str]:
    """Yield the conditions that a field does not fit its column."""
    strings = [column.field for column in columns if _sql_type(column) not in _MISFITS]
    if strings:
        yield f"WHEN {_key_in(strings)} THEN FALSE"
    for kind, misfit in _MISFITS.items():
        numbers = [column.field for column in columns if _sql_type(column) == kind and not _is_time(column)]
        if numbers:
            yield f"WHEN {_key_in(numbers)} THEN {_HAS_VALUE} AND {misfit.format(_SCALAR)}"


def _key_in(names: Iterable[str]) -> str:
    return f"k IN ({', '.join(map(string_literal, names))})"


def other_fields_of_flat(table_columns: Collection[str], taken: Mapping[str, TableColumn]) -> Iterator[str]:
    """Yield maps of a flat event, given the columns of its table that have a target. Its OTHER_FIELDS is kept."""
    found = {}
    for each, column in taken.items():
        kind, cell = _sql_type(column), f"CAST({identifier(each)} AS VARCHAR)"
        if kind in _MISFITS and not _is_time(column):
            misfit = _MISFITS[kind].format(cell)
            found[column.path] = f"CASE WHEN {cell} IS NOT NULL AND {misfit} THEN CAST({identifier(each)} AS JSON) END"
    found |= {each: f"CAST({identifier(each)} AS JSON)" for each in table_columns if each not in {*taken, TIME}}
    if OTHER_FIELDS in table_columns:
        before = f"TRY_CAST(TRY(JSON_PARSE({identifier(OTHER_FIELDS)})) AS {MAP})"
        found[OTHER_FIELDS] = f"CASE WHEN {before} IS NULL THEN {found[OTHER_FIELDS]} END"
        yield f"COALESCE({before}, {NO_FIELDS})"
    yield map_of(found) if found else NO_FIELDS


def _is_time(column: TableColumn) -> bool:
    return column.where is Where.EVENT and column.field == TIME


def _sql_type(column: TableColumn) -> str:
    return Dialect.TRINO.type(column_type(column))
