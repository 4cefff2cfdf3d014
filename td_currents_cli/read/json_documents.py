"""JSON as one document after another, however they are arranged.

A single document; documents one after another, each on a line (JSON Lines) or pretty-printed; a JSON array of
documents. The arrangement may change within a source (`cat *.json`). A malformed document is delivered unchanged, and
reading goes on with the next one.
"""

import re
from collections import deque
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Final

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from td_currents_cli.model import Batch, Code, Location, Problem, Record, Severity
from td_currents_cli.read.formats.cell import cells_in
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
from td_currents_cli.read.options import DEFAULT, OBJECTS, FormatCallback, ReadOptions, SourceFormat
from td_currents_cli.read.scanner import SPACE, SURROGATE, Scanner, code_points

BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


class Document(Struct, frozen=True, gc=False):
    data: bytes
    line: int
    column: int
    offset: int

    def location(self, source: str, row: int | None = None) -> Location:
        return Location(source=source, line=self.line, column=self.column, row=row, offset=self.offset)

    def part(self, begin: int, text: bytes) -> "Document":
        """Return a document that stands for what begins at that byte, at its own place."""
        before = self.data[:begin]
        line_ends = before.count(b"\n")
        column = code_points(before[before.rfind(b"\n") + 1 :]) + (1 if line_ends else self.column)
        return Document(text, self.line + line_ends, column, self.offset + begin)


def documents(scanner: Scanner, source: str) -> Iterator[Document | Problem]:
    """Yield all documents that are left in the scanner.

    Several objects on one line come as one document: telling them apart would mean decoding every line twice. The
    decoder finds out, and calls `documents_in`.
    """
    return _documents(scanner, source, take_object)


def lines(scanner: Scanner) -> Iterator[Document]:
    """Yield all lines that are left in the scanner, except blank ones, each as a document."""
    while scanner.next_byte():
        line, column, offset = scanner.line, scanner.column, scanner.offset
        yield Document(scanner.take_line().rstrip(SPACE), line, column, offset)


def documents_in(text: bytes, begin: Location) -> Iterator[Document | Problem]:
    """Yield each document of a line, well-formed or not, that turned out to contain several; it stands at `begin`."""
    return _documents(Scanner(BytesIO(text), begin), begin.source, _take_value)


def _documents(scanner: Scanner, source: str, take_object: Callable[[Scanner], bytes]) -> Iterator[Document | Problem]:
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


def take_object(scanner: Scanner) -> bytes:
    """Take what begins with `{`: the rest of the line if it may be a complete object, else one value."""
    return scanner.take_object_line() or _take_value(scanner)


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


def _take_value(scanner: Scanner) -> bytes:
    return scanner.take_value() or scanner.take_damaged()


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
        yield Document(value or scanner.take_damaged(), line, column, offset)
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


_SOMETHING_ELSE: Final = re.compile(rb'\{\s*"event(?:s|_type)"\s*:')
"""How payloads and most bare events begin: they are not examined further."""


class _DeadLetter(msgspec.Struct, gc=False):
    event_type: Raw | UnsetType = UNSET
    event: Raw | UnsetType = UNSET
    events: Raw | UnsetType = UNSET


_dead_letter: Final = msgspec.json.Decoder(_DeadLetter)


def event_of_dead_letter(document: Document) -> Document | None:
    """Return the event in a dead letter, at its own place; None for anything else.

    An event without `event_type` would not be taken for one: it comes in an array.
    """
    data = document.data
    if _SOMETHING_ELSE.match(data) or b'"event"' not in data:
        return None
    # Only places are taken from this copy: msgspec stops at a lone surrogate, which an event may contain.
    shown = SURROGATE.sub(rb"\\u0041", data) if b"\\u" in data else data
    try:
        letter = _dead_letter.decode(shown)
        if letter.event is UNSET or letter.events is not UNSET or letter.event_type is not UNSET:
            return None
        event = bytes(letter.event)
        has_type = _dead_letter.decode(event).event_type is not UNSET
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    begin = shown.rfind(event)
    found = data[begin : begin + len(event)]
    if not has_type:
        # The bracket stands where the colon does, so that the event is at its own place.
        begin, found = begin - 1, b"[" + found + b"]"
    return document.part(begin, found)


