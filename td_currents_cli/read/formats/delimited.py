"""Ingested rows as CSV (RFC 4180): `td query -f csv -c`, the console's download."""

import atexit
import csv
import math
import os
import re
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from td_currents_cli.model import Batch, Code, Location, Problem, Record
from td_currents_cli.read.formats.cell import (
    EMPTY_BATCH,
    NULL_BYTES,
    batch_text,
    truncated_array,
    truncated_csv_batch,
    unwrapped,
    wrong_width,
)
from td_currents_cli.read.formats.flat import QuotedCell, event_of_strings, is_streaming
from td_currents_cli.read.options import COLUMN
from td_currents_cli.read.scanner import SPACE, Scanner, is_json, is_utf8

if TYPE_CHECKING:
    import sqlite3


MIN_SQLITE_SIZE: Final = 1 << 12
_MAX_SQLITE_SIZE: Final = 1 << 28


def undoubled(text: bytes) -> bytes:
    """Replace each pair of quotes by one.

    `bytes.replace` searches for each pair anew, which in JSON, with one every few bytes, takes two and a half times as
    long as the plain loop of SQLite: 0.62 s against 0.26 s for 290 MB, or 20 % of the CPU time of `tdcur parse`.
    """
    if not MIN_SQLITE_SIZE <= len(text) <= _MAX_SQLITE_SIZE:
        return text.replace(b'""', b'"')
    (found,) = _sqlite(os.getpid()).execute("""SELECT replace(?, '""', '"')""", (text,)).fetchone()
    result: bytes = found
    return result


@cache
def _sqlite(_process: int) -> "sqlite3.Connection":
    """Return a connection of this process: none may be carried over a fork."""
    import sqlite3  # noqa: PLC0415 -- most inputs are not large CSV

    connection = sqlite3.connect(":memory:", check_same_thread=False)
    connection.text_factory = bytes
    atexit.register(connection.close)
    return connection


MAX_ROW_SIZE: Final = 1 << 25
"""Bytes of a row with line ends in its quotes: beyond that, a quote was not closed. On one line, a row has no limit."""

_OPENINGS: Final = (b',"[', b',"{')
_CLOSINGS: Final = (b']"', b'}"')

# A cell contains a whole batch: 100 kB and more. The csv module's own limit is 128 KiB.
csv.field_size_limit(sys.maxsize)


def header_of(line: bytes) -> Sequence[str] | None:
    """Return the column names of a first line, if one of them is `events`."""
    try:
        cells = _csv_cells(line.removesuffix(b"\r"))
    except (UnicodeDecodeError, csv.Error):
        return None
    return cells if COLUMN in cells else None


def csv_rows(
    lines: "RowLines",
    source: str,
    header: Sequence[str],
    *,
    row: int = 0,
    limit: float = math.inf,
    column: int | None = None,
) -> Iterator[Record]:
    """Yield a batch for each row; a problem, with the row itself in `raw`, for each malformed one.

    `row` is the number of the row before them, `column` the index of the batch, by default that of `events`. From the
    offset `limit` on, no further row is begun.
    """
    width = len(header)
    column = header.index(COLUMN) if column is None else column
    while lines.offset < limit and (first := lines.take()) is not None:
        if not first.text.strip(b"\r"):
            continue
        row += 1
        place = Location(source=source, line=first.number, row=row, offset=first.offset)
        if (batch := _plain_batch(first.text, column, width)) is not None:
            yield Batch(unwrapped(batch), place, is_utf8=True)
            continue
        taken = [first, *_continuation(first, lines)]
        record = _record(taken, place, column, width)
        is_several = isinstance(record, Problem) and len(taken) > 1
        if is_several and (end := _first_row(taken[1:], column, width)) is not None:
            # An unclosed quote has made one row of many: those after it are rows by themselves.
            lines.put_back(taken[1 + end :])
            record = _record(taken[: 1 + end], place, column, width)
        if isinstance(record, Problem):
            is_last = lines.failed and lines.ended
            record = _salvaged(record, column, width, is_last=is_last)
            if is_last and isinstance(record, Problem):
                # The failure that truncated the last row is reported instead.
                return
        yield record


