"""JSON as one document after another, however they are arranged.

A single document; documents one after another, each on a line (JSON Lines) or pretty-printed; a JSON array of
documents. The arrangement may change within a source (`cat *.json`). A malformed document is delivered unchanged, and
reading goes on with the next one.
"""

from collections.abc import Callable, Iterable, Iterator
from io import BytesIO
from typing import Final

from msgspec import Struct

from td_currents_cli.choices import Names
from td_currents_cli.model import Batch, Code, Location, Problem, Record, Severity
from td_currents_cli.patterns import pattern
from td_currents_cli.read.formats.cell import cells_in, cells_of_truncated, fields_of
from td_currents_cli.read.formats.flat import event_of_flat_row
from td_currents_cli.read.formats.json_arrays import ArrayRows
from td_currents_cli.read.formats.json_rows import (
    SEVERAL_DOCUMENTS,
    SEVERAL_ROWS,
    JsonRow,
    WrappedRows,
    batch_of_row,
    column_of,
    json_row,
    wrapped_rows,
)
from td_currents_cli.read.options import COLUMN, DEFAULT, OBJECTS, FormatCallback, ReadOptions, SourceFormat
from td_currents_cli.read.received import TIME, received
from td_currents_cli.read.scanner import SPACE, Scanner, code_points

BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


class Document(Struct, frozen=True, gc=False):
    data: bytes
    line: int
    column: int
    offset: int
    array: Location | None = None  # where the array begins that it is an element of

    def location(self, source: str, row: int | None = None) -> Location:
        return Location(source=source, line=self.line, column=self.column, row=row, offset=self.offset)

    def part(self, begin: int, text: bytes) -> "Document":
        """Return a document that stands for what begins at that byte, at its own place."""
        before = self.data[:begin]
        line_ends = before.count(b"\n")
        column = code_points(before[before.rfind(b"\n") + 1 :]) + (1 if line_ends else self.column)
        return Document(text, self.line + line_ends, column, self.offset + begin)


def take_object(scanner: Scanner) -> bytes:
    """Take what begins with `{`: the rest of the line if it may be a complete object, else one value."""
    return scanner.take_object_line() or _take_value(scanner)


def _take_value(scanner: Scanner) -> bytes:
    return scanner.take_value() or scanner.take_damaged()


def documents(
    scanner: Scanner, source: str, take_object: Callable[[Scanner], bytes] = take_object
) -> Iterator[Document | Problem]:
    """Yield all documents that are left in the scanner.

    Several objects on one line come as one document: telling them apart would mean decoding every line twice. The
    decoder finds out, and calls `documents_in`.
    """
    while first := scanner.next_byte():
        if first == b"[":
            yield from _array(scanner, source)
        elif first == BYTE_ORDER_MARK[:1] and scanner.head(3) == BYTE_ORDER_MARK:
            yield skip_mark(scanner, source)
        elif first == b",":
            yield _malformed(scanner.location(source), "unexpected comma between documents that are not in an array")
            scanner.skip(1)
        else:
            line, column, offset = scanner.line, scanner.column, scanner.offset
            data = take_object(scanner) if first == b"{" else scanner.take_line().rstrip(SPACE)
            yield Document(data, line, column, offset)


def lines(scanner: Scanner) -> Iterator[Document]:
    """Yield all lines that are left in the scanner, except blank ones, each as a document."""
    while scanner.next_byte():
        line, column, offset = scanner.line, scanner.column, scanner.offset
        yield Document(scanner.take_line().rstrip(SPACE), line, column, offset)


def documents_in(text: bytes, begin: Location) -> Iterator[Document | Problem]:
    """Yield each document of a line, well-formed or not, that turned out to contain several; it stands at `begin`."""
    return documents(Scanner(BytesIO(text), begin), begin.source, _take_value)


def skip_mark(scanner: Scanner, source: str) -> Problem:
    """Skip a byte order mark and return the warning about it."""
    place = scanner.location(source)
    scanner.skip_mark(len(BYTE_ORDER_MARK))
    return Problem(
        code=Code.BYTE_ORDER_MARK,
        severity=Severity.WARNING,
        location=place,
        message="the input begins with a byte order mark, which JSON does not allow",
        hint="Save the file as UTF-8 without BOM.",
    )


def _array(scanner: Scanner, source: str) -> Iterator[Document | Problem]:
    """Yield the elements of an array of documents, each by itself, so that the size of the array does not matter."""
    begin = scanner.location(source)
    scanner.skip(1)
    following = scanner.next_byte()
    if following == b"]":
        scanner.skip(1)
        message = "the array is empty: no payloads, no events"
        yield Problem(code=Code.EMPTY_ARRAY, severity=Severity.WARNING, location=begin, message=message)
        return
    while following and following != b"]":
        line, column, offset = scanner.line, scanner.column, scanner.offset
        value = scanner.take_value()
        yield Document(value or scanner.take_damaged(), line, column, offset, begin)
        following = scanner.next_byte()
        if following == b",":
            place = scanner.location(source)
            scanner.skip(1)
            following = scanner.next_byte()
            if following == b"]":
                yield _malformed(place, "trailing comma before the end of the array")
        elif value is None and following == b"{":
            # Damage may have taken the comma with it.
            continue
        elif value is not None and following in {b"{", b"["}:
            yield _malformed(scanner.location(source), "missing comma between the elements of an array")
        elif following != b"]":
            break
    if following == b"]":
        scanner.skip(1)
    else:
        message = f"the array that began at line {begin.line}, column {begin.column} is not closed: expected ',' or ']'"
        yield _malformed(scanner.location(source), message)


