"""Ingested rows as msgpack arrays one after another, without names: `td query -f msgpack`, also compressed."""

from collections.abc import Iterator
from typing import Any, Final

import orjson

from td_currents_cli.codes import Code
from td_currents_cli.model import Batch, Location, Problem, Record
from td_currents_cli.read.options import FormatCallback, ReadOptions, SourceFormat, looks_like_batch
from td_currents_cli.read.rows.cell import EMPTY_BATCH, NOTHING_IN_BYTES, unwrapped
from td_currents_cli.read.rows.cut import cut_after
from td_currents_cli.read.rows.torn import torn
from td_currents_cli.read.scanner import CHUNK, Scanner, is_json

_ARRAYS: Final = frozenset((*range(0x90, 0xA0), 0xDC, 0xDD))
"""First bytes of msgpack arrays: none of them begins a line of JSON, CSV or TSV."""


def is_msgpack(first: bytes) -> bool:
    """Whether a source that begins with this byte holds rows as msgpack."""
    return len(first) == 1 and first[0] in _ARRAYS


def rows(scanner: Scanner, source: str, options: ReadOptions, on_format: FormatCallback) -> Iterator[Record]:
    """A batch for each row; a problem for each that is no row, and one where the bytes make no sense any more.

    Args:
        scanner: stands at the first row.
        source: its name.
        options: which column holds the batches; without a number, the first that has one.
        on_format: told how the rows are read.
    """
    import msgpack  # noqa: PLC0415 -- most inputs are text

    # Bytes that are not UTF-8 come through as they stood, for whoever decodes the batch to report.
    unpacker: Any = msgpack.Unpacker(**_UNPACKING)
    column = options.column - 1 if isinstance(options.column, int) else None
    if column is not None:
        on_format(SourceFormat(form="msgpack", number=column + 1))
    # In the middle of a row, the unpacker tells where it is in it, not where the row began.
    row, begin, end = 0, scanner.offset, scanner.offset
    last: list[bytes] = []
    while piece := scanner.take_piece(CHUNK):
        unpacker.feed(piece)
        last.append(piece)
        while True:
            place = Location(source=source, row=row + 1, offset=end)
            try:
                cells = unpacker.unpack()
            except msgpack.OutOfData:
                break
            except (ValueError, TypeError, OverflowError, msgpack.UnpackException):
                message = "the bytes are no msgpack from here on: nothing that follows can be read"
                yield Problem(code=Code.BAD_ROW, location=place, message=message, raw=b"")
                return
            row, end = row + 1, begin + unpacker.tell()
            if column is None and (column := _column(cells)) is not None:
                on_format(SourceFormat(form="msgpack", number=column + 1))
            yield _record(cells, column, place)
        if scanner.offset - end <= len(piece):
            last = [piece[len(piece) - (scanner.offset - end) :]]
    if end < scanner.offset:
        yield from _of_cut(b"".join(last), column, place, failed=scanner.failure is not None)


_UNPACKING: Final[dict[str, Any]] = {
    "strict_map_key": False,
    "unicode_errors": "surrogateescape",
    "max_buffer_size": (1 << 32) - 1,
}


def _of_cut(row: bytes, column: int | None, place: Location, *, failed: bool) -> Iterator[Record]:
    """The last row of a source, which is cut off: what there is of its batch, if it is a text."""
    batch = _cut_batch(row, column)
    if batch is not None:
        yield Batch(batch, place)
        if is_json(batch):
            yield cut_after(place)
    elif not failed:
        yield Problem(code=Code.BAD_ROW, location=place, message="the last row is cut off", raw=b"")


def _cut_batch(row: bytes, column: int | None) -> bytes | None:
    """What there is of the batch of a row that is cut off, if there is a whole event in it."""
    import msgpack  # noqa: PLC0415 -- as above

    unpacker: Any = msgpack.Unpacker(**_UNPACKING)
    unpacker.feed(row)
    cells: list[object] = []
    begin = len(row)
    try:
        for _ in range(unpacker.read_array_header()):
            begin = unpacker.tell()
            cells.append(unpacker.unpack())
    except (msgpack.OutOfData, ValueError):
        # A row that is no array, msgpack takes for a wrong value.
        cells.append(_cut_text(row[begin:]) or _cut_array(row[begin:]))
    column = _column(cells) if column is None else column
    cell = cells[column] if column is not None and column < len(cells) else None
    if not isinstance(cell, str | list | dict):
        return None
    try:
        batch = _batch(cell)
    except TypeError:
        return None
    left = torn(batch)
    return batch if is_json(batch) or (left is not None and left.elements) else None


def _cut_array(cell: bytes) -> str | None:
    """The whole elements of an array that is cut off, as JSON that is, too; None for anything else."""
    import msgpack  # noqa: PLC0415 -- as above

    unpacker: Any = msgpack.Unpacker(**_UNPACKING)
    unpacker.feed(cell)
    elements: list[bytes] = []
    try:
        elements.extend(orjson.dumps(unpacker.unpack()) for _ in range(unpacker.read_array_header()))
    except (msgpack.OutOfData, ValueError, TypeError):
        return "[" + b",".join(elements).decode() + "," if elements else None
    return None


def _cut_text(cell: bytes) -> str | None:
    """The beginning of a text that is cut off; None for anything else."""
    size = _SIZES.get(cell[0], 1 if 0xA0 <= cell[0] < 0xC0 else 0) if cell else 0
    return cell[size:].decode(errors="surrogateescape") if size else None


_SIZES: Final = {0xD9: 2, 0xDA: 3, 0xDB: 5}
"""Bytes that stand before a text that is longer than 31 bytes, by the first of them."""


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
        return EMPTY_BATCH if text in NOTHING_IN_BYTES else unwrapped(text)
    return EMPTY_BATCH if cell is None else unwrapped(orjson.dumps(cell))


def _bad(message: str, cells: object, place: Location) -> Problem:
    return Problem(code=Code.BAD_ROW, location=place, message=message, raw=_shown(cells))


def _shown(cells: object) -> bytes:
    return repr(cells).encode(errors="backslashreplace")
