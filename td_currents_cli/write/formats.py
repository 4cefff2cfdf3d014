r"""Output formats: CSV, TSV, JSON, and Parquet.

CSV is RFC 4180 with `\n` at line ends: a missing value is an empty cell, an empty string is `""`. A string that looks
like null or a boolean is quoted.
TSV has no quotes. As in PostgreSQL's COPY and ClickHouse's TabSeparated, a tab, line end or backslash in a value is
`\t`, `\n`, `\r`, `\\`, and a missing value is `\N`. Lone surrogates, which UTF-8 cannot encode, become `\udXXX`.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import IO, Any, Final

import orjson
from msgspec import Struct

from td_currents_cli.errors import UsageError, install_hint
from td_currents_cli.patterns import pattern

_ESCAPES: Final = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
_FORMULA: Final = pattern(r"[=+@\t\r]|-(?!\d[\d.eE+-]*$)")
_QUOTED: Final = pattern('[",\n\r]')
_WORD: Final = pattern("null|(?!true|false)(?i:true|false)")


class CellForm(Struct, frozen=True):
    """How rows are written."""

    separator: str
    missing: str  # a cell without a value
    escape: Callable[[str], str]  # applied to values

    def row(self, cells: Iterable[str | None]) -> bytes:
        """A row with its line end."""
        escape, missing = self.escape, self.missing
        written = [missing if cell is None else escape(cell) for cell in cells]
        return f"{self.separator.join(written)}\n".encode(errors="backslashreplace")


def _csv_cell(cell: str) -> str:
    is_quoted = not cell or _QUOTED.search(cell) or (len(cell) < 6 and _WORD.fullmatch(cell))
    return '"' + cell.replace('"', '""') + '"' if is_quoted else cell


FORMS: Final = {
    "csv": CellForm(",", "", _csv_cell),
    "tsv": CellForm("\t", "\\N", lambda cell: cell.translate(_ESCAPES)),
}
SAFE_CSV: Final = CellForm(",", "", lambda cell: _csv_cell(f"'{cell}" if _FORMULA.match(cell) else cell))
"""CSV in which no cell is a formula for a spreadsheet: `'` comes before any that would be."""


def json_line(document: Any, option: int = 0, indent: int | None = None) -> bytes:  # noqa: ANN401 -- any JSON value
    """A value as one line, with its line end."""
    try:
        return orjson.dumps(document, option=option | orjson.OPT_APPEND_NEWLINE)
    except orjson.JSONEncodeError:
        # A string with a lone surrogate, such as the name of a file that is not UTF-8: orjson refuses it.
        return json.dumps(document, indent=indent).encode() + b"\n"


def json_document(document: Any) -> bytes:  # noqa: ANN401 -- any JSON value
    """A value as indented JSON, with a line end."""
    return json_line(document, orjson.OPT_INDENT_2, 2)


OTHER_FIELDS_KEY: Final = b"tdcur.other_fields"
"""In the metadata of a Parquet table, its column of the fields that have none of their own."""

BATCH_CELLS: Final = 200_000
"""Cells that are Python objects at a time: those take ten times the memory of columns."""

# A row group is written after so many rows, so that readers can skip it; after so many bytes, as an event may have any
# size; or after so many cells, as null takes eight bytes in a column of numbers.
GROUP_ROWS: Final = 50_000
GROUP_SIZE: Final = 1 << 24
GROUP_CELLS: Final = 1 << 24


def require_pyarrow() -> None:
    """Raises UsageError if pyarrow is not installed."""
    try:
        import pyarrow.parquet  # noqa: PLC0415 -- heavy, and an extra
    except ImportError:
        message = "Parquet needs pyarrow, which is not installed"
        raise UsageError(message, hint=install_hint("parquet")) from None
    _ = pyarrow


def write_parquet(
    output: IO[bytes],
    columns: Mapping[str, str],
    rows: Iterable[tuple[int, Sequence[Any]]],
    *,
    other_fields: str | None = None,
) -> None:
    """Write a table.

    Columns have the types `string`, `long`, `number` and `boolean`. Each row comes with its approximate size.
    `other_fields` is the column of those that have none of their own, if there is one.
    """
    import pyarrow as pa  # noqa: PLC0415 -- heavy, and an extra
    import pyarrow.parquet as pq  # noqa: PLC0415

    types: dict[str, pa.DataType] = {
        "string": pa.string(),
        "long": pa.int64(),
        "number": pa.float64(),
        "boolean": pa.bool_(),
    }
    names = {name: name.encode(errors="backslashreplace").decode() for name in columns}
    metadata = {OTHER_FIELDS_KEY: names[other_fields]} if other_fields else None
    schema = pa.schema([(names[name], types[kind]) for name, kind in columns.items()], metadata=metadata)

    # The stubs of pyarrow do not allow lists of columns.
    dictionaries: Any = [names[name] for name, kind in columns.items() if kind == "string"]
    with pq.ParquetWriter(output, schema, compression="zstd", use_dictionary=dictionaries) as writer:
        group: list[pa.RecordBatch] = []
        size = 0
        for length, some in _row_batches(rows, max(1, BATCH_CELLS // max(1, len(columns)))):
            cells = zip(zip(*some, strict=True), schema, strict=True)
            arrays = [pa.array(column, type=field.type) for column, field in cells]
            group.append(pa.record_batch(arrays, schema=schema))
            size += length
            rows_of_group = sum(map(len, group))
            if size >= GROUP_SIZE or rows_of_group >= GROUP_ROWS or rows_of_group * len(columns) >= GROUP_CELLS:
                writer.write_table(pa.Table.from_batches(group), row_group_size=GROUP_ROWS)
                group, size = [], 0
        if group:
            writer.write_table(pa.Table.from_batches(group), row_group_size=GROUP_ROWS)


def _row_batches(rows: Iterable[tuple[int, Sequence[Any]]], max_rows: int) -> Iterator[tuple[int, list[Sequence[Any]]]]:
    some: list[Sequence[Any]] = []
    size = 0
    for length, row in rows:
        some.append(row)
        size += length
        if len(some) >= max_rows or size >= GROUP_SIZE:
            yield size, some
            some, size = [], 0
    if some:
        yield size, some
