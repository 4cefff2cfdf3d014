"""The stream that every verb reads: sources in, batches and problems out. The form of a source is detected."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from itertools import count
from typing import Final

from td_currents_cli.codes import Code
from td_currents_cli.model import Batch, Location, Problem, Record
from td_currents_cli.read import dead_letters
from td_currents_cli.read.compression import UnreadableError, decompressed, plain
from td_currents_cli.read.documents import BYTE_ORDER_MARK, Document, documents, documents_in, skip_mark
from td_currents_cli.read.rows import csv, jsonl
from td_currents_cli.read.scanner import Scanner, is_json
from td_currents_cli.read.sources import Source

_UTF16_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")
_JSON_STARTS: Final = (b"{", b"[", b"")


def records(sources: Iterable[Source]) -> Iterator[Record]:
    """All batches of all sources in order, and a problem for each thing that could not be read.

    A source that cannot be read to its end gives what came before, then one `UNREADABLE` problem; the next source
    follows. Memory is bounded by the largest single document, not by the size of a source.
    """
    for source in sources:
        try:
            with closing(source.open()) as raw:
                scanner = Scanner(decompressed(raw))
                yield from _records(scanner, source.name)
        except (OSError, UnreadableError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            yield _unreadable(Location(source=source.name), reason or "cannot be read")


def records_from(source: Source, begin: Location, row: int, header: Sequence[str] | None) -> Iterator[Record]:
    """What is left of a plain source of which the beginning has been read.

    Args:
        source: the whole of it.
        begin: where a document or a row begins that has not been read.
        row: the number of the ingested row before it.
        header: the columns of the rows, if the source is CSV; None for JSON.
    """
    try:
        with closing(source.open()) as raw:
            raw.seek(begin.offset)
            scanner = Scanner(plain(raw), begin)
            if header is None:
                yield from _json(scanner, source.name, count(row + 1))
            else:
                yield from csv.rows(csv.Lines(scanner), source.name, header, row=row)
            if scanner.failure is not None:
                yield _unreadable(_place(scanner, source.name), scanner.failure)
    except OSError as error:
        yield _unreadable(begin, error.strerror or "cannot be read")


def _records(scanner: Scanner, source: str) -> Iterator[Record]:
    head = scanner.head(3)
    if head == BYTE_ORDER_MARK:
        yield skip_mark(scanner, source)
    elif head.startswith(_UTF16_MARKS):
        yield Problem(
            code=Code.NOT_UTF8,
            location=Location(source=source, line=1, column=1),
            message="the text is UTF-16, not UTF-8",
            hint="Convert the file: iconv -f UTF-16 -t UTF-8.",
        )
        return
    first = scanner.next_byte()
    begin = _place(scanner, source)
    if first in _JSON_STARTS:
        yield from _json(scanner, source, count(1))
    elif (header := csv.header_of(scanner.peek_line())) is not None:
        yield from csv.records(scanner, source, header)
    elif is_json(scanner.peek_line()):
        yield from _json(scanner, source, count(1))
    else:
        message = "neither JSON nor CSV whose header names an `events` column"
        yield Problem(code=Code.UNKNOWN_FORM, location=begin, message=message)
        return
    if scanner.failure is not None:
        yield _unreadable(_place(scanner, source), scanner.failure)
    elif not first:
        yield Problem(code=Code.EMPTY_INPUT, location=begin, message="nothing to read: the input is empty")


def _json(scanner: Scanner, source: str, rows: Iterator[int]) -> Iterator[Record]:
    for document in documents(scanner, source):
        if scanner.failure is not None and scanner.at_end and not _is_whole(document):
            # The failure that tore the last document is reported, not the tear.
            return
        yield from of_document(document, source, rows)


def of_document(document: Document | Problem, source: str, rows: Iterator[int]) -> Iterator[Record]:
    """The batch of a document, which may be an ingested row, or several of them on one line.

    Args:
        document: as it stands in the source.
        source: its name.
        rows: numbers for the ingested rows.
    """
    if isinstance(document, Problem):
        yield document
        return
    batch = jsonl.batch_of_row(document.data)
    if batch is None:
        document = dead_letters.event_of(document) or document
        yield Batch(document.data, document.location(source))
    elif batch is jsonl.SEVERAL:
        for each in documents_in(document.data, document.location(source)):
            yield from of_document(each, source, rows)
    else:
        yield Batch(batch, document.location(source, next(rows)))


def _is_whole(document: Document | Problem) -> bool:
    return isinstance(document, Document) and is_json(document.data)


def _place(scanner: Scanner, source: str) -> Location:
    return Location(source=source, line=scanner.line, column=scanner.column, offset=scanner.offset)


def _unreadable(location: Location, reason: str) -> Problem:
    return Problem(code=Code.UNREADABLE, location=location, message=reason)
