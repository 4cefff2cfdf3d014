"""What the columns of flat events cannot take, as maps from dotted names to JSON, so that nothing is lost.

That is the members without a column, and those whose value is not of their column's type. A column of texts takes
everything, one of numbers a number that is a text, too.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final

from td_currents_cli.catalog.columns import OTHER_FIELDS, TableColumn
from td_currents_cli.catalog.create_table import TIME, column_type
from td_currents_cli.catalog.event_types import Where
from td_currents_cli.choices import Dialect
from td_currents_cli.warehouse.sql.text import identifier, map_of, string_literal

MAP: Final = "MAP(VARCHAR, JSON)"
NO_MEMBERS: Final = f"CAST(JSON_PARSE('{{}}') AS {MAP})"
INNER: Final = (Where.USER, Where.PROPERTIES)

_MISFITS: Final = {
    "BIGINT": "NOT COALESCE(CAST(TRY_CAST({0} AS BIGINT) AS VARCHAR) = {0}, FALSE)",
    "DOUBLE": "NOT COALESCE(ABS(TRY_CAST({0} AS DOUBLE)) < 9007199254740992, FALSE)",
}
"""The conditions that a column of that type would not hold all of a text; from 2**53 on a DOUBLE is not exact."""

_SCALAR: Final = "JSON_EXTRACT_SCALAR(v, '$')"
_HAS_VALUE: Final = "COALESCE(JSON_FORMAT(v) <> 'null', FALSE)"


def typed_cell(cell: str, column: TableColumn) -> str:
    """A cell as its column holds it; null where it is not of that type."""
    kind = _sql_type(column)
    return f"TRY_CAST({cell} AS {kind})" if kind in _MISFITS else cell


def other_fields_of_batches(columns: Sequence[TableColumn], seconds: str) -> Iterator[str]:
    """Maps of an event, given its members and those of its `user` and `properties` as `of_event` and so on.

    The name of a member that looks as if it was in `user` or `properties` gets a dot in front.

    Args:
        columns: what there is a column for.
        seconds: what of a member, `v`, is a time.
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
    """Of the members that these columns are for, which ones they do not take."""
    texts = [column.field for column in columns if _sql_type(column) not in _MISFITS]
    if texts:
        yield f"WHEN {_key_in(texts)} THEN FALSE"
    for kind, misfit in _MISFITS.items():
        numbers = [column.field for column in columns if _sql_type(column) == kind and not _is_time(column)]
        if numbers:
            yield f"WHEN {_key_in(numbers)} THEN {_HAS_VALUE} AND {misfit.format(_SCALAR)}"


def _key_in(names: Iterable[str]) -> str:
    return f"k IN ({', '.join(map(string_literal, names))})"


def other_fields_of_flat(there: Collection[str], taken: Mapping[str, TableColumn]) -> Iterator[str]:
    """Maps of a flat event. What its table has of other fields already stays as it is there.

    Args:
        there: the columns of its table.
        taken: those that there is a column for, and that column.
    """
    found = {}
    for each, column in taken.items():
        kind, cell = _sql_type(column), f"CAST({identifier(each)} AS VARCHAR)"
        if kind in _MISFITS and not _is_time(column):
            misfit = _MISFITS[kind].format(cell)
            found[column.path] = f"CASE WHEN {cell} IS NOT NULL AND {misfit} THEN CAST({identifier(each)} AS JSON) END"
    found |= {each: f"CAST({identifier(each)} AS JSON)" for each in there if each not in {*taken, TIME}}
    if OTHER_FIELDS in there:
        before = f"TRY_CAST(TRY(JSON_PARSE({identifier(OTHER_FIELDS)})) AS {MAP})"
        found[OTHER_FIELDS] = f"CASE WHEN {before} IS NULL THEN {found[OTHER_FIELDS]} END"
        yield f"COALESCE({before}, {NO_MEMBERS})"
    yield map_of(found) if found else NO_MEMBERS


def _is_time(column: TableColumn) -> bool:
    return column.where is Where.EVENT and column.field == TIME


def _sql_type(column: TableColumn) -> str:
    return Dialect.TRINO.type(column_type(column))