def _malformed(place: Location, message: str) -> Problem:
    return Problem(code=Code.NOT_JSON, location=place, message=message)


_SOMETHING_ELSE: Final = pattern(rb'\{\s*"event(?:s|_type)"\s*:')
"""How payloads and most bare events begin: they are not examined further."""

_DEAD_LETTER: Final = pattern(rb'\{\s*"reason"\s*:')
"""How `send` begins them: what it found may hold arrays, which must not be taken for rows."""


def event_of_dead_letter(document: Document) -> Document | None:
    """Return the event in a dead letter, at its own place; None for anything else.

    An event without `event_type` would not be taken for one: it comes in an array.
    """
    data = document.data
    if _SOMETHING_ELSE.match(data) or b'"event"' not in data:
        return None
    fields = fields_of(data)
    event = fields.get("event", b"")
    if not event.startswith(b"{") or not fields.keys().isdisjoint({"events", "event_type"}):
        return None
    begin = data.rfind(event)
    if "event_type" not in fields_of(event):
        # The bracket stands where the colon does, so that the event is at its own place.
        begin, event = begin - 1, b"[" + event + b"]"
    return document.part(begin, event)


def _is_suspect(row: JsonRow | None, options: ReadOptions) -> bool:
    """Whether what seems to be a row, or nothing, may be an object around rows."""
    return row is None or row.cell is None or row.column != options.name or row.cell.startswith(b"{")


class DocumentReader:
    """Finds the batches in the documents of a source, which may be ingested rows."""

    def __init__(
        self, source: str, options: ReadOptions = DEFAULT, on_format: FormatCallback | None = None, *, row: int = 0
    ) -> None:
        self._source = source
        self._options = options
        self._on_format = on_format
        self.row = row  # number of the last one
        self.needs_context = False  # whether something would be read otherwise without the object around it

    def records(self, document: Document | Problem, *, is_within: bool = False) -> Iterator[Record]:
        """Yield the batch of a document, which may be a row, several on one line, or an object around some.

        `is_within` is whether an object was around it.
        """
        if isinstance(document, Problem):
            yield document
        elif _DEAD_LETTER.match(document.data) and (event := event_of_dead_letter(document)):
            yield Batch(event.data, event.location(self._source))
        else:
            yield from self._detected(document, is_within=is_within)

    def _detected(self, document: Document, *, is_within: bool) -> Iterator[Record]:
        data, column = document.data, self._options.name
        batch = batch_of_row(data, column)
        if batch is None and column == COLUMN and (other := column_of(data)) is not None:
            column, batch = other, batch_of_row(data, other)
        row = json_row(data, self._options.name, ingested=self._options.ingested) if batch is None else None
        if batch is SEVERAL_DOCUMENTS or row is SEVERAL_ROWS:
            for each in documents_in(data, document.location(self._source)):
                yield from self.records(each)
            return
        found = wrapped_rows(data) if batch is None and _is_suspect(row, self._options) else ()
        self.needs_context |= is_within and bool(found)
        if found and not is_within:
            for wrapped in found:
                yield from self._records_within(document, wrapped)
        elif batch is not None:
            yield from self._timed([Batch(batch, self._next_row(document, column))], data)
        elif row is not None:
            yield from self._timed(row.records(data, self._next_row(document, row.column)), data)
        elif (event := event_of_flat_row(data)) is not None:
            event = data if self._options.flat is Names.STREAMING else event
            yield from self._timed([Batch(event, self._next_row(document, None), is_streaming=True)], data)
        else:
            document = event_of_dead_letter(document) or document
            yield Batch(document.data, document.location(self._source), array=document.array)

    def _timed(self, records: Iterable[Record], row: bytes) -> Iterable[Record]:
        """Return the records of a row with its receive time, if it is needed."""
        if self._options.received is None:
            return records
        cells = fields_of(row) or dict(cells_of_truncated(row))
        return (received(record, cells.get(TIME)) for record in records)

    def _next_row(self, document: Document, column: str | None) -> Location:
        if self._on_format is not None:
            self._report(SourceFormat(form=OBJECTS, column=column))
        self.row += 1
        return document.location(self._source, self.row)

    def _report(self, source_format: SourceFormat) -> None:
        """Report the format of the first row."""
        on_format, self._on_format = self._on_format, None
        if on_format is not None:
            on_format(source_format)

    def _records_within(self, document: Document, wrapped: WrappedRows) -> Iterator[Record]:
        """Yield the records of rows or payloads within an object, or a problem where it has columns instead."""
        if wrapped.by_column:
            yield Problem(
                code=Code.UNKNOWN_FORM,
                location=document.location(self._source),
                message="unrecognized input: a pandas DataFrame by columns, not by rows",
                hint='Export it with `df.to_json(PATH, orient="records", lines=True)`.',
            )
            return
        arrays = ArrayRows(self._options, self._report)
        if wrapped.names is not None and list(arrays.records(wrapped.names, Location(source=""))):
            # They are not the names of columns.
            arrays = ArrayRows(self._options, self._report)
        begin = document.data.rfind(wrapped.text)
        found: Iterator[Document | Problem]
        if wrapped.text.startswith(b"["):
            found = documents_in(wrapped.text, document.part(begin, b"").location(self._source))
        else:
            found = (document.part(document.data.find(cell, begin), cell) for _, cell in cells_in(wrapped.text))
        for each in found:
            if isinstance(each, Document) and each.data.startswith(b"["):
                self.row += 1
                yield from arrays.records(each.data, each.location(self._source, self.row))
            else:
                yield from self.records(each, is_within=True)
