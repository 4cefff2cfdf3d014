"""Ingested rows as lines of cells: CSV (RFC 4180), TSV, and what other databases and spreadsheets write.

Quotes in quoted cells are doubled, or have backslashes before them (MySQL, Spark, PHP). Where nothing is quoted,
backslashes may be escaped (Trino's and MySQL's command lines, PostgreSQL's COPY).
"""

import csv
import math
import re
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from td_currents_cli.model import Batch, Code, Location, Problem, Record
from td_currents_cli.patterns import pattern
from td_currents_cli.read.formats.cell import (
    EMPTY_BATCH,
    NULL_BYTES,
    Unescaper,
    batch_text,
    conversion_of,
    has_event,
    joined_cells,
    raw_cells,
    readings,
    relaxed_cells,
    truncated_array,
    truncated_csv_batch,
    undoubled,
    unwrapped,
    wrong_width,
)
from td_currents_cli.read.formats.flat import QuotedCell, event_of_strings, has_names_of, is_streaming
from td_currents_cli.read.formats.share import is_share, share_columns
from td_currents_cli.read.lines import lines_of
from td_currents_cli.read.options import COLUMN, DEFAULT, ReadOptions, SourceFormat
from td_currents_cli.read.received import TIME, received
from td_currents_cli.read.scanner import SPACE, Scanner, is_json, is_utf8


class Table(Struct, frozen=True, kw_only=True):
    """The layout of a table of lines."""

    separator: bytes = b","
    is_quoted: bool = True  # as in CSV; quotes that a spreadsheet puts around a batch are removed in any case
    names: list[str]  # of the columns; empty strings where there is no header
    column: int | None  # index of the column with the batches; None where each row is an event
    header: bool
    escaped: bool | None = None  # whether backslashes in cells without quotes are; None where none was seen
    quotes_strings: bool = False  # whether quotes tell strings from null in rows that are events
    has_separator_line: bool = False  # `sep=,` before the header, for Excel
    is_timed: bool = False  # whether the batches of rows need receive times

    @property
    def width(self) -> int:
        return len(self.names)

    def with_time(self, record: Record, row: bytes) -> Record:
        """Return the record of a row with its receive time, if it is needed."""
        if not self.is_timed:
            return record
        cells: Sequence[str | bytes] = row.split(self.separator)
        if self.is_quoted:
            cells = cells_of_line(row, self.separator) or raw_cells(row, self.separator)
        index = self.names.index(TIME) if TIME in self.names else self.width
        # A row that is truncated, or has separators in its batch, has the cells before the batch.
        is_known = index < (self.width if len(cells) == self.width else self.column or 0)
        return received(record, cells[index] if is_known and index < len(cells) else None)

    @property
    def source_format(self) -> SourceFormat:
        number = None if self.column is None else self.column + 1
        name = self.names[self.column] if self.header and self.column is not None else None
        form = {b",": "CSV", b"\t": "TSV", b"\x01": "CSV separated by ^A"}.get(self.separator)
        form = form or f"CSV separated by `{self.separator.decode()}`"
        return SourceFormat(form=form, column=name, number=number, header=self.header)


def table_rows(scanner: Scanner, source: str, table: Table, *, options: ReadOptions = DEFAULT) -> Iterator[Record]:
    """Yield the rows of a table whose first line, the header or not, comes next in the scanner."""
    lines = RowLines(scanner)
    if table.has_separator_line:
        lines.take()
    if table.header:
        # What stands before the header is white space.
        lines.skip_header(table)
    # Other flat rows have the event time in that column.
    if options.received is not None and (table.column is not None or is_streaming(dict.fromkeys(table.names))):
        table = replace(table, is_timed=True)
    if table.column is None:
        return flat_rows(lines, source, table, options)
    if table.is_quoted:
        return csv_rows(lines, source, table)
    return tsv_rows(scanner, source, table)


MAX_ROW_SIZE: Final = 1 << 25
"""Bytes of a row with line ends in its quotes: beyond that, a quote was not closed. On one line, a row has no limit."""

