"""Tables as Parquet: typed columns, zstd, row groups, dictionaries for texts that repeat."""

from collections.abc import Iterable, Mapping, Sequence
from typing import IO, Any, Final

from td_currents_cli.errors import UsageError

GROUP: Final = 50_000
"""Rows of a row group: bounds the memory, and is what readers skip by."""

CELLS: Final = 400_000
"""Cells of a row group at most."""

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
    texts = [name for name, kind in columns.items() if kind == "string"]
    size = max(1, min(GROUP, CELLS // max(1, len(columns))))

    def write(some: list[Sequence[Any]]) -> None:
        arrays = [
            pa.array(column, type=field.type) for column, field in zip(zip(*some, strict=True), schema, strict=True)
        ]
        writer.write_table(pa.table(arrays, schema=schema), row_group_size=size)

    # Its stubs take no lists of columns.
    dictionaries: Any = texts
    with pq.ParquetWriter(output, schema, compression="zstd", use_dictionary=dictionaries) as writer:
        some: list[Sequence[Any]] = []
        held = 0
        for length, row in rows:
            some.append(row)
            held += length
            if len(some) >= size or held >= BYTES:
                write(some)
                some, held = [], 0
        if some:
            write(some)