def _records_within(
    document: Document, wrapped: WrappedRows, source: str, rows: Iterator[int], options: ReadOptions
) -> Iterator[Record]:
    """Yield the records of rows or payloads within an object around them, or a problem where it has columns instead."""
    if wrapped.by_column:
        yield Problem(
            code=Code.UNKNOWN_FORM,
            location=document.location(source),
            message="unrecognized input: a pandas DataFrame by columns, not by rows",
            hint='Export it with `df.to_json(PATH, orient="records", lines=True)`.',
        )
        return
    arrays = _arrays_of(wrapped, options)
    for each in _documents_within(document, wrapped, source):
        if isinstance(each, Document) and each.data.startswith(b"["):
            yield from arrays.records(each.data, each.location(source, next(rows)))
        else:
            yield from of_document(each, source, rows, options, is_within=True)


def _documents_within(document: Document, wrapped: WrappedRows, source: str) -> Iterator[Document | Problem]:
    begin = document.data.rfind(wrapped.text)
    if wrapped.text.startswith(b"["):
        return documents_in(wrapped.text, document.part(begin, b"").location(source))
    return (document.part(document.data.find(cell, begin), cell) for _, cell in cells_in(wrapped.text))


def _arrays_of(wrapped: WrappedRows, options: ReadOptions, on_format: FormatCallback = lambda _: None) -> ArrayRows:
    arrays = ArrayRows(options, on_format)
    if wrapped.names is not None and not list(arrays.records(wrapped.names, Location(source=""))):
        return arrays
    return ArrayRows(options, on_format)


def _is_suspect(row: JsonRow | None, options: ReadOptions) -> bool:
    """Whether what seems to be a row, or nothing, may be an object around rows."""
    return row is None or (row.cell is not None and (row.column != options.name or row.cell.startswith(b"{")))


def of_document(
    document: Document | Problem,
    source: str,
    rows: Iterator[int],
    options: ReadOptions = DEFAULT,
    *,
    is_within: bool = False,
) -> Iterator[Record]:
    """Yield the batch of a document, which may be an ingested row, several on one line, or an object around some.

    `rows` numbers the ingested rows; `is_within` is whether an object was around this one already.
    """
    if isinstance(document, Problem):
        yield document
        return
    data = document.data
    batch = batch_of_row(data, options.name)
    if batch is None and (other := column_of(data)) is not None:
        batch = batch_of_row(data, other)
    row = json_row(data, options.name, ingested=options.ingested) if batch is None else None
    if batch is SEVERAL_DOCUMENTS or row is SEVERAL_ROWS:
        for each in documents_in(data, document.location(source)):
            yield from of_document(each, source, rows, options)
    elif batch is None and not is_within and _is_suspect(row, options) and (found := wrapped_rows(data)):
        for wrapped in found:
            yield from _records_within(document, wrapped, source, rows, options)
    elif batch is not None:
        yield Batch(batch, document.location(source, next(rows)))
    elif row is not None:
        yield from row.records(data, document.location(source, next(rows)))
    elif (event := event_of_flat_row(data)) is not None:
        yield Batch(event, document.location(source, next(rows)), is_streaming=True)
    else:
        document = event_of_dead_letter(document) or document
        yield Batch(document.data, document.location(source))


def format_of(document: Document, options: ReadOptions, *, is_within: bool = False) -> SourceFormat:
    """Return how a row that is a JSON object was read, or the first of those within it."""
    if batch_of_row(document.data, options.name) is not None:
        return SourceFormat(form=OBJECTS, column=options.name)
    column = column_of(document.data)
    row = json_row(document.data, options.name, ingested=options.ingested) if column is None else None
    if column is None and not is_within and _is_suspect(row, options):
        formats: list[SourceFormat] = []
        for wrapped in wrapped_rows(document.data):
            arrays = _arrays_of(wrapped, options, formats.append)
            for each in _documents_within(document, wrapped, ""):
                if isinstance(each, Document) and each.data.startswith(b"["):
                    deque(arrays.records(each.data, each.location("")), maxlen=0)
                elif isinstance(each, Document):
                    formats.append(format_of(each, options, is_within=True))
                if formats:
                    return formats[0]
    return SourceFormat(form=OBJECTS, column=column if row is None else row.column)