_AFTER_BATCH: Final = (b']"', b'}"', b']"\r', b'}"\r')
_FIRST_NAMES: Final = 100  # bytes of a batch in which a field of the first event is found
_SEPARATOR_LINE: Final = pattern(rb'"?sep=(.)"?\r?')

# A cell contains a whole batch: 100 kB and more. The csv module's own limit is 128 KiB.
csv.field_size_limit(sys.maxsize)


def table_with_events(line: bytes) -> Table | None:
    """Return the layout of CSV with this first line, if one of its columns is `events`."""
    names = cells_of_line(line, b",")
    return None if names is None or COLUMN not in names else Table(names=names, column=names.index(COLUMN), header=True)


def separator_of(line: bytes) -> bytes | None:
    """Return the separator that a line for Excel names (`sep=;`); None for any other line."""
    match = _SEPARATOR_LINE.fullmatch(line)
    return match[1] if match else None


def csv_rows(
    lines: "RowLines", source: str, table: Table, *, row: int = 0, limit: float = math.inf
) -> Iterator[Record]:
    """Yield a batch for each row; a problem, with the row itself in `raw`, for each malformed one.

    `row` is the number of the row before them. From the offset `limit` on, no further row is begun. A header that comes
    again (`cat *.csv`) is not a row.
    """
    width, column, separator = table.width, table.column or 0, table.separator
    while lines.offset < limit and (first := lines.take()) is not None:
        if not first.text.strip(b"\r"):
            continue
        place = Location(source=source, line=first.number, row=row + 1, offset=first.offset)
        plain = plain_rows(first.text, table)
        if plain is not None and _has_pairs(first.text, *plain):
            row += 1
            yield table.with_time(Batch(unwrapped(bytes(plain[1][0])), place, is_utf8=True), first.text)
            continue
        cells = cells_of_line(first.text, separator)
        if is_header(cells, table.names) or separator_of(first.text):
            continue
        row += 1
        if cells is not None and len(cells) == width:
            yield table.with_time(Batch(batch_text(cells[column]), place), first.text)
            continue
        if (batch := _relaxed_batch(first.text, table)) is not None:
            yield table.with_time(Batch(batch, place), first.text)
            continue
        taken = [first, *_continuation(first, lines, separator)]
        record = _record(taken, place, table)
        is_several = isinstance(record, Problem) and len(taken) > 1
        if is_several and (end := _first_row(taken[1:], table)) is not None:
            # An unclosed quote has made one row of many: those after it are rows by themselves.
            lines.put_back(taken[1 + end :])
            record = _record(taken[: 1 + end], place, table)
        if isinstance(record, Problem):
            is_last = lines.failed and lines.ended
            record = _salvaged(record, table, is_last=is_last)
            if is_last and isinstance(record, Problem):
                # The failure that truncated the last row is reported instead.
                return
        yield table.with_time(record, b"\n".join([line.text for line in taken]))


def flat_rows(lines: "RowLines", source: str, table: Table, options: ReadOptions = DEFAULT) -> Iterator[Record]:
    """Yield an event for each row."""
    row, names, separator = 0, table.names, table.separator
    share = share_columns(names, source, options.event_type) if is_share(names) else None
    if isinstance(share, Problem):
        yield share
        return
    streaming = is_streaming(dict.fromkeys(names))
    stays_flat = options.flat is not None and has_names_of(options.flat, names)
    while (first := lines.take()) is not None:
        if len(names) > 1 and not first.text.strip(b"\r"):
            continue
        place = Location(source=source, line=first.number, row=row + 1, offset=first.offset)
        taken = [first, *_continuation(first, lines, separator)] if table.is_quoted else [first]
        cells = _checked(taken, place, table)
        if len(names) > 1 and is_header(cells, names):
            continue
        row += 1
        values: Sequence[str | None]
        if isinstance(cells, Problem):
            values = relaxed_cells(first.text.removesuffix(b"\r"), separator) if table.is_quoted else []
            if len(values) != len(names):
                if lines.failed and lines.ended:
                    return
                yield cells
                continue
            lines.put_back(taken[1:])
        else:
            values = _told_from_null(cells, taken) if table.quotes_strings else cells
        forms = {"escaped": bool(table.escaped), "quoted": table.quotes_strings, "flat": stays_flat}
        fields, values = (names, values) if share is None else (share.names, share.cells(values))
        record = Batch(event_of_strings(fields, values, **forms), place, is_streaming=streaming)
        yield table.with_time(record, b"\n".join([line.text for line in taken]))


