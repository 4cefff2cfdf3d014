"""Parquet: what `parse` wrote, ingested rows with a column of batches, and any other table whose rows are events.

It is read by row group, and there a few rows at a time. The directory of a file stands at its end: what cannot be read
from any place, such as a pipe or compressed data, is copied to a temporary file first.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from itertools import chain
from math import isinf, isnan
from tempfile import TemporaryFile
from typing import Any, BinaryIO, Final

import orjson

from td_currents_cli.catalog import FieldType
from td_currents_cli.errors import UsageError
from td_currents_cli.model import Batch, Code, Location, Problem, Record
from td_currents_cli.read.formats.cell import EMPTY_BATCH, NULL_BYTES, fields_of, unwrapped
from td_currents_cli.read.formats.flat import (
    event_of_fields,
    has_names_of,
    is_streaming,
    json_of_cell,
    type_of_cells,
)
from td_currents_cli.read.formats.share import ShareColumns, is_share, share_columns
from td_currents_cli.read.missing_column import columns_hint
from td_currents_cli.read.options import (
    PARQUET,
    FormatCallback,
    ReadOptions,
    SourceFormat,
    copy_error,
    looks_like_batch,
)
from td_currents_cli.read.received import TIME, received
from td_currents_cli.read.scanner import CHUNK, Scanner, TooLargeError
from td_currents_cli.write.formats import OTHER_FIELDS_KEY, require_pyarrow

_BATCH_SIZE: Final = 1 << 22  # bytes of rows that are Python objects at a time
_BATCH_CELLS: Final = 200_000
_PAGE_BUFFER: Final = 1 << 16  # with one, pages are read as they are needed, not a whole row group
_DAMAGED: Final = "the Parquet file is truncated or damaged"


def parquet_rows(
    scanner: Scanner, file: BinaryIO | None, source: str, options: ReadOptions, on_format: FormatCallback
) -> Iterator[Record]:
    """Yield a batch for each row; a problem for each row or row group that cannot be read.

    `file` has the same bytes as the scanner, if they can be read from any place.

    Raises:
        UsageError: pyarrow is not installed.
        OutputError: a temporary file cannot be written.
    """
    try:
        require_pyarrow()
    except UsageError as error:
        raise UsageError(f"{source}: {error.message}", hint=error.hint) from None
    if file is not None:
        yield from _rows(file, source, scanner.limit, options, on_format)
        return
    with TemporaryFile() as copy:
        try:
            while piece := scanner.take_piece(CHUNK):
                copy.write(piece)
            copy.flush()
        except OSError as error:
            raise copy_error(source, error) from None
        # The failure that truncated the file is reported instead.
        if scanner.failure is None:
            yield from _rows(copy, source, scanner.limit, options, on_format)


def _rows(file: BinaryIO, source: str, limit: int, options: ReadOptions, on_format: FormatCallback) -> Iterator[Record]:
    import pyarrow as pa  # noqa: PLC0415 -- heavy, and an extra
    import pyarrow.parquet as pq  # noqa: PLC0415

    failures = (pa.ArrowException, OSError, ValueError, KeyError, OverflowError)
    settings: dict[str, Any] = {"pre_buffer": False, "buffer_size": _PAGE_BUFFER, "page_checksum_verification": True}
    try:
        table = pq.ParquetFile(file, **settings)
        groups = [table.metadata.row_group(number) for number in range(table.num_row_groups)]
    except failures:
        yield Problem(code=Code.UNREADABLE, location=Location(source=source), message=_DAMAGED)
        return
    reader = _RowReader(table.schema_arrow, source, limit, options, on_format)
    end = 0
    for number, group in enumerate(groups):
        row, end, offset = end, end + group.num_rows, _offset_of(group)
        size = max(group.total_byte_size // max(group.num_rows, 1), 1)
        most = max(min(_BATCH_SIZE // size, _BATCH_CELLS // max(group.num_columns, 1)), 1)
        # Threads would not survive the fork of worker processes.
        batches = table.iter_batches(batch_size=most, row_groups=[number], use_threads=False)
        while row < end:
            try:
                columns = [_values(column) for column in next(batches).columns]
            except (*failures, StopIteration):
                message = f"{_DAMAGED}: rows {row + 1:,} to {end:,} cannot be read"
                place = Location(source=source, row=row + 1, offset=offset)
                yield Problem(code=Code.UNREADABLE, location=place, message=message)
                break
            if reader.problem is not None:
                yield reader.problem
                return
            if not reader.finds_events(columns):
                message = "unrecognized input: no column of the Parquet table contains event batches"
                hint = "Name the column: --column NAME|NUMBER."
                if options.column is not None:
                    message = f"the table has no column `{options.column}` of event batches"
                    hint = columns_hint(options.column, table.schema_arrow.names)
                yield Problem(code=Code.UNKNOWN_FORM, location=Location(source=source), message=message, hint=hint)
                return
            for cells in zip(*columns, strict=True):
                row += 1
                record = reader.record(cells, Location(source=source, row=row, offset=offset))
                yield record if options.received is None else received(record, reader.time_in(cells))


def _offset_of(group: Any) -> int:  # noqa: ANN401 -- pyarrow has no types
    """Return where a row group begins."""
    columns = map(group.column, range(group.num_columns))
    pages = chain.from_iterable((column.dictionary_page_offset, column.data_page_offset) for column in columns)
    return min((page for page in pages if page), default=0)


def _values(column: Any) -> list[Any]:  # noqa: ANN401 -- pyarrow has no types
    """Return the values of a column: strings as bytes, which may not be UTF-8, and all else as Python objects."""
    import pyarrow as pa  # noqa: PLC0415 -- heavy, and an extra

    if column.null_count == len(column):
        return [None] * len(column)
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_string(column.type):
        column = column.cast(pa.binary())
    elif pa.types.is_large_string(column.type):
        column = column.cast(pa.large_binary())
    elif pa.types.is_timestamp(column.type):
        # Python has no nanoseconds.
        column = column.cast(pa.timestamp("us", column.type.tz), safe=False)
    values: list[Any] = column.to_pylist(maps_as_pydicts="lossy")
    return values


class _RowReader:
    """Finds the batch or the event in each row of a table."""

    def __init__(
        self,
        schema: Any,  # noqa: ANN401 -- pyarrow has no types
        source: str,
        limit: int,
        options: ReadOptions,
        on_format: FormatCallback,
    ) -> None:
        self._names: list[str] = schema.names
        self._source = source
        self._limit = limit
        self._on_format = on_format
        self._column = options.index_of(self._names)
        is_event = "event_type" in self._names or is_share(self._names)
        self._is_flat = self._column is None and options.column is None and is_event
        self._share = share_columns(self._names, source, options.event_type) if is_share(self._names) else None
        self._streaming = is_streaming(dict.fromkeys(self._names))
        self._stays_flat = options.flat is not None and has_names_of(options.flat, self._names)
        self._fields = self._share.names if isinstance(self._share, ShareColumns) else self._names
        self._types = [type_of_cells(name, streaming=self._streaming) for name in self._fields]
        self._others = (schema.metadata or {}).get(OTHER_FIELDS_KEY, b"").decode()
        self._may_search = options.column is None
        self._is_reported = False

    def finds_events(self, columns: Sequence[Sequence[Any]]) -> bool:
        """Whether the events are found, at the latest among these rows, the first ones."""
        if self._column is None and not self._is_flat and self._may_search:
            found = (index for index, cells in enumerate(columns) if any(map(_is_batch, cells)))
            self._column = next(found, None)
        if not self._is_reported and (self._is_flat or self._column is not None):
            self._is_reported = True
            name, number = (None, None) if self._column is None else (self._names[self._column], self._column + 1)
            self._on_format(SourceFormat(form=PARQUET, column=name, number=number, header=True))
        return self._is_reported

    def record(self, cells: Sequence[Any], place: Location) -> Record:
        try:
            data = self._event(cells) if self._column is None else _batch(cells[self._column])
        except UnicodeDecodeError:
            return _bad_row("the row is not UTF-8", cells, place, Code.NOT_UTF8)
        except (TypeError, ValueError):
            return _bad_row("the row contains values that JSON does not have", cells, place)
        if len(data) > self._limit:
            raise TooLargeError(place)
        return Batch(data, place, is_streaming=self._column is None and self._streaming)

    def time_in(self, cells: Sequence[Any]) -> object:
        """Return the cell with the receive time of a row; None if it has none."""
        is_known = TIME in self._names and (self._column is not None or self._streaming)
        return cells[self._names.index(TIME)] if is_known else None

    @property
    def problem(self) -> Problem | None:
        """Why no row can be read."""
        return self._share if isinstance(self._share, Problem) else None

    def _event(self, cells: Sequence[Any]) -> bytes:
        if isinstance(self._share, ShareColumns):
            cells = self._share.cells(cells)
        fields: dict[str, bytes] = {}
        for name, cell, kind in zip(self._fields, cells, self._types, strict=True):
            if cell is None:
                continue
            if isinstance(cell, bytes | str):
                string = cell if isinstance(cell, str) else cell.decode()
                fields[name] = json_of_cell(name, string, streaming=self._streaming)
            else:
                fields[name] = _json(cell, kind)
        if self._others in fields:
            fields |= _fields_in(fields.pop(self._others))
        return event_of_fields(fields, streaming=self._streaming, flat=self._stays_flat)


def _fields_in(other_fields: bytes) -> Mapping[str, bytes]:
    return {name: bytes(value) for name, value in fields_of(orjson.loads(other_fields).encode()).items()}


def _bad_row(message: str, cells: Sequence[Any], place: Location, code: Code = Code.BAD_ROW) -> Problem:
    return Problem(code=code, location=place, message=message, raw=repr(cells).encode(errors="backslashreplace"))


def _is_batch(cell: object) -> bool:
    if isinstance(cell, list):
        return bool(cell) and all(isinstance(each, dict) and "event_type" in each for each in cell)
    if isinstance(cell, dict):
        return "events" in cell
    return isinstance(cell, bytes) and looks_like_batch(cell)


def _batch(cell: object) -> bytes:
    """Return a batch as JSON. Raises TypeError, ValueError."""
    if cell is None:
        return EMPTY_BATCH
    if isinstance(cell, bytes):
        text = cell.strip()
        return EMPTY_BATCH if text in NULL_BYTES else unwrapped(text)
    return unwrapped(_nested(cell))


def _json(value: object, kind: FieldType | None) -> bytes:
    """Return a value other than a string as JSON, as the catalog's type of its field demands.

    Tables for numbers, such as those of pandas, have fractions where a value is missing: `1700000000.0`. NaN is null.
    """
    is_integer = kind in {FieldType.INT, FieldType.LONG}
    if isinstance(value, float):
        if isinf(value):
            # The decoder reports it.
            return b"Infinity" if value > 0 else b"-Infinity"
        return b"%d" % int(value) if is_integer and value.is_integer() else orjson.dumps(value)
    if isinstance(value, Decimal):
        return b"null" if value.is_nan() else format(value, "f").encode()
    if isinstance(value, date) and is_integer:
        moment = value if isinstance(value, datetime) else datetime.combine(value, time())
        return b"%d" % int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
    return _nested(value)


def _nested(value: object) -> bytes:
    return orjson.dumps(_without_nulls(value), default=_of_other_type)


def _without_nulls(value: Any) -> Any:  # noqa: ANN401 -- any value
    """Leave out the fields without a value: in a table, each object has the fields of all."""
    if isinstance(value, dict):
        return {
            name: _without_nulls(inner) for name, inner in value.items() if inner is not None and not _is_nan(inner)
        }
    return [_without_nulls(inner) for inner in value] if isinstance(value, list) else value


def _is_nan(value: object) -> bool:
    return isinstance(value, float) and isnan(value)


def _of_other_type(value: object) -> object:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, bytes):
        return value.decode()
    raise TypeError
