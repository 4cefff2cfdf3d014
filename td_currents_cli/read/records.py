"""The stream that every verb reads: sources in, batches and problems out. The form of a source is detected."""

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from itertools import count
from typing import Final, TypeAlias

from msgspec.structs import replace

from td_currents_cli.codes import Code
from td_currents_cli.model import Batch, Location, Problem, Record, Severity
from td_currents_cli.read import dead_letters
from td_currents_cli.read.compression import UnreadableError, decompressed, plain
from td_currents_cli.read.detect import Table, table_of
from td_currents_cli.read.documents import BYTE_ORDER_MARK, Document, documents, documents_in, lines, skip_mark
from td_currents_cli.read.options import COLUMN, DEFAULT, OBJECTS, From, ReadOptions, Shape
from td_currents_cli.read.rows import boxed, csv, flat, jsonl, msgpack, tsv
from td_currents_cli.read.rows.arrays import ArrayRows, holds_rows
from td_currents_cli.read.scanner import Scanner, is_json
from td_currents_cli.read.sources import Source
from td_currents_cli.read.talk import is_talk, skip_talk

Note: TypeAlias = Callable[[Shape], None]


def _ignore(_shape: Shape) -> None:
    pass


_UTF16_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")
_JSON_STARTS: Final = (b"{", b"[", b"")
_CELL_STARTS: Final = (*_JSON_STARTS, b'"')


def records(sources: Iterable[Source], options: ReadOptions = DEFAULT, note: Note = _ignore) -> Generator[Record]:
    """All batches of all sources in order, and a problem for each thing that could not be read.

    A source that cannot be read to its end gives what came before, then one `UNREADABLE` problem; the next source
    follows. Memory is bounded by the largest single document, not by the size of a source.

    Args:
        sources: where the bytes are.
        options: what is known of their form.
        note: told how each source of rows is read, when that is found out.
    """
    for source in sources:
        try:
            with closing(source.open()) as raw:
                scanner = Scanner(decompressed(raw))
                yield from _records(scanner, source, options, note)
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


def _records(scanner: Scanner, origin: Source, options: ReadOptions, note: Note) -> Iterator[Record]:
    source = origin.name
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
    talks = skip_talk(scanner)
    begin = _place(scanner, source)
    found = None if talks and not scanner.next_byte() else _of_form(scanner, source, options, note)
    if found is None:
        message = "no JSON, CSV, TSV or msgpack with a column that holds batches of events"
        hint = "Name the column or the form: --column NAME|NUMBER, --from csv."
        yield Problem(code=Code.UNKNOWN_FORM, location=begin, message=message, hint=hint)
        return
    yield from (record for record in found if not is_talk(record)) if talks else found
    if scanner.failure is not None:
        yield _unreadable(_place(scanner, source), scanner.failure)
    elif not first:
        yield _nothing(origin, begin)


def _nothing(origin: Source, begin: Location) -> Problem:
    if origin.empty is None:
        return Problem(code=Code.EMPTY_INPUT, location=begin, message="nothing to read: the input is empty")
    place = Location(source=origin.name)
    return Problem(code=Code.EMPTY_INPUT, severity=Severity.WARNING, location=place, message=origin.empty)


def _of_form(scanner: Scanner, source: str, options: ReadOptions, note: Note) -> Iterator[Record] | None:
    """The records of whatever form this is; None for none that is known."""
    first = scanner.next_byte()
    form = options.form
    if form is From.MSGPACK or (form is From.AUTO and msgpack.is_msgpack(first)):
        return msgpack.rows(scanner, source, options, note)
    if first == b"+" and boxed.is_boxed(scanner.peek_line()):
        return boxed.rows(scanner, source, options)
    if form is From.AUTO and first in _CELL_STARTS and tsv.begins_with_batch(scanner.peek_line()):
        options = replace(options, form=From.TSV)
        form = From.TSV
    is_json_form = form in {From.JSON, From.PAYLOAD} or (form is From.AUTO and first in _JSON_STARTS)
    if is_json_form:
        return _json_form(scanner, source, options, note)
    table = table_of(scanner, options)
    if table is not None:
        note(table.shape)
        return _table(scanner, source, table)
    if not first or (form is From.AUTO and is_json(scanner.peek_line())):
        return _json(scanner, source, count(1))
    return None