_QUOTED_WORD: Final = pattern(rb'(?:^|,)"(?i:|null|true|false)"(?:,|\r?$)')
_CELL: Final = pattern(r'("(?:[^"]|"")*"|[^,]*)(?:,|$)')
_UNQUOTED_NULLS: Final = frozenset({"", "null"})


def _told_from_null(cells: list[str], lines: Sequence["_Line"]) -> list[str | None]:
    """Return the cells of a row in which only cells without quotes stand for null."""
    text = b"\n".join([line.text for line in lines])
    if not _QUOTED_WORD.search(text):
        return [None if cell in _UNQUOTED_NULLS else cell for cell in cells]
    raw = _CELL.findall(text.decode().removesuffix("\r"))[: len(cells)]
    pairs = zip(cells, raw, strict=True)
    return [QuotedCell(cell) if each[:1] == '"' else None if cell in _UNQUOTED_NULLS else cell for cell, each in pairs]


def is_header(cells: list[str] | Problem | None, names: Sequence[str]) -> bool:
    """Whether these are the names of the columns, with or without a byte order mark. Empty names are none."""
    if not isinstance(cells, list) or len(cells) != len(names) or cells[-1] != names[-1] or not any(names):
        return False
    return [cells[0].removeprefix("\ufeff"), *cells[1:]] == list(names)


class _Line(Struct, frozen=True, gc=False):
    text: bytes
    number: int
    offset: int


class RowLines:
    """The lines of a scanner, which can be put back."""

    def __init__(self, scanner: Scanner) -> None:
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

    def skip_header(self, table: Table) -> None:
        first = self.take()
        # Without a line end in a name, an open quote has no meaning.
        if first is not None and table.is_quoted and any("\n" in name for name in table.names):
            deque(_continuation(first, self, table.separator), maxlen=0)

    def put_back(self, lines: Iterable[_Line]) -> None:
        self._put_back.extendleft(reversed(list(lines)))


@cache
def _before_batch(separator: bytes, column: int) -> re.Pattern[bytes]:
    mark = re.escape(separator)
    return re.compile(rb'(?:[^"\r%b]*%b){%d}"(?=[\[{])' % (mark, mark, column))


def plain_rows(text: bytes, table: Table) -> tuple[bytes, list[memoryview]] | None:
    """Return lines with quotes that are not doubled, and the batches in them; None unless all look like ordinary rows.

    The batch is in the last cell, the only one in quotes, and begins and ends like an array or an object. If it is JSON
    it is the batch of the row: `_relaxed_batch` makes up for quotes that were not doubled.
    """
    if table.column is None or table.column != table.width - 1:
        return None
    begin, cells = _before_batch(table.separator, table.column), list[slice]()
    for line in lines_of(text):
        match, end = begin.match(line), bytes(line[-3:])
        if match is None or not end.endswith(_AFTER_BATCH):
            return None
        cells.append(slice(match.end(), -2 if end.endswith(b"\r") else -1))
    plain = undoubled(text)
    batches = [line[cell] for line, cell in zip(lines_of(plain), cells, strict=True)]
    # What is not UTF-8 is reported for the row. To count quotes takes longer than to look for events.
    is_good = is_utf8(plain) and (all(map(_begins_with_event, batches)) or _has_pairs(text, plain, batches))
    return (plain, batches) if is_good else None


def _has_pairs(text: bytes, plain: bytes, batches: Sequence[memoryview]) -> bool:
    """Whether all quotes in the cells of ordinary rows are pairs."""
    return plain.count(b'"') - 2 * len(batches) == len(text) - len(plain)


