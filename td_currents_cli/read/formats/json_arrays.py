"""Ingested rows as JSON arrays of cells, in an array or one per line: `td query -f json`, the REST API.

A header row is recognized: `header=true` of the REST API.
"""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Final

import msgspec
from msgspec import Raw

from td_currents_cli.model import Batch, Code, Location, Problem, Record
from td_currents_cli.patterns import pattern
from td_currents_cli.read.formats.cell import (
    EMPTY_BATCH,
    batch_of_truncated,
    batch_text,
    cells_in,
    cells_of_truncated,
    decoded_string,
    unwrapped,
    wrong_width,
)
from td_currents_cli.read.formats.flat import event_of_fields, is_streaming
from td_currents_cli.read.missing_column import columns_hint
from td_currents_cli.read.options import FormatCallback, ReadOptions, SourceFormat, looks_like_batch
from td_currents_cli.read.received import TIME, received
from td_currents_cli.read.scanner import LONGEST_PEEK, SPACE, Scanner, is_json

_CELLS: Final = msgspec.json.Decoder(list[Raw])

_ROWS: Final = pattern(rb'\[\s*\[\s*(?:\[\s*[{"]|[^\[{\s])')
_NOT_A_CELL: Final = pattern(rb"\[\s*[\[{\]]")
_BATCH_START: Final = pattern(rb"\[\s*[{\]]")


def is_row_per_line(scanner: Scanner) -> bool | None:
    """Classify the array that comes next in the scanner: True for a row on its line; False for an array of rows.

    None for an array of anything else, such as documents or events.
    """
    line = scanner.peek_line().rstrip(SPACE)
    cells = _cells(line)
    if cells is None:
        if (first := next(cells_of_truncated(line), None)) and not first[1].startswith((b"[", b"{")):
            return True
        start = scanner.head(1 << 12)
        if _ROWS.match(start):
            return False
        # A number or a string comes first, as in no array of documents, in a line that is too long to be decoded.
        return True if len(line) >= LONGEST_PEEK and not _NOT_A_CELL.match(start) else None
    if all(cell.startswith(b"[") for cell in cells):
        # An array of arrays of events is one of batches, made by hand.
        return False if any(not _BATCH_START.match(cell) for cell in cells) else None
    if len(cells) == 1:
        return True if cells[0].startswith(b'"') and _is_batch(cells[0]) else None
    return None if any(cell.startswith(b"{") for cell in cells) else True


class ArrayRows:
    """Finds the batch in each row of a source."""

    def __init__(self, options: ReadOptions, on_format: FormatCallback) -> None:
        self._options = options
        self._on_format = on_format
        self._column: int | None = options.column - 1 if isinstance(options.column, int) else None
        self._names: list[str] = []
        self._header: list[bytes] | None = None
        self._first = True
        self._missing: str | None = None  # the column that was named, if the header does not have it

    def records(self, text: bytes, place: Location) -> Iterator[Record]:
        """Yield the batch of a row, or what is wrong with it; nothing for a header."""
        if (cells := _cells(text)) is not None:
            record = self._record(cells, text, place)
            return self._timed([] if record is None else [record], cells)
        cells = [cell for _, cell in cells_of_truncated(text)]
        if self._column is None:
            self._find(index for index, cell in enumerate(cells) if looks_like_batch(cell))
        if self._column is None or self._column >= len(cells):
            return iter([_bad_row("the row is not a JSON array", text, place)])
        return self._timed(batch_of_truncated(cells[self._column], text, place), cells)

    def _timed(self, records: Iterable[Record], cells: list[bytes]) -> Iterator[Record]:
        """Return the records of a row with its receive time, if it is needed."""
        if self._options.received is None:
            return iter(records)
        # Without the column of the batches, it is an event: only the streaming connector's have receive times.
        is_known = self._column is not None or is_streaming(dict.fromkeys(self._names))
        time = dict(zip(self._names, cells, strict=False)).get(TIME) if is_known else None
        return (received(record, time) for record in records)

    def _find(self, places: Iterator[int]) -> None:
        """Take the first of some indexes for that of the column, if there is one."""
        self._column = next(places, None)
        if self._column is not None:
            self._on_format(SourceFormat(form="JSON arrays", number=self._column + 1))

    def _record(self, cells: list[bytes], text: bytes, place: Location) -> Record | None:
        first, self._first = self._first, False
        may_be_names = first and self._options.header is not False
        # A header may come again: `cat` of several files.
        if cells == self._header or (may_be_names and self._take_names(cells)):
            return None
        if first and self._column is not None:
            self._on_format(SourceFormat(form="JSON arrays", number=self._column + 1))
        if self._names and len(cells) != len(self._names):
            return _bad_row(wrong_width(len(cells), len(self._names)), text, place)
        if self._column is None and "event_type" in self._names:
            fields = dict(zip(self._names, cells, strict=True))
            return Batch(event_of_fields(fields), place, is_streaming=is_streaming(fields))
        if self._column is None and self._missing is None:
            self._find(index for index, cell in enumerate(cells) if _is_batch(cell))
            if self._column is None:
                is_empty = b"null" in cells or b'""' in cells
                message = "no cell of the row contains a batch"
                return Batch(EMPTY_BATCH, place) if is_empty else _bad_row(message, text, place)
        if self._column is None or self._column >= len(cells):
            column = self._missing or (self._column or 0) + 1
            hint = columns_hint(column, self._names or [""] * len(cells))
            return _bad_row(f"the row has no column `{column}`", text, place, hint)
        return Batch(_batch(cells[self._column]), place)

    def _take_names(self, cells: list[bytes]) -> bool:
        if not all(cell.startswith(b'"') for cell in cells):
            return False
        try:
            names = list(map(decoded_string, cells))
        except ValueError:
            return False
        index, requested = self._options.index_of(names), self._options.column
        is_missing = index is None and isinstance(requested, str) and all(map(str.isidentifier, names))
        is_header = index is not None or is_missing or "event_type" in names
        if any(map(looks_like_batch, names)) or not is_header:
            return False
        self._names, self._column, self._header = names, index, cells
        if is_missing:
            self._missing = str(requested)
            return True
        column = None if index is None else names[index]
        number = None if index is None else index + 1
        self._on_format(SourceFormat(form="JSON arrays", column=column, number=number, header=True))
        return True


def _bad_row(message: str, text: bytes, place: Location, hint: str = "") -> Problem:
    return Problem(code=Code.BAD_ROW, location=place, message=message, hint=hint, raw=text)


def _cells(text: bytes) -> list[bytes] | None:
    """Return the cells of a row unchanged; None for what is not an array."""
    try:
        return list(map(bytes, _CELLS.decode(text)))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        # msgspec stops at a lone surrogate.
        return [cell for _, cell in cells_in(text)] if text.startswith(b"[") and is_json(text) else None


def _is_batch(cell: bytes) -> bool:
    if not cell.startswith(b'"'):
        return looks_like_batch(cell)
    with suppress(ValueError):
        return looks_like_batch(decoded_string(cell))
    return False


def has_batch_cell(text: bytes) -> bool:
    """Whether a row that is an array has a cell that looks like a batch."""
    return any(map(_is_batch, _cells(text) or []))


def _batch(cell: bytes) -> bytes:
    if not cell.startswith(b'"'):
        return EMPTY_BATCH if cell == b"null" else unwrapped(cell)
    with suppress(ValueError):
        return batch_text(decoded_string(cell))
    # Not UTF-8: the decoder of the batch reports it.
    return cell
