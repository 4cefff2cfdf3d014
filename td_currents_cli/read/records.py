"""The stream that every verb reads: sources in, batches and problems out. The form of a source is detected."""

from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing
from itertools import count
from typing import Final

from msgspec.structs import replace

from td_currents_cli.codes import Code
from td_currents_cli.model import Batch, Location, Problem, Record, Severity
from td_currents_cli.read.compression import UnreadableError, decompressed, plain
from td_currents_cli.read.detect import Table, has_returns_alone, table_of
from td_currents_cli.read.documents import BYTE_ORDER_MARK, Document, documents, lines, skip_mark
from td_currents_cli.read.objects import of_document, shape_of
from td_currents_cli.read.options import DEFAULT, FormatCallback, InputFormat, ReadOptions, SourceFormat
from td_currents_cli.read.rows import boxed, csv, msgpack, tsv
from td_currents_cli.read.rows.arrays import ArrayRows, holds_rows
from td_currents_cli.read.scanner import Scanner, is_json
from td_currents_cli.read.sources import Source
from td_currents_cli.read.talk import is_talk, skip_talk


def _ignore(_shape: SourceFormat) -> None:
    pass


_UTF16_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")
_JSON_STARTS: Final = (b"{", b"[", b"")
_CELL_STARTS: Final = (*_JSON_STARTS, b'"')


