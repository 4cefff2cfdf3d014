"""The stream that every verb reads: sources in, batches and problems out. The form of a source is detected."""

from collections.abc import Iterable, Iterator
from contextlib import closing

from td_currents_cli.codes import Code
from td_currents_cli.model import Batch, Location, Problem, Record, Severity
from td_currents_cli.read.compression import UnreadableError, decompressed
from td_currents_cli.read.documents import Document, documents
from td_currents_cli.read.rows import csv, jsonl
from td_currents_cli.read.scanner import Scanner, is_json
from td_currents_cli.read.sources import Source

_UTF8_MARK = b"\xef\xbb\xbf"
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_JSON_STARTS = (b"{", b"[", b"")


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


def _records(scanner: Scanner, source: str) -> Iterator[Record]:
    head = scanner.head(3)
    if head == _UTF8_MARK:
        yield Problem(
            code=Code.BYTE_ORDER_MARK,
            severity=Severity.WARNING,
            location=Location(source=source, line=1, column=1),
            message="the text begins with a byte order mark, which JSON does not allow",
            hint="Save the file as UTF-8 without BOM.",
        )
        scanner.skip_mark(len(_UTF8_MARK))
    elif head.startswith(_UTF16_MARKS):
        yield Problem(
            code=Code.NOT_UTF8,
            location=Location(source=source, line=1, column=1),
            message="the text is UTF-16, not UTF-8",
            hint="Convert the file: iconv -f UTF-16 -t UTF-8.",
        )
        return
    first = scanner.next_byte()
    if first in _JSON_STARTS:
        yield from _json(scanner, source)
    elif csv.is_header(scanner.peek_line()):
        yield from csv.records(scanner, source)
    elif is_json(scanner.peek_line()):
        yield from _json(scanner, source)
    else:
        yield Problem(
            code=Code.UNKNOWN_FORM,
            location=Location(source=source, line=scanner.line, column=scanner.column, offset=scanner.offset),
            message="neither JSON nor CSV whose header names an `events` column",
        )
        return
    place = Location(source=source, line=scanner.line, column=scanner.column, offset=scanner.offset)
    if scanner.failure is not None:
        yield _unreadable(place, scanner.failure)
    elif not first:
        yield Problem(code=Code.EMPTY_INPUT, location=place, message="nothing to read: the input is empty")


def _json(scanner: Scanner, source: str) -> Iterator[Record]:
    row = 0
    for document in documents(scanner, source):
        if scanner.failure is not None and scanner.at_end and not _is_whole(document):
            # The failure that tore the last document is reported, not the tear.
            return
        if isinstance(document, Problem):
            yield document
        elif (batch := jsonl.batch_of_row(document.data)) is not None:
            row += 1
            yield Batch(batch, document.location(source, row))
        else:
            yield Batch(document.data, document.location(source))


def _is_whole(document: Document | Problem) -> bool:
    return isinstance(document, Document) and is_json(document.data)


def _unreadable(location: Location, reason: str) -> Problem:
    return Problem(code=Code.UNREADABLE, location=location, message=reason)
