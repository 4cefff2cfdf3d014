"""Large plain files in stretches, so that several processes can read one file.

Nobody knows beforehand whether a line end is one between documents: it may stand inside a quoted cell or a
pretty-printed document. So each stretch is read as if it began with a document, and says where it really ended, which
is where the next one should begin. Where that is not so, what was made of the next one is worth nothing, and the
source is read on from where the last good one ended. The result is what reading it in one go gives, always.
"""

import math
from collections.abc import Iterator, Sequence
from contextlib import closing
from enum import Enum
from itertools import count
from typing import BinaryIO, Final

from msgspec import Struct
from msgspec.structs import replace

from td_currents_cli.model import Location, Record
from td_currents_cli.read.compression import is_packed, plain
from td_currents_cli.read.documents import BYTE_ORDER_MARK, Document, take_object
from td_currents_cli.read.objects import of_document
from td_currents_cli.read.options import DEFAULT, ReadOptions
from td_currents_cli.read.records import records
from td_currents_cli.read.rows import csv
from td_currents_cli.read.scanner import LONGEST_PEEK, SPACE, Scanner
from td_currents_cli.read.sources import Source

LARGE: Final = 1 << 25
"""Bytes from which a file is worth more than one process."""

SIZES: Final = (*[1 << 17] * 8, 1 << 22)
"""Bytes of the first stretches of a file, and of all others: the first few are read before others are asked to help."""


class Form(Enum):
    """What a stretch holds: a whole source, whatever it is; or part of a plain file."""

    WHOLE = "whole"
    JSON = "JSON"
    CSV = "CSV"


class Stretch(Struct, frozen=True, kw_only=True):
    """A piece of a source.

    Attributes:
        number: of the source in the run, from 0.
        start: offset of its first byte.
        limit: the offset from which no document is begun; infinite for the end of the source.
        header: the columns of the rows, for CSV.
        options: whether rows are what is read.
    """

    number: int
    source: Source
    form: Form = Form.WHOLE
    start: int = 0
    limit: float = math.inf
    header: tuple[str, ...] | None = None
    options: ReadOptions = DEFAULT

    @property
    def is_last(self) -> bool:
        """Whether it goes to the end of its source."""
        return self.limit == math.inf


class Reach(Struct, frozen=True, kw_only=True):
    """How far a stretch was read.

    Attributes:
        end: offset of what comes after it.
        lines: line ends before that, from the beginning of the stretch.
        rows: ingested rows in it.
        ended: whether nothing comes after it.
    """

    end: int = 0
    lines: int = 0
    rows: int = 0
    ended: bool = True


class Reading:
    """The records of a stretch, with lines and rows counted from its beginning.

    Attributes:
        reach: how far it was read, once the records have been taken.
    """

    def __init__(self, stretch: Stretch) -> None:
        self._stretch = stretch
        self.reach = Reach()

    def records(self) -> Iterator[Record]:
        """All records of a whole source; of part of one, those up to the first that is out of the ordinary."""
        stretch = self._stretch
        if stretch.form is Form.WHOLE:
            return records([stretch.source], stretch.options)
        self.reach = Reach(end=stretch.start, ended=False)
        return self._part()

    def _part(self) -> Iterator[Record]:
        stretch = self._stretch
        try:
            with closing(stretch.source.open()) as raw:
                raw.seek(stretch.start)
                scanner = Scanner(plain(raw), Location(stretch.source.name, line=1, column=1, offset=stretch.start))
                yield from self._json(scanner) if stretch.form is Form.JSON else self._csv(scanner)
        except OSError:
            # Whoever reads on from where this ends will meet it again, and say so.
            return

    def _json(self, scanner: Scanner) -> Iterator[Record]:
        source, rows, options = self._stretch.source.name, count(1), self._stretch.options
        row = 0
        held: Document | None = None
        while first := scanner.next_byte():
            if scanner.failure is not None or scanner.column != 1:
                # What is held may be taken for something else by who comes from further back in its line.
                return
            for record in of_document(held, source, rows, options) if held else ():
                row = record.location.row or row
                yield record
            line, offset = scanner.line, scanner.offset
            self.reach = Reach(end=offset, lines=line - 1, rows=row, ended=False)
            if first != b"{" or offset >= self._stretch.limit:
                return
            held = Document(take_object(scanner), line, 1, offset)
        if scanner.failure is None:
            for record in of_document(held, source, rows, options) if held else ():
                row = record.location.row or row
                yield record
            self.reach = Reach(end=scanner.offset, lines=scanner.line - 1, rows=row)

    def _csv(self, scanner: Scanner) -> Iterator[Record]:
        stretch, row = self._stretch, 0
        if stretch.start == 0:
            scanner.take_line()
        lines = csv.Lines(scanner)
        for record in csv.rows(lines, stretch.source.name, stretch.header or (), limit=stretch.limit):
            if lines.failed:
                return
            row = record.location.row or row
            self.reach = Reach(end=lines.offset, lines=lines.number - 1, rows=row, ended=False)
            yield record
        if not lines.failed:
            self.reach = Reach(end=lines.offset, lines=lines.number - 1, rows=row, ended=lines.ended)