def _json_form(scanner: Scanner, source: str, options: ReadOptions, note: Note) -> Iterator[Record]:
    if options.form is not From.PAYLOAD and scanner.next_byte() == b"[":
        are_lines = holds_rows(scanner)
        if are_lines is not None:
            return _arrays(scanner, source, ArrayRows(options, note), are_lines=are_lines)
    column = options.column if isinstance(options.column, str) else COLUMN
    return _json(scanner, source, count(1), column, note)


def _table(scanner: Scanner, source: str, table: Table) -> Iterator[Record]:
    if table.header:
        # What stands before the header is white space.
        scanner.take_line()
    if table.column is None:
        return csv.flat_rows(csv.Lines(scanner, is_tsv=table.is_tsv), source, table.names)
    if table.is_tsv:
        return tsv.rows(scanner, source, table.column, len(table.names))
    return csv.rows(csv.Lines(scanner), source, table.names, column=table.column)


def _arrays(scanner: Scanner, source: str, rows: ArrayRows, *, are_lines: bool) -> Iterator[Record]:
    """Rows that are arrays, each on a line or all in an array; documents among them are read as such."""
    numbers = count(1)
    row = 0
    for document in lines(scanner) if are_lines else documents(scanner, source):
        if scanner.failure is not None and scanner.at_end and not _is_whole(document):
            return
        if isinstance(document, Problem) or not document.data.startswith(b"["):
            yield from of_document(document, source, numbers)
            continue
        record = rows.record(document.data, document.location(source, row + 1))
        if record is not None:
            row = next(numbers)
            yield record


def _json(
    scanner: Scanner, source: str, rows: Iterator[int], column: str = COLUMN, note: Note = _ignore
) -> Iterator[Record]:
    is_noted = False
    for document in documents(scanner, source):
        if scanner.failure is not None and scanner.at_end and not _is_whole(document):
            # The failure that tore the last document is reported, not the tear.
            return
        for record in of_document(document, source, rows, column):
            if not is_noted and record.location.row is not None and isinstance(document, Document):
                note(_shape_of(document, column))
                is_noted = True
            yield record


def _shape_of(document: Document, column: str) -> Shape:
    """How a row was read that is a JSON object."""
    is_there = jsonl.batch_of_row(document.data, column) is not None
    return Shape(form=OBJECTS, column=column if is_there else jsonl.column_of(document.data))


def of_document(
    document: Document | Problem, source: str, rows: Iterator[int], column: str = COLUMN
) -> Iterator[Record]:
    """The batch of a document, which may be an ingested row, or several of them on one line.

    Args:
        document: as it stands in the source.
        source: its name.
        rows: numbers for the ingested rows.
        column: name of the column that holds the batches.
    """
    if isinstance(document, Problem):
        yield document
        return
    batch = jsonl.batch_of_row(document.data, column)
    if batch is None and (other := jsonl.column_of(document.data)) is not None:
        batch = jsonl.batch_of_row(document.data, other)
    if batch is None:
        if (event := flat.event_of(document.data)) is not None:
            yield Batch(event, document.location(source, next(rows)))
            return
        document = dead_letters.event_of(document) or document
        yield Batch(document.data, document.location(source))
    elif batch is jsonl.SEVERAL:
        for each in documents_in(document.data, document.location(source)):
            yield from of_document(each, source, rows, column)
    else:
        yield Batch(batch, document.location(source, next(rows)))


def _is_whole(document: Document | Problem) -> bool:
    return isinstance(document, Document) and is_json(document.data)


def _place(scanner: Scanner, source: str) -> Location:
    return Location(source=source, line=scanner.line, column=scanner.column, offset=scanner.offset)


def _unreadable(location: Location, reason: str) -> Problem:
    return Problem(code=Code.UNREADABLE, location=location, message=reason)