def records(
    sources: Iterable[Source], options: ReadOptions = DEFAULT, on_format: FormatCallback = _ignore
) -> Generator[Record]:
    """All batches of all sources in order, and a problem for each thing that could not be read.

    A source that cannot be read to its end gives what came before, then one `UNREADABLE` problem; the next source
    follows. Memory is bounded by the largest single document, not by the size of a source.

    Args:
        sources: where the bytes are.
        options: what is known of their form.
        on_format: told how each source of rows is read, when that is found out.
    """
    for source in sources:
        try:
            with closing(source.open()) as raw:
                scanner = Scanner(decompressed(raw))
                yield from _records(scanner, source, options, on_format)
        except (OSError, UnreadableError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            yield _unreadable(Location(source=source.name), reason or "cannot be read")


def records_from(
    source: Source, begin: Location, row: int, header: Sequence[str] | None, options: ReadOptions = DEFAULT
) -> Iterator[Record]:
    """What is left of a plain source of which the beginning has been read.

    Args:
        source: the whole of it.
        begin: where a document or a row begins that has not been read.
        row: the number of the ingested row before it.
        header: the columns of the rows, if the source is CSV; None for JSON.
        options: what is known of the form of JSON.
    """
    try:
        with closing(source.open()) as raw:
            raw.seek(begin.offset)
            scanner = Scanner(plain(raw), begin)
            if header is None:
                yield from _json(scanner, source.name, count(row + 1), options)
            else:
                yield from csv.rows(csv.Lines(scanner), source.name, header, row=row)
            if scanner.failure is not None:
                yield _unreadable(_place(scanner, source.name), scanner.failure)
    except OSError as error:
        yield _unreadable(begin, error.strerror or "cannot be read")


def _records(scanner: Scanner, origin: Source, options: ReadOptions, on_format: FormatCallback) -> Iterator[Record]:
    source = origin.name
    head = scanner.head(3)
    mark = skip_mark(scanner, source) if head == BYTE_ORDER_MARK else None
    if head.startswith(_UTF16_MARKS):
        yield Problem(
            code=Code.NOT_UTF8,
            location=Location(source=source, line=1, column=1),
            message="the text is UTF-16, not UTF-8",
            hint="Convert the file: iconv -f UTF-16 -t UTF-8.",
        )
        return
    first = scanner.next_byte()
    if mark is not None:
        yield mark if first in _JSON_STARTS else replace(mark, message="the text begins with a byte order mark")
    talks = skip_talk(scanner)
    begin = _place(scanner, source)
    found = None if talks and not scanner.next_byte() else _of_form(scanner, source, options, on_format)
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


def _of_form(scanner: Scanner, source: str, options: ReadOptions, on_format: FormatCallback) -> Iterator[Record] | None:
    """The records of whatever form this is; None for none that is known."""
    first = scanner.next_byte()
    form = options.form
    if form is InputFormat.MSGPACK or (form is InputFormat.AUTO and msgpack.is_msgpack(first)):
        return msgpack.rows(scanner, source, options, on_format)
    if first == b"+" and boxed.is_boxed(scanner.peek_line()):
        return boxed.rows(scanner, source, options, on_format)
    if form is InputFormat.AUTO and first in _CELL_STARTS and tsv.begins_with_batch(scanner.peek_line()):
        options = replace(options, form=InputFormat.TSV)
        form = InputFormat.TSV
    is_json_form = form in {InputFormat.JSON, InputFormat.PAYLOAD} or (
        form is InputFormat.AUTO and first in _JSON_STARTS
    )
    if is_json_form:
        return _json_form(scanner, source, options, on_format)
    found = _of_lines(scanner, source, options, on_format)
    if found is None and (not first or (form is InputFormat.AUTO and is_json(scanner.peek_line()))):
        return _json(scanner, source, count(1), options)
    return found


def _json_form(scanner: Scanner, source: str, options: ReadOptions, on_format: FormatCallback) -> Iterator[Record]:
    if options.form is not InputFormat.PAYLOAD and scanner.next_byte() == b"[":
        are_lines = holds_rows(scanner)
        if are_lines is not None:
            return _arrays(scanner, source, ArrayRows(options, on_format), options, are_lines=are_lines)
    if options.form is InputFormat.PAYLOAD:
        options = replace(options, ingested=False)
    return _json(scanner, source, count(1), options, on_format)


def _of_lines(
    scanner: Scanner, source: str, options: ReadOptions, on_format: FormatCallback
) -> Iterator[Record] | None:
    if has_returns_alone(scanner.sample()):
        return iter([_returns_alone(_place(scanner, source))])
    table = table_of(scanner, options)
    if table is None:
        return None
    on_format(table.shape)
    return _table(scanner, source, table)


def _table(scanner: Scanner, source: str, table: Table) -> Iterator[Record]:
    if table.header:
        # What stands before the header is white space.
        scanner.take_line()
    if table.column is None:
        return csv.flat_rows(csv.Lines(scanner, is_tsv=table.is_tsv), source, table.names, escaped=table.escaped)
    if table.is_tsv:
        return tsv.rows(scanner, source, table.column, len(table.names))
    return csv.rows(csv.Lines(scanner), source, table.names, column=table.column)


def _arrays(
    scanner: Scanner, source: str, rows: ArrayRows, options: ReadOptions, *, are_lines: bool
) -> Iterator[Record]:
    """Rows that are arrays, each on a line or all in an array; documents among them are read as such."""
    numbers = count(1)
    row = 0
    for document in lines(scanner) if are_lines else documents(scanner, source):
        if isinstance(document, Problem) or not document.data.startswith(b"["):
            found = list(of_document(document, source, numbers, options))
        elif found := list(rows.records(document.data, document.location(source, row + 1))):
            row = next(numbers)
        yield from _left(found) if _is_torn(document, scanner) else found


def _json(
    scanner: Scanner, source: str, rows: Iterator[int], options: ReadOptions, on_format: FormatCallback = _ignore
) -> Iterator[Record]:
    is_noted = False
    for document in documents(scanner, source):
        found = of_document(document, source, rows, options)
        for record in _left(found) if _is_torn(document, scanner) else found:
            if not is_noted and record.location.row is not None and isinstance(document, Document):
                on_format(shape_of(document, options))
                is_noted = True
            yield record


def _is_torn(document: Document | Problem, scanner: Scanner) -> bool:
    """Whether a document is cut off because the source could not be read any further."""
    is_last = scanner.failure is not None and scanner.at_end
    return is_last and not (isinstance(document, Document) and is_json(document.data))


def _left(found: Iterable[Record]) -> Iterator[Record]:
    """What can be had of a torn document: the batch of a row. The failure that tore it is reported, not the tear."""
    return (record for record in found if isinstance(record, Batch) and record.location.row is not None)


def _place(scanner: Scanner, source: str) -> Location:
    return Location(source=source, line=scanner.line, column=scanner.column, offset=scanner.offset)


def _returns_alone(place: Location) -> Problem:
    message = "the lines end with carriage returns alone, which no reader of CSV or TSV takes for line ends"
    hint = "Convert the file: tr '\\r' '\\n' < FILE."
    return Problem(code=Code.UNKNOWN_FORM, location=place, message=message, hint=hint)


def _unreadable(location: Location, reason: str) -> Problem:
    return Problem(code=Code.UNREADABLE, location=location, message=reason)
