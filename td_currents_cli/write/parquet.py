"""Tables as Parquet: typed columns, zstd, row groups, dictionaries for texts that repeat."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import IO, Any, Final

from td_currents_cli.errors import UsageError

GROUP: Final = 50_000
"""Rows of a row group: bounds the memory, and is what readers skip by."""

CELLS: Final = 200_000
"""Cells that are Python's objects at a time: they take ten times what they do in columns."""

BYTES: Final = 1 << 24
"""Bytes of events from which on a row group is written, however few they are: an event may be of any size."""


def require_pyarrow() -> None:
    """See that Parquet can be written.

    Raises:
        UsageError: pyarrow is not installed.
    """
    try:
        import pyarrow.parquet  # noqa: PLC0415 -- heavy, and an extra
    except ImportError:
        raise UsageError(
            "Parquet needs pyarrow, which is not installed", hint="pip install 'td-currents-cli[parquet]'"
        ) from None
    _ = pyarrow


def write_parquet(output: IO[bytes], columns: Mapping[str, str], rows: Iterable[tuple[int, Sequence[Any]]]) -> None:
    """Write a table.

    Args:
        output: a file.
        columns: names, each with its type: `string`, `long`, `number` or `boolean`.
        rows: about how many bytes each takes, and its values in the order of the columns; None for none.
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

    # Its stubs take no lists of columns.
    dictionaries: Any = [name for name, kind in columns.items() if kind == "string"]
    with pq.ParquetWriter(output, schema, compression="zstd", use_dictionary=dictionaries) as writer:
        group: list[pa.RecordBatch] = []
        held = 0
        for length, some in _pieces(rows, max(1, CELLS // max(1, len(columns)))):
            group.append(batch_of(some))
            held += length
            if held >= BYTES or sum(map(len, group)) >= GROUP:
                writer.write_table(pa.Table.from_batches(group), row_group_size=GROUP)
                group, held = [], 0
        if group:
            writer.write_table(pa.Table.from_batches(group), row_group_size=GROUP)


def _pieces(rows: Iterable[tuple[int, Sequence[Any]]], most: int) -> Iterator[tuple[int, list[Sequence[Any]]]]:
    """Some rows at a time, with their bytes."""
    some: list[Sequence[Any]] = []
    held = 0
    for length, row in rows:
        some.append(row)
        held += length
        if len(some) >= most or held >= BYTES:
            yield held, some
            some, held = [], 0
    if some:
        yield held, some
