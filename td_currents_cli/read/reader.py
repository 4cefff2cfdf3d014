"""The stream that every command reads: sources in, batches and problems out. The format of a source is detected."""

import re
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing
from itertools import count
from typing import Final

from msgspec.structs import replace

from td_currents_cli.model import Batch, Code, Location, Problem, Record, Severity
from td_currents_cli.read.compression import UnreadableError, decompressed, plain
from td_currents_cli.read.detect import Table, has_returns_alone, table_of
from td_currents_cli.read.formats.delimited import RowLines, begins_with_batch, csv_rows, flat_rows, tsv_rows
from td_currents_cli.read.formats.json_arrays import ArrayRows, is_row_per_line
from td_currents_cli.read.formats.msgpack import is_msgpack, msgpack_rows
from td_currents_cli.read.formats.terminal_table import is_table_border, terminal_table_rows
from td_currents_cli.read.json_documents import (
    BYTE_ORDER_MARK,
    Document,
    documents,
    format_of,
    lines,
    of_document,
    skip_mark,
)
from td_currents_cli.read.options import DEFAULT, FormatCallback, InputFormat, ReadOptions, SourceFormat
from td_currents_cli.read.scanner import Scanner, is_json
from td_currents_cli.read.sources import Source

_BEGINNING: Final = re.compile(rb"Job \d+ is queued\.|JobID +: |Status +: |Use '\$ td job:show")
_PROGRESS: Final = re.compile(rb"\s*WARNING: the \w+ result is being downloaded")
_RESULT: Final = re.compile(rb"Result +: *$")
_STATUS_LINE: Final = re.compile(rb"\s*(?:\d+ rows? in set|Use '-v' option .*|Job \d+ .*|[A-Z][A-Za-z ]* : .*)\s*")
_MAX_STATUS_LINES: Final = 200  # before the rows; a query's log may be among them


def skip_job_status(scanner: Scanner) -> bool:
    """Skip status lines up to the rows; whether there were any."""
    if not _BEGINNING.match(scanner.peek_line()):
        return False
    for _ in range(_MAX_STATUS_LINES):
        if not scanner.head(1) or _RESULT.match(scanner.take_line().rstrip(b"\r")):
            break
    _skip_progress(scanner)
    return True


def _skip_progress(scanner: Scanner) -> None:
    while True:
        line = scanner.peek_line().rstrip()
        printed_over, _, shown = line.rpartition(b"\r")
        if is_table_border(shown) and printed_over:
            scanner.skip(len(line) - len(shown))
        if not _PROGRESS.match(line) or is_table_border(shown):
            return
        scanner.take_line()


def is_job_status(record: Record) -> bool:
    """Whether a record is a status line after the rows."""
    text = record.data if isinstance(record, Batch) else record.raw
    return text is not None and len(text) < 300 and _STATUS_LINE.fullmatch(text) is not None


_UTF16_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")
_JSON_STARTS: Final = (b"{", b"[", b"")
_CELL_STARTS: Final = (*_JSON_STARTS, b'"')


def _ignore(_format: SourceFormat) -> None:
    pass


