"""Ingested rows as msgpack arrays one after another, without names: `td query -f msgpack`, also compressed."""

from collections.abc import Callable, Iterator
from typing import Any, Final

import orjson

from td_currents_cli.codes import Code
from td_currents_cli.model import Batch, Location, Problem, Record
from td_currents_cli.read.options import ReadOptions, Shape, looks_like_batch
from td_currents_cli.read.rows.cell import EMPTY_BATCH, unwrapped
from td_currents_cli.read.scanner import CHUNK, Scanner

_ARRAYS: Final = frozenset((*range(0x90, 0xA0), 0xDC, 0xDD))
"""First bytes of msgpack arrays: none of them begins a line of JSON, CSV or TSV."""


def is_msgpack(first: bytes) -> bool:
    """Whether a source that begins with this byte holds rows as msgpack."""
    return len(first) == 1 and first[0] in _ARRAYS


def rows(scanner: Scanner, source: str, options: ReadOptions, note: Callable[[Shape], None]) -> Iterator[Record]:
    """A batch for each row; a problem for each that is no row, and one where the bytes make no sense any more.

    Args:
        scanner: stands at the first row.
        source: its name.
        options: which column holds the batches; without a number, the first that has one.
        note: told how the rows are read.
    """
    import msgpack  # noqa: PLC0415 -- most inputs are text

    # Bytes that are not UTF-8 come through as they stood, for whoever decodes the batch to report.
    unpacker: Any = msgpack.Unpacker(
        strict_map_key=False, unicode_errors="surrogateescape", max_buffer_size=(1 << 32) - 1
    )
    column = options.column - 1 if isinstance(options.column, int) else None
    if column is not None:
        note(Shape(form="msgpack", number=column + 1))
    row, begin = 0, scanner.offset
    while piece := scanner.take_piece(CHUNK):
        unpacker.feed(piece)
        while True:
            offset = begin + unpacker.tell()
            place = Location(source=source, row=row + 1, offset=offset)
            try:
                cells = unpacker.unpack()
            except msgpack.OutOfData:
                break
            except (ValueError, TypeError, OverflowError, msgpack.UnpackException):
                message = "the bytes are no msgpack from here on: nothing that follows can be read"
                yield Problem(code=Code.BAD_ROW, location=place, message=message, raw=b"")
                return
            row += 1
            if column is None and (column := _column(cells)) is not None:
                note(Shape(form="msgpack", number=column + 1))
            yield _record(cells, column, place)
    if scanner.failure is None and begin + unpacker.tell() < scanner.offset:
        yield Problem(code=Code.BAD_ROW, location=place, message="the last row is cut off", raw=b"")


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
    if not isinstance(cells, list):
        return _bad("the row is no array of cells", cells, place)
    if column is None:
        return Batch(EMPTY_BATCH, place) if None in cells else _bad("no cell of the row holds a batch", cells, place)
    if column >= len(cells):
        return _bad(f"the row has no column {column + 1}", cells, place)
    try:
        return Batch(_batch(cells[column]), place)
    except TypeError:
        return _bad("the cell holds values that JSON does not have", cells, place)


def _batch(cell: object) -> bytes:
    """The text of a batch. Raises TypeError."""
    if isinstance(cell, str):
        text = cell.encode(errors="surrogateescape").strip()
        return EMPTY_BATCH if text in {b"", b"null"} else unwrapped(text)
    return EMPTY_BATCH if cell is None else unwrapped(orjson.dumps(cell))


def _bad(message: str, cells: object, place: Location) -> Problem:
    return Problem(code=Code.BAD_ROW, location=place, message=message, raw=_shown(cells))


def _shown(cells: object) -> bytes:
    return repr(cells).encode(errors="backslashreplace")
