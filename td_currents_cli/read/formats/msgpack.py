"""Ingested rows as msgpack arrays one after another, without names: `td query -f msgpack`, also compressed."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Final

import orjson

from td_currents_cli.model import Batch, Code, Location, Problem, Record
from td_currents_cli.read.formats.cell import EMPTY_BATCH, NULL_BYTES, batch_of_truncated, truncated_array, unwrapped
from td_currents_cli.read.missing_column import columns_hint
from td_currents_cli.read.options import FormatCallback, ReadOptions, SourceFormat, looks_like_batch
from td_currents_cli.read.scanner import CHUNK, Scanner, TooLargeError, is_json

FIRST_BYTES: Final = frozenset(bytes([first]) for first in (*range(0x90, 0xA0), 0xDC, 0xDD))
"""Of msgpack arrays: none of them begins a line of JSON, CSV or TSV."""

# Bytes that are not UTF-8 pass through unchanged, for the decoder of the batch to report.
_UNPACKING: Final[dict[str, Any]] = {
    "strict_map_key": False,
    "unicode_errors": "surrogateescape",
    "max_buffer_size": (1 << 32) - 1,
}

_PREFIX_SIZES: Final = {0xD9: 2, 0xDA: 3, 0xDB: 5}
"""Bytes before a string that is longer than 31 bytes, by the first of them."""


def msgpack_rows(scanner: Scanner, source: str, options: ReadOptions, on_format: FormatCallback) -> Iterator[Record]:
    """Yield a batch for each row; a problem for each that is not one, and one where the bytes are not msgpack.

    Without the number of the column, the first one with a batch is taken.
    """
    import msgpack  # noqa: PLC0415 -- most inputs are text

    unpacker: Any = msgpack.Unpacker(**{**_UNPACKING, "max_buffer_size": scanner.limit + CHUNK})
    column = options.column - 1 if isinstance(options.column, int) else None
    if column is not None:
        on_format(SourceFormat(form="msgpack", number=column + 1))
    # In the middle of a row, the unpacker tells where it is in it, not where the row began.
    row, begin, end = 0, scanner.offset, scanner.offset
    last: list[bytes] = []
    while piece := scanner.take_piece(CHUNK):
        try:
            unpacker.feed(piece)
        except msgpack.BufferFull:
            raise TooLargeError(Location(source=source, row=row + 1, offset=end)) from None
        last.append(piece)
        while True:
            place = Location(source=source, row=row + 1, offset=end)
            try:
                cells = unpacker.unpack()
            except msgpack.OutOfData:
                break
            except (ValueError, TypeError, OverflowError, msgpack.UnpackException):
                message = "the bytes from here on are not msgpack: the rest cannot be read"
                yield Problem(code=Code.BAD_ROW, location=place, message=message, raw=b"")
                return
            row, end = row + 1, begin + unpacker.tell()
            if column is None and (column := _column(cells)) is not None:
                on_format(SourceFormat(form="msgpack", number=column + 1))
            yield _record(cells, column, place)
        if scanner.offset - end <= len(piece):
            last = [piece[len(piece) - (scanner.offset - end) :]]
    if end < scanner.offset:
        yield from _of_truncated(b"".join(last), column, place, failed=scanner.failure is not None)


def _of_truncated(row: bytes, column: int | None, place: Location, *, failed: bool) -> Iterator[Record]:
    """Yield what is left of the batch of the last row, which is truncated."""
    batch = _truncated_batch(row, column)
    if batch is not None:
        yield from batch_of_truncated(batch, b"", place)
    elif not failed:
        yield Problem(code=Code.BAD_ROW, location=place, message="the last row is truncated", raw=b"")


def _truncated_batch(row: bytes, column: int | None) -> bytes | None:
    """Return what is left of the batch of a truncated row, if it contains a complete event."""
    cells, rest = _elements(row)
    cells.append(_truncated_string(rest) or _truncated_array(rest))
    column = _column(cells) if column is None else column
    if column is None or column >= len(cells) or not isinstance(cells[column], str | list | dict):
        return None
    with suppress(TypeError):
        batch = _batch(cells[column])
        left = truncated_array(batch)
        return batch if is_json(batch) or (left is not None and left.elements) else None
    return None


def _elements(packed: bytes) -> tuple[list[Any], bytes]:
    """Return the complete elements of a truncated array, and the beginning of the next one; empty if it is not one."""
    import msgpack  # noqa: PLC0415 -- as above

    unpacker: Any = msgpack.Unpacker(**_UNPACKING)
    unpacker.feed(packed)
    elements: list[Any] = []
    begin = len(packed)
    # msgpack takes what is not an array for a wrong value.
    with suppress(msgpack.OutOfData, ValueError):
        for _ in range(unpacker.read_array_header()):
            begin = unpacker.tell()
            elements.append(unpacker.unpack())
    return elements, packed[begin:]


def _truncated_array(cell: bytes) -> str | None:
    """Return the complete elements of a truncated array, as truncated JSON; None for anything else."""
    elements: list[bytes] = []
    with suppress(TypeError):
        elements.extend(map(orjson.dumps, _elements(cell)[0]))
    return "[" + b",".join(elements).decode() + "," if elements else None


def _truncated_string(cell: bytes) -> str | None:
    """Return the beginning of a truncated string; None for anything else."""
    size = _PREFIX_SIZES.get(cell[0], 1 if 0xA0 <= cell[0] < 0xC0 else 0) if cell else 0
    return cell[size:].decode(errors="surrogateescape") if size else None


def _column(cells: object) -> int | None:
    if not isinstance(cells, list):
        return None
    return next((index for index, cell in enumerate(cells) if _is_batch(cell)), None)


def _is_batch(cell: object) -> bool:
    if isinstance(cell, list):
        return all(isinstance(each, dict | str) for each in cell)
    if isinstance(cell, dict):
        return "events" in cell
    return isinstance(cell, str) and looks_like_batch(cell[:100])


def _record(cells: object, column: int | None, place: Location) -> Record:
    hint = ""
    if not isinstance(cells, list):
        message = "the row is not an array of cells"
    elif column is None:
        if None in cells:
            return Batch(EMPTY_BATCH, place)
        message = "no cell of the row contains a batch"
    elif column >= len(cells):
        message, hint = f"the row has no column `{column + 1}`", columns_hint(column + 1, [""] * len(cells))
    else:
        try:
            return Batch(_batch(cells[column]), place)
        except TypeError:
            message = "the cell contains values that JSON does not have"
    raw = repr(cells).encode(errors="backslashreplace")
    return Problem(code=Code.BAD_ROW, location=place, message=message, hint=hint, raw=raw)


def _batch(cell: object) -> bytes:
    """Return a batch as JSON. Raises TypeError."""
    if isinstance(cell, str):
        text = cell.encode(errors="surrogateescape").strip()
        return EMPTY_BATCH if text in NULL_BYTES else unwrapped(text)
    return EMPTY_BATCH if cell is None else unwrapped(orjson.dumps(cell))