def records(
    sources: Iterable[Source], options: ReadOptions = DEFAULT, on_format: FormatCallback = _ignore
) -> Generator[Record]:
    """Yield all batches of all sources in order, and a problem for each thing that could not be read.

    A source that cannot be read to its end gives what came before, then one `UNREADABLE` problem; the next source
    follows. Memory is bounded by the largest single document, not by the size of a source.
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
    """Yield the rest of a plain source whose beginning has been read.

    The first unread document or row is at `begin`; `row` is the number of the row before it. `header` is None for JSON.
    """
    try:
        with closing(source.open()) as raw:
            raw.seek(begin.offset)
            scanner = Scanner(plain(raw), begin)
            if header is None:
                yield from _json(scanner, source.name, count(row + 1), options)
            else:
                yield from csv_rows(RowLines(scanner), source.name, header, row=row)
            if scanner.failure is not None:
                yield _unreadable(scanner.location(source.name), scanner.failure)
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
            message="the input is UTF-16, not UTF-8",
            hint="Convert the file: iconv -f UTF-16 -t UTF-8.",
        )
        return
    first = scanner.next_byte()
    if mark is not None:
        yield mark if first in _JSON_STARTS else replace(mark, message="the input begins with a byte order mark")
    has_status = skip_job_status(scanner)
    begin = scanner.location(source)
    found = None if has_status and not scanner.next_byte() else _detected(scanner, source, options, on_format)
    if found is None:
        yield Problem(
            code=Code.UNKNOWN_FORM,
            location=begin,
            message="unrecognized input: not JSON, and no column of a CSV, TSV or msgpack table contains event batches",
            hint="Name the column or the format: --column NAME|NUMBER, --from csv.",
        )
        return
    yield from (record for record in found if not is_job_status(record)) if has_status else found
    if scanner.failure is not None:
        yield _unreadable(scanner.location(source), scanner.failure)
    elif first:
        return
    elif origin.empty is None:
        yield Problem(code=Code.EMPTY_INPUT, location=begin, message="nothing to read: the input is empty")
    else:
        place = Location(source=source)
        yield Problem(code=Code.EMPTY_INPUT, severity=Severity.WARNING, location=place, message=origin.empty)


def _detected(
    scanner: Scanner, source: str, options: ReadOptions, on_format: FormatCallback
) -> Iterator[Record] | None:
    """Return the records in whatever format this is; None where it is not recognized."""
    first = scanner.next_byte()
    form = options.form
    is_auto = form is InputFormat.AUTO
    if form is InputFormat.MSGPACK or (is_auto and is_msgpack(first)):
        return msgpack_rows(scanner, source, options, on_format)
    if first == b"+" and is_table_border(scanner.peek_line()):
        return terminal_table_rows(scanner, source, options, on_format)
    if is_auto and first in _CELL_STARTS and begins_with_batch(scanner.peek_line()):
        options = replace(options, form=InputFormat.TSV)
        is_auto = False
    if form in {InputFormat.JSON, InputFormat.PAYLOAD} or (is_auto and first in _JSON_STARTS):
        return _json_format(scanner, source, options, on_format)
    if has_returns_alone(scanner.sample()):
        return iter([_returns_alone(scanner.location(source))])
    table = table_of(scanner, options)
    if table is None:
        is_scalar = not first or (is_auto and is_json(scanner.peek_line()))
        return _json(scanner, source, count(1), options) if is_scalar else None
    on_format(table.source_format)
    return _table(scanner, source, table, flat=options.flat)


def _json_format(scanner: Scanner, source: str, options: ReadOptions, on_format: FormatCallback) -> Iterator[Record]:
    if options.form is InputFormat.PAYLOAD:
        return _json(scanner, source, count(1), replace(options, ingested=False), on_format)
    per_line = is_row_per_line(scanner) if scanner.next_byte() == b"[" else None
    if per_line is None:
        return _json(scanner, source, count(1), options, on_format)
    return _arrays(scanner, source, ArrayRows(options, on_format), options, per_line=per_line)


def _table(scanner: Scanner, source: str, table: Table, *, flat: bool) -> Iterator[Record]:
    lines = RowLines(scanner, is_tsv=table.is_tsv)
    if table.header:
        # What stands before the header is white space.
        lines.skip_header(table.names)
    if table.column is None:
        return flat_rows(lines, source, table.names, escaped=table.escaped, quoted=table.quoted, flat=flat)
    if table.is_tsv:
        return tsv_rows(scanner, source, table.column, len(table.names))
    return csv_rows(lines, source, table.names, column=table.column)


def _arrays(
    scanner: Scanner, source: str, rows: ArrayRows, options: ReadOptions, *, per_line: bool
) -> Iterator[Record]:
    """Yield the batches of rows that are arrays; documents among them are read as such."""
    numbers = count(1)
    row = 0
    for document in lines(scanner) if per_line else documents(scanner, source):
        if isinstance(document, Problem) or not document.data.startswith(b"["):
            found = list(of_document(document, source, numbers, options))
        elif found := list(rows.records(document.data, document.location(source, row + 1))):
            row = next(numbers)
        yield from _recovered(found) if _is_truncated_by_failure(document, scanner) else found


def _json(
    scanner: Scanner, source: str, rows: Iterator[int], options: ReadOptions, on_format: FormatCallback = _ignore
) -> Iterator[Record]:
    is_reported = False
    for document in documents(scanner, source):
        found = of_document(document, source, rows, options)
        for record in _recovered(found) if _is_truncated_by_failure(document, scanner) else found:
            if not is_reported and record.location.row is not None and isinstance(document, Document):
                on_format(format_of(document, options))
                is_reported = True
            yield record


def _is_truncated_by_failure(document: Document | Problem, scanner: Scanner) -> bool:
    is_last = scanner.failure is not None and scanner.at_end
    return is_last and not (isinstance(document, Document) and is_json(document.data))


def _recovered(found: Iterable[Record]) -> Iterator[Record]:
    """Yield the batches of a truncated row. The failure that truncated it is reported, not the truncation."""
    return (record for record in found if isinstance(record, Batch) and record.location.row is not None)


def _returns_alone(place: Location) -> Problem:
    message = "the lines end with carriage returns only, which CSV and TSV readers do not accept as line ends"
    hint = "Convert the file: tr '\\r' '\\n' < FILE."
    return Problem(code=Code.UNKNOWN_FORM, location=place, message=message, hint=hint)


def _unreadable(location: Location, reason: str) -> Problem:
    return Problem(code=Code.UNREADABLE, location=location, message=reason)
