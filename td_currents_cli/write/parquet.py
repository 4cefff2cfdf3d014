"""Tables as Parquet: typed columns, zstd, row groups, dictionaries for strings."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import IO, Any, Final

from td_currents_cli.errors import UsageError

GROUP_ROWS: Final = 50_000
"""Rows in a row group: bounds the memory, and readers skip whole row groups."""

BATCH_CELLS: Final = 200_000
"""Cells that are Python objects at a time: those take ten times the memory of columns."""

GROUP_SIZE: Final = 1 << 24
"""Bytes of events after which a row group is written: an event may have any size."""


def require_pyarrow() -> None:
    """Raises UsageError if pyarrow is not installed."""
    try:
        import pyarrow.parquet  # noqa: PLC0415 -- heavy, and an extra
    except ImportError:
        raise UsageError(
            "Parquet needs pyarrow, which is not installed", hint="pip install 'td-currents-cli[parquet]'"
        ) from None
    _ = pyarrow


def write_parquet(output: IO[bytes], columns: Mapping[str, str], rows: Iterable[tuple[int, Sequence[Any]]]) -> None:
    """Write a table.

    Columns have the types `string`, `long`, `number` and `boolean`. Each row comes with its approximate size.
    """
    import pyarrow as pa  # noqa: PLC0415 -- heavy, and an extra
    import pyarrow.parquet as pq  # noqa: PLC0415

    types: dict[str, pa.DataType] = {
        "string": pa.string(),
        "long": pa.int64(),
        "number": pa.float64(),
        "boolean": pa.bool_(),
    }
    schema = pa.schema([(name, types[kind]) for name, kind in columns.items()])

    def batch_of(some: list[Sequence[Any]]) -> pa.RecordBatch:
        cells = zip(zip(*some, strict=True), schema, strict=True)
        return pa.record_batch([pa.array(column, type=field.type) for column, field in cells], schema=schema)

    # The stubs of pyarrow do not allow lists of columns.
    dictionaries: Any = [name for name, kind in columns.items() if kind == "string"]
    with pq.ParquetWriter(output, schema, compression="zstd", use_dictionary=dictionaries) as writer:
        group: list[pa.RecordBatch] = []
        size = 0
        for length, some in _row_batches(rows, max(1, BATCH_CELLS // max(1, len(columns)))):
            group.append(batch_of(some))
            size += length
            if size >= GROUP_SIZE or sum(map(len, group)) >= GROUP_ROWS:
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