class Stretches:
    """All sources of a run, large files in stretches.

    Args:
        sources: where the bytes are; their contents decide on their form.
        options: whether rows are what is read.
        large: bytes from which a file is read in stretches.
        sizes: of the stretches, the last one for all others.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        options: ReadOptions = DEFAULT,
        *,
        large: int = LARGE,
        sizes: Sequence[int] = SIZES,
    ) -> None:
        self._sources = sources
        self._options = options
        self._large = large
        self._sizes = sizes
        self._abandoned = -1

    def abandon(self, number: int) -> None:
        """Make no further stretches of that source."""
        self._abandoned = number

    def __iter__(self) -> Iterator[Stretch]:
        for number, source in enumerate(self._sources):
            whole = Stretch(number=number, source=source, options=self._options)
            size = source.plain_size()
            if size is None or size < self._large:
                yield whole
                continue
            try:
                with closing(source.open()) as raw:
                    yield from self._of_file(whole, raw, size)
            except OSError:
                yield whole

    def _of_file(self, whole: Stretch, raw: BinaryIO, size: int) -> Iterator[Stretch]:
        form, header = _form(raw.read(LONGEST_PEEK))
        if form is Form.WHOLE:
            yield whole
            return
        start = 0
        for limit in self._limits(raw, size, b"\n{" if form is Form.JSON else b"\n"):
            if self._abandoned == whole.number:
                return
            yield replace(whole, form=form, header=header, start=start, limit=limit)
            start = limit
        yield replace(whole, form=form, header=header, start=start)

    def _limits(self, raw: BinaryIO, size: int, mark: bytes) -> Iterator[int]:
        """Offsets where a document may well begin, about a stretch apart."""
        sizes = iter(self._sizes)
        length = next(sizes)
        limit = length
        while limit < size:
            found = _find(raw, mark, limit)
            if found is None:
                return
            yield found
            length = next(sizes, length)
            limit = found + length


def _form(head: bytes) -> tuple[Form, tuple[str, ...] | None]:
    """What a file that begins like this holds, if it is worth trying to read it in stretches."""
    line, _, rest = head.partition(b"\n")
    if head.startswith(b"{"):
        is_lines = line.rstrip(SPACE).endswith(b"}") and rest.startswith(b"{")
        return (Form.JSON if is_lines else Form.WHOLE), None
    if not rest or head.startswith((BYTE_ORDER_MARK, b"[")) or head[:1].isspace() or is_packed(head):
        return Form.WHOLE, None
    header = csv.header_of(line)
    # A single column may as well be TSV, where nothing is in quotes.
    return (Form.WHOLE, None) if header is None or len(header) == 1 else (Form.CSV, tuple(header))


def _find(raw: BinaryIO, mark: bytes, offset: int) -> int | None:
    """The offset behind the line end of the first mark from there on."""
    piece = b""
    while True:
        raw.seek(offset)
        piece = raw.read(1 << 18)
        if len(piece) < len(mark):
            return None
        place = piece.find(mark)
        if place >= 0:
            return offset + place + 1
        offset += len(piece) - len(mark) + 1