def _begins_with_event(batch: memoryview) -> bool:
    return b'"event_type"' in bytes(batch[:_FIRST_NAMES])


def _continuation(first: _Line, lines: RowLines, separator: bytes) -> Iterator[_Line]:
    """Take the other lines of a row with line ends inside its quotes."""
    if first.text.count(b'"') % 2 == 0 or cells_of_line(first.text, separator) is not None:
        return
    size = len(first.text)
    while size < MAX_ROW_SIZE and (line := lines.take()) is not None:
        yield line
        size += len(line.text)
        if line.text.count(b'"') % 2:
            return


def _first_row(lines: Iterable[_Line], table: Table) -> int | None:
    """Return the index of the first line that is a row by itself, with a complete batch where one should be."""
    column = table.column or 0
    for index, line in enumerate(lines):
        cells = cells_of_line(line.text, table.separator) or []
        if len(cells) == table.width and cells[column].startswith(("[", "{")) and is_json(cells[column].encode()):
            return index
    return None


def _record(lines: Sequence[_Line], place: Location, table: Table) -> Record:
    cells = _checked(lines, place, table)
    return cells if isinstance(cells, Problem) else Batch(batch_text(cells[table.column or 0]), place)


def _salvaged(problem: Problem, table: Table, *, is_last: bool) -> Record:
    """Return the batch of a truncated row, or the problem of a row that is malformed in any other way."""
    text = problem.raw or b""
    column, width, separator = table.column or 0, table.width, table.separator
    if (batch := truncated_csv_batch(text, column, width, separator, is_truncated_row=is_last)) is not None:
        return Batch(unwrapped(batch), problem.location)
    batch = _relaxed_batch(text, table, is_truncated=True)
    is_left = batch is not None and (not is_json(batch) or (is_last and b"event_type" in batch))
    return Batch(batch, problem.location) if batch is not None and is_left else problem


def _checked(lines: Sequence[_Line], place: Location, table: Table) -> list[str] | Problem:
    text = b"\n".join([line.text for line in lines]).removesuffix(b"\r")
    code, hint = Code.BAD_ROW, ""
    try:
        if table.is_quoted:
            # An empty line is a row of one empty cell.
            cells = _csv_cells(text, table.separator) or [""]
        else:
            cells = text.decode().split(table.separator.decode())
        if len(cells) == table.width:
            return cells
        message = wrong_width(len(cells), table.width)
    except UnicodeDecodeError:
        code, message, hint = Code.NOT_UTF8, "the row is not UTF-8", conversion_of(text)
    except csv.Error as error:
        message = f"the row is not valid CSV: {error}"
    return Problem(code=code, location=place, message=message, hint=hint, raw=text)


def _csv_cells(text: bytes, separator: bytes) -> list[str]:
    return next(csv.reader([text.decode()], strict=True, delimiter=separator.decode()), [])


def cells_of_line(text: bytes, separator: bytes) -> list[str] | None:
    """Return the cells of a line that is a row of CSV by itself; None for any other."""
    try:
        return _csv_cells(text.removesuffix(b"\r"), separator)
    except (UnicodeDecodeError, csv.Error):
        return None


def _relaxed_batch(text: bytes, table: Table, *, is_truncated: bool = False) -> bytes | None:
    """Return the batch of a row that is not RFC 4180: backslashes before its quotes, or separators without quotes.

    Only complete JSON is taken, or, where the row may be truncated, JSON with a complete event. None for anything else.
    """
    plain = None if is_truncated else plain_rows(text, table)
    if plain is not None and _begins_with_event(plain[1][0]) and is_json(batch := bytes(plain[1][0])):
        return batch
    text = text.removesuffix(b"\r")
    width, column, separator = table.width, table.column or 0, table.separator
    cells = raw_cells(text, separator, is_truncated=is_truncated)
    if len(cells) != width and not (is_truncated and len(cells) == column + 1):
        cells = joined_cells(text.split(separator), column, width, separator)
        others = [*cells[:column], cells[column][:1] if len(cells) == width else b'"', *cells[column + 1 :]]
        if any(b'"' in cell for cell in others):
            return None
    if not is_utf8(text):
        return None
    if cells[column].strip() in (*NULL_BYTES, b'""'):
        return EMPTY_BATCH
    for reading in readings(cells[column].strip(), is_truncated=is_truncated):
        batch = unwrapped(reading) if is_truncated or is_json(reading) else reading
        if batch.startswith((b"[", b"{")) and (is_json(batch) or (is_truncated and has_event(batch))):
            return batch
    return None


