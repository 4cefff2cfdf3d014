"""Splits of large plain files, so that several processes can read one file.

Whether a line end separates two documents is not known beforehand: it may stand inside a quoted cell or a
pretty-printed document. So each split is read as if it began with a document, and its reader tells where it really
ended, which is where the next one should begin. Where it does not, the results of the next one are dropped, and the
source is read on from the end of the last good one. The outcome always equals that of reading in one go.
"""

import math
from collections.abc import Iterator
from contextlib import closing
from enum import Enum
from typing import BinaryIO, Final

from msgspec import Struct
from msgspec.structs import replace

from td_currents_cli.model import Batch, Location, Problem, Record
from td_currents_cli.read.compression import is_plain, plain
from td_currents_cli.read.formats.delimited import RowLines, Table, csv_rows, plain_rows, table_with_events
from td_currents_cli.read.json_documents import BYTE_ORDER_MARK, Document, DocumentReader, take_object
from td_currents_cli.read.lines import IrregularError, LineChunk, plain_lines, whole_lines
from td_currents_cli.read.options import DEFAULT, ReadOptions, Source
from td_currents_cli.read.reader import records, records_from
from td_currents_cli.read.scanner import LONGEST_PEEK, SPACE, Scanner, TooLargeError

MIN_SIZE: Final = 1 << 25  # bytes from which a file is worth more than one process

MAX_UNIT: Final = 1 << 22
"""Bytes of an Avro file that is not worth more than one process, and whose results fit into memory."""

SPLITS: Final = 32  # of a file, if they are within the sizes below: each takes a millisecond besides what is in it

SPLIT_SIZES: Final = (1 << 20, 5 << 20)
"""The least and the most bytes of a split: what is made of some of them is in memory at a time."""


class SplitFormat(Enum):
    """What a split contains: a whole source, whatever it is; or part of a plain file."""

    WHOLE = "whole"
    JSON = "JSON"
    CSV = "CSV"


class FileSplit(Struct, frozen=True, kw_only=True):
    source: Source
    number: int = 0  # of the source in the run
    format: SplitFormat = SplitFormat.WHOLE
    start: int = 0
    limit: float = math.inf  # offset from which no further document is begun; infinite for the end of the source
    table: Table | None = None  # the columns of the rows, for CSV
    options: ReadOptions = DEFAULT


class SplitEnd(Struct, frozen=True, kw_only=True):
    offset: int = 0  # of what comes after it
    lines: int = 0  # line ends in it
    rows: int = 0  # ingested rows in it
    is_last: bool = True  # whether nothing comes after it


class SplitOffset(Struct, frozen=True):
    """What a source contains before a split, whose lines and rows are counted from its own beginning."""

    lines: int = 0
    rows: int = 0

    def moved(self, place: Location) -> Location:
        """Convert a place in the split to one in the source."""
        line = None if place.line is None else place.line + self.lines
        return replace(place, line=line, row=None if place.row is None else place.row + self.rows)

    def placed(self, problem: Problem) -> Problem:
        return replace(problem, location=self.moved(problem.location))


class SplitReader:
    """Reads a split, with lines and rows counted from its beginning."""

    def __init__(self, split: FileSplit) -> None:
        self._split = split
        is_whole = split.format is SplitFormat.WHOLE
        # How far it was read, once the records have been taken.
        self.end = SplitEnd() if is_whole else SplitEnd(offset=split.start, is_last=False)

    def records(self) -> Iterator[Record]:
        """Yield all records of a whole source; of part of one, those up to the first irregular one."""
        split = self._split
        if split.format is SplitFormat.WHOLE:
            found, progress = records([split.source], split.options), split.source.progress
            yield from found if progress is None else progress.report(split.source, found)
            return
        try:
            with closing(split.source.open()) as raw:
                raw.seek(split.start)
                begin = Location(split.source.name, line=1, column=1, offset=split.start)
                scanner = Scanner(plain(raw), begin, limit=split.source.max_document_size)
                yield from self._json(scanner) if split.table is None else self._csv(scanner, split.table)
        except (OSError, TooLargeError):
            # Whoever reads on from where this ends meets the error again and reports it.
            return

    def chunks(self) -> Iterator[LineChunk]:
        """Yield all lines of a split, for a fast path: payloads, or rows of CSV in a part of a file.

        Raises:
            IrregularError: one of them is out of the ordinary; `records` reads it.
            OSError: the file cannot be read.
        """
        split, table = self._split, self._split.table
        if split.format is SplitFormat.WHOLE and not _may_be_lines(split):
            raise IrregularError
        lines = rows = 0
        with closing(split.source.open()) as raw:
            raw.seek(split.start)
            if table is not None and split.start == 0:
                lines += bool(raw.readline())
            end = raw.tell()
            for offset, text in whole_lines(raw, split.limit):
                plain = plain_lines(text) if table is None else plain_rows(text, table)
                if plain is None or len(text) > split.source.max_document_size:
                    raise IrregularError
                row = None if table is None else rows + 1
                yield LineChunk(split.source.name, offset, lines + 1, row, text, *plain)
                lines += len(plain[1])
                rows += 0 if table is None else len(plain[1])
                end = offset + len(text)
        self.end = SplitEnd(offset=end, lines=lines, rows=rows, is_last=split.limit == math.inf)

    def _json(self, scanner: Scanner) -> Iterator[Record]:
        reader = DocumentReader(self._split.source.name, self._split.options)
        pending: Document | None = None
        while True:
            first = scanner.next_byte()
            if scanner.failure is not None or (first and scanner.column != 1):
                # Read from further back in its line, the pending document may turn out to be something else.
                return
            if pending:
                found = list(reader.records(pending))
                starts = [record.location.offset - pending.offset for record in found if isinstance(record, Batch)]
                if reader.needs_context or not all(pending.data.startswith(b"{", start) for start in starts):
                    # An array, or another row within an object, cannot be read from where it stands.
                    return
                yield from found
            line, offset = scanner.line, scanner.offset
            self.end = SplitEnd(offset=offset, lines=line - 1, rows=reader.row, is_last=not first)
            if first != b"{" or offset >= self._split.limit:
                return
            pending = Document(take_object(scanner), line, 1, offset)

    def _csv(self, scanner: Scanner, table: Table) -> Iterator[Record]:
        split, row = self._split, 0
        if split.start == 0:
            scanner.take_line()
        lines = RowLines(scanner)
        for record in csv_rows(lines, split.source.name, table, limit=split.limit):
            if lines.failed:
                return
            row = record.location.row or row
            self.end = SplitEnd(offset=lines.offset, lines=lines.number - 1, rows=row, is_last=False)
            yield record
        if not lines.failed:
            self.end = SplitEnd(offset=lines.offset, lines=lines.number - 1, rows=row, is_last=lines.ended)