def flat_rows(
    lines: "RowLines",
    source: str,
    names: Sequence[str],
    *,
    escaped: bool = False,
    quoted: bool = False,
    flat: bool = False,
) -> Iterator[Record]:
    """Yield an event for each row. For `escaped`, `quoted` and `flat`, see `event_of_strings`."""
    row = 0
    streaming = is_streaming(dict.fromkeys(names))
    while (first := lines.take()) is not None:
        if not first.text.strip(b"\r"):
            continue
        row += 1
        place = Location(source=source, line=first.number, row=row, offset=first.offset)
        taken = [first] if lines.is_tsv else [first, *_continuation(first, lines)]
        cells = _checked(taken, place, len(names), is_tsv=lines.is_tsv)
        if isinstance(cells, Problem):
            if lines.failed and lines.ended:
                return
            yield cells
        else:
            values = _told_from_null(cells, taken) if quoted else cells
            event = event_of_strings(names, values, escaped=escaped, quoted=quoted, flat=flat)
            yield Batch(event, place, is_streaming=streaming)


_QUOTED_WORD: Final = re.compile(rb'(?:^|,)"(?i:|null|true|false)"(?:,|\r?$)')
_CELL: Final = re.compile(r'("(?:[^"]|"")*"|[^,]*)(?:,|$)')
_UNQUOTED_NULLS: Final = frozenset({"", "null"})


def _told_from_null(cells: list[str], lines: Sequence["_Line"]) -> list[str | None]:
    """Return the cells of a row in which only cells without quotes stand for null."""
    text = b"\n".join([line.text for line in lines])
    if not _QUOTED_WORD.search(text):
        return [None if cell in _UNQUOTED_NULLS else cell for cell in cells]
    raw = _CELL.findall(text.decode().removesuffix("\r"))[: len(cells)]
    pairs = zip(cells, raw, strict=True)
    return [QuotedCell(cell) if each[:1] == '"' else None if cell in _UNQUOTED_NULLS else cell for cell, each in pairs]


class _Line(Struct, frozen=True, gc=False):
    text: bytes
    number: int
    offset: int


class RowLines:
    """The lines of a scanner, which can be put back; of TSV, cells are separated by TABs, without quotes."""

    def __init__(self, scanner: Scanner, *, is_tsv: bool = False) -> None:
        self.is_tsv = is_tsv
        self._scanner = scanner
        self._put_back: deque[_Line] = deque()

    @property
    def offset(self) -> int:
        return self._put_back[0].offset if self._put_back else self._scanner.offset

    @property
    def number(self) -> int:
        return self._put_back[0].number if self._put_back else self._scanner.line

    @property
    def ended(self) -> bool:
        return not self._put_back and self._scanner.at_end

    @property
    def failed(self) -> bool:
        """Whether the source could not be read to its end."""
        return self._scanner.failure is not None

    def take(self) -> _Line | None:
        if self._put_back:
            return self._put_back.popleft()
        if not self._scanner.head(1):
            return None
        number, offset = self._scanner.line, self._scanner.offset
        return _Line(self._scanner.take_line(), number, offset)

    def skip_header(self, names: Sequence[str]) -> None:
        first = self.take()
        # Without a line end in a name, an open quote has no meaning.
        if first is not None and not self.is_tsv and any("\n" in name for name in names):
            deque(_continuation(first, self), maxlen=0)

    def put_back(self, lines: Iterable[_Line]) -> None:
        self._put_back.extendleft(reversed(list(lines)))


def _plain_batch(text: bytes, column: int, width: int) -> bytes | None:
    """Return the batch of an ordinary row, at a third of the cost; None for all others.

    It is in the last cell, the only one in quotes, and an array or an object without white space around it.
    """
    text = text.removesuffix(b"\r")
    begin = text.find(b'"') + 1
    if column != width - 1 or text.count(b",", 0, begin) != column or text.find(b"\r", 0, begin) >= 0:
        return None
    if text[begin - 2 : begin + 1] not in _OPENINGS or text[-2:] not in _CLOSINGS:
        return None
    cell = undoubled(text[begin:-1])
    # All quotes in a quoted cell are pairs; what is not UTF-8 is reported for the row.
    if cell.count(b'"') != len(text) - 1 - begin - len(cell):
        return None
    return cell if is_utf8(text[:begin]) and is_utf8(cell) else None


def _continuation(first: _Line, lines: RowLines) -> Iterator[_Line]:
    """Take the other lines of a row with line ends inside its quotes."""
    if first.text.count(b'"') % 2 == 0 or _is_complete(first.text):
        return
    size = len(first.text)
    while size < MAX_ROW_SIZE and (line := lines.take()) is not None:
        yield line
        size += len(line.text)
        if line.text.count(b'"') % 2:
            return


def _is_complete(text: bytes) -> bool:
    try:
        _csv_cells(text)
    except (UnicodeDecodeError, csv.Error):
        return False
    return True