_MORE_JSON: Final = (b"{", b"[", b"]", b",")

_QUOTED: Final = pattern(rb'"\s*(?:\[\s*\{|\[\s*(?="")|\{)\s*""')
"""A quoted cell; JSON that was encoded again has backslashes before its quotes."""


_BRACKETED_NAME: Final = pattern(rb"\[(?!(?:true|false|null)\])[A-Za-z_][^\]\"{}]*\](?:[,;|\t]|\r?\Z)")


def begins_with_name(line: bytes) -> bool:
    """Whether a line that begins like JSON is a header whose names are in brackets."""
    return _BRACKETED_NAME.match(line) is not None


def begins_with_batch(line: bytes) -> bool:
    """Whether a line that begins like JSON is a row whose first cell is a batch: what follows is not JSON."""
    cell, tab, rest = line.partition(b"\t")
    if cell.startswith(b'"') and not cell.startswith((b'"[', b'"{')):
        return False
    return bool(tab) and rest.lstrip(SPACE)[:1] not in {b"", *_MORE_JSON} and is_json(cell)


def tsv_rows(scanner: Scanner, source: str, table: Table) -> Iterator[Record]:
    """Yield a batch for each line that is left; a problem, with the line in `raw`, for each of the wrong width."""
    row, width, column, separator = 0, table.width, table.column or 0, table.separator
    header = [name.encode() for name in table.names]
    unescape = Unescaper(escaped=table.escaped)
    while scanner.head(1):
        place = Location(source=source, line=scanner.line, row=row + 1, offset=scanner.offset)
        line = scanner.take_line().removesuffix(b"\r")
        cells = line.split(separator)
        if not line or (table.header and cells == header):
            continue
        row += 1
        if len(cells) > width:
            joined = joined_cells(cells, column, width, separator)
            cells = joined if is_json(cell_batch(joined[column], unescape)) else cells
        if (
            scanner.at_end
            and (batch := _last_batch(cells[column:], unescape, failed=scanner.failure is not None)) is not None
        ):
            yield table.with_time(Batch(batch, place), line)
        elif scanner.failure is not None and scanner.at_end:
            # The failure that truncated the last row is reported instead.
            return
        elif len(cells) == width:
            yield table.with_time(Batch(cell_batch(cells[column], unescape), place), line)
        else:
            yield Problem(code=Code.BAD_ROW, location=place, message=wrong_width(len(cells), width), raw=line)


def cell_batch(cell: bytes, unescape: Unescaper) -> bytes:
    """Return the batch in a cell of a table without quotes; they are removed where a spreadsheet has put some."""
    text = cell.strip()
    if text in NULL_BYTES:
        return EMPTY_BATCH
    if _QUOTED.match(text):
        return unwrapped(undoubled(text[1:].removesuffix(b'"')))
    return unwrapped(unescape(text))


def _last_batch(cells: list[bytes], unescape: Unescaper, *, failed: bool) -> bytes | None:
    """Return the batch of the last row, from its cell and those after it, if it is truncated; else None.

    Where the source could not be read to its end (`failed`), the row may be truncated after its batch.
    """
    if not cells or (len(cells) > 1 and not failed) or cells[0].strip() in NULL_BYTES:
        return None
    batch = cell_batch(cells[0], unescape)
    left = truncated_array(batch)
    has_some = left is not None and (failed or bool(left.elements))
    return batch if has_some or (failed and is_json(batch)) else None