def _may_be_lines(split: FileSplit) -> bool:
    """Whether a source that is read as a whole may be a small file of payloads."""
    size = split.source.plain_size() or 0
    return 0 < size < MIN_SIZE and split.source.note is None and split.options.is_automatic


class SplitCursor:
    """The place up to which a source has been read, split by split."""

    def __init__(self, split: FileSplit) -> None:
        self.split = split  # the first one
        self._before = SplitOffset()
        self.end = SplitEnd(is_last=False)

    def advance(self, end: SplitEnd) -> SplitOffset:
        """Move to the end of the next split; what the source contains before that split."""
        before = self._before
        self._before = SplitOffset(before.lines + end.lines, before.rows + end.rows)
        self.end = end
        return before

    def rest(self) -> Iterator[Record]:
        split, before = self.split, self._before
        if self.end.offset == 0:
            return records([split.source], split.options)
        place = Location(split.source.name, line=before.lines + 1, column=1, offset=self.end.offset)
        return records_from(split.source, place, before.rows, split.table, split.options)


def is_splittable(source: Source) -> bool:
    """Whether a source can be read in splits: a large plain file in some formats, or a small Avro file in one."""
    size = source.plain_size()
    if size is None or size < MIN_SIZE:
        # Any number of small files is better read by the processes that work with what is in them.
        return size is not None and size <= MAX_UNIT and source.name.endswith(".avro")
    try:
        with closing(source.open()) as raw:
            return _format_of(raw.read(LONGEST_PEEK))[0] is not SplitFormat.WHOLE
    except OSError:
        return False


def file_splits(source: Source, options: ReadOptions = DEFAULT, *, number: int = 0) -> Iterator[FileSplit]:
    split = FileSplit(source=source, number=number, options=options)
    try:
        with closing(source.open()) as raw:
            split_format, table = _format_of(raw.read(LONGEST_PEEK))
            split = replace(split, format=split_format, table=table)
            size = 0 if split_format is SplitFormat.WHOLE else source.plain_size() or 0
            for limit in _limits(raw, size, b"\n{" if split_format is SplitFormat.JSON else b"\n"):
                yield replace(split, limit=limit)
                split = replace(split, start=limit)
    except OSError:
        # The reader of the last split meets the error again.
        pass
    yield split


def _limits(raw: BinaryIO, size: int, mark: bytes) -> Iterator[int]:
    """Yield offsets where a document probably begins, about the size of a split apart."""
    least, most = SPLIT_SIZES
    start, length = 0, max(least, min(size // SPLITS, most))
    while start + length < size and (found := _find(raw, mark, start + length)) is not None:
        yield found
        start = found


def _format_of(head: bytes) -> tuple[SplitFormat, Table | None]:
    """Return the format of a file that begins like this, and the columns of CSV; WHOLE where splits won't work."""
    line, _, rest = head.partition(b"\n")
    if head.startswith(b"{"):
        is_lines = line.rstrip(SPACE).endswith(b"}") and rest.startswith(b"{")
        return (SplitFormat.JSON if is_lines else SplitFormat.WHOLE), None
    if not rest or head.startswith((BYTE_ORDER_MARK, b"[")) or head[:1].isspace() or not is_plain(head):
        return SplitFormat.WHOLE, None
    table = table_with_events(line)
    # A single column may as well be TSV, where nothing is quoted.
    return (SplitFormat.WHOLE, None) if table is None or table.width == 1 else (SplitFormat.CSV, table)


def _find(raw: BinaryIO, mark: bytes, offset: int) -> int | None:
    """Return the offset behind the line end of the first mark from there on."""
    while True:
        raw.seek(offset)
        piece = raw.read(1 << 18)
        if len(piece) < len(mark):
            return None
        place = piece.find(mark)
        if place >= 0:
            return offset + place + 1
        offset += len(piece) - len(mark) + 1