def _first_row(lines: Iterable[_Line], column: int, width: int) -> int | None:
    """Return the index of the first line that is a row by itself, with a complete batch where one should be."""
    for index, line in enumerate(lines):
        try:
            cells = _csv_cells(line.text)
        except (UnicodeDecodeError, csv.Error):
            continue
        if len(cells) == width and cells[column].startswith(("[", "{")) and is_json(cells[column].encode()):
            return index
    return None


def _record(lines: Sequence[_Line], place: Location, column: int, width: int) -> Record:
    cells = _checked(lines, place, width)
    return cells if isinstance(cells, Problem) else Batch(batch_text(cells[column]), place)


def _salvaged(problem: Problem, column: int, width: int, *, is_last: bool) -> Record:
    """Return the batch of a truncated row, or the problem of a row that is malformed in any other way."""
    batch = None
    if problem.raw is not None:
        batch = truncated_csv_batch(problem.raw, column, width, is_truncated_row=is_last)
    return problem if batch is None else Batch(unwrapped(batch), problem.location)


def _checked(lines: Sequence[_Line], place: Location, width: int, *, is_tsv: bool = False) -> list[str] | Problem:
    text = b"\n".join([line.text for line in lines]).removesuffix(b"\r")
    try:
        cells = text.decode().split("\t") if is_tsv else _csv_cells(text)
    except UnicodeDecodeError:
        return Problem(code=Code.NOT_UTF8, location=place, message="the row is not UTF-8", raw=text)
    except csv.Error as error:
        return Problem(code=Code.BAD_ROW, location=place, message=f"the row is not valid CSV: {error}", raw=text)
    if len(cells) != width:
        return Problem(code=Code.BAD_ROW, location=place, message=wrong_width(len(cells), width), raw=text)
    return cells


def _csv_cells(text: bytes) -> list[str]:
    return next(csv.reader([text.decode()], strict=True), [])


_MORE_JSON: Final = (b"{", b"[", b"]", b",")

_QUOTED: Final = re.compile(rb'"\s*(?:\[\s*\{|\[\s*(?="")|\{)\s*""')
"""A quoted cell; JSON that was encoded again has backslashes before its quotes."""


def begins_with_batch(line: bytes) -> bool:
    """Whether a line that begins like JSON is a row whose first cell is a batch: what follows is not JSON."""
    cell, tab, rest = line.partition(b"\t")
    if cell.startswith(b'"') and not cell.startswith((b'"[', b'"{')):
        return False
    return bool(tab) and rest.lstrip(SPACE)[:1] not in {b"", *_MORE_JSON} and is_json(cell)


def tsv_rows(scanner: Scanner, source: str, column: int, width: int) -> Iterator[Record]:
    """Yield a batch for each line that is left; a problem, with the line in `raw`, for each of the wrong width."""
    row = 0
    while scanner.head(1):
        place = Location(source=source, line=scanner.line, row=row + 1, offset=scanner.offset)
        line = scanner.take_line().removesuffix(b"\r")
        if not line:
            continue
        row += 1
        cells = line.split(b"\t")
        if scanner.at_end and (batch := _last_batch(cells[column:], failed=scanner.failure is not None)) is not None:
            yield Batch(batch, place)
        elif scanner.failure is not None and scanner.at_end:
            # The failure that truncated the last row is reported instead.
            return
        elif len(cells) == width:
            text = _unquoted(cells[column])
            yield Batch(EMPTY_BATCH if text in NULL_BYTES else unwrapped(text), place)
        else:
            yield Problem(code=Code.BAD_ROW, location=place, message=wrong_width(len(cells), width), raw=line)


def _unquoted(cell: bytes) -> bytes:
    """Remove the quotes that a spreadsheet puts around a cell, and double ones in it."""
    text = cell.strip()
    return undoubled(text[1:].removesuffix(b'"')) if _QUOTED.match(text) else text


def _last_batch(cells: list[bytes], *, failed: bool) -> bytes | None:
    """Return the batch of the last row, from its cell and those after it, if it is truncated; else None.

    Where the source could not be read to its end (`failed`), the row may be truncated after its batch.
    """
    if not cells or (len(cells) > 1 and not failed):
        return None
    batch = unwrapped(_unquoted(cells[0]))
    left = truncated_array(batch)
    has_some = left is not None and (failed or bool(left.elements))
    return batch if has_some or (failed and batch not in NULL_BYTES and is_json(batch)) else None
