"""The stream that every command reads: sources in, batches and problems out. The format of a source is detected."""

import re
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing
from itertools import chain, islice
from typing import BinaryIO, Final

from msgspec.structs import replace

from td_currents_cli.model import UNREADABLE_CODES, Batch, Code, Location, Problem, Record, Severity
from td_currents_cli.patterns import pattern
from td_currents_cli.read.compression import Contents, UnreadableError, contents_of, plain
from td_currents_cli.read.detect import names_of, table_of
from td_currents_cli.read.formats.avro import MAGIC as AVRO_MAGIC
from td_currents_cli.read.formats.avro import avro_batches
from td_currents_cli.read.formats.delimited import (
    RowLines,
    Table,
    begins_with_batch,
    begins_with_name,
    csv_rows,
    table_rows,
)
from td_currents_cli.read.formats.json_arrays import ArrayRows, is_row_per_line
from td_currents_cli.read.formats.msgpack import FIRST_BYTES, msgpack_rows
from td_currents_cli.read.formats.terminal_table import is_table_border, terminal_table_rows
from td_currents_cli.read.json_documents import BYTE_ORDER_MARK, Document, DocumentReader, documents, lines, skip_mark
from td_currents_cli.read.missing_column import columns_hint
from td_currents_cli.read.options import (
    DEFAULT,
    ENDINGS,
    FormatCallback,
    InputFormat,
    ReadOptions,
    Source,
    SourceFormat,
)
from td_currents_cli.read.scanner import Scanner, TooLargeError, is_json

_BEGINNING: Final = pattern(rb"Job \d+ is queued\.|JobID +: |Status +: |Use '\$ td job:show")
_PROGRESS: Final = pattern(rb"\s*WARNING: the \w+ result is being downloaded")
_RESULT: Final = pattern(rb"Result +: *$")
_STATUS_LINE: Final = pattern(rb"\s*(?:\d+ rows? in set|Use '-v' option .*|Job \d+ .*|[A-Z][A-Za-z ]* : .*)\s*")
_MAX_STATUS_LINES: Final = 200  # before the rows; a query's log may be among them


def skip_job_status(scanner: Scanner) -> bool:
    """Skip status lines up to the rows; whether there were any."""
    if not _BEGINNING.match(scanner.peek_line()):
        return False
    for _ in range(_MAX_STATUS_LINES):
        if not scanner.head(1) or _RESULT.match(scanner.take_line().rstrip(b"\r")):
            break
    while True:
        line = scanner.peek_line().rstrip()
        printed_over, _, shown = line.rpartition(b"\r")
        if is_table_border(shown) and printed_over:
            scanner.skip(len(line) - len(shown))
        if not _PROGRESS.match(line) or is_table_border(shown):
            return True
        scanner.take_line()


def is_job_status(record: Record) -> bool:
    """Whether a record is a status line after the rows."""
    text = record.data if isinstance(record, Batch) else record.raw
    return text is not None and len(text) < 300 and _STATUS_LINE.fullmatch(text) is not None


_JSON_STARTS: Final = (b"{", b"[", b"")
_CELL_STARTS: Final = (*_JSON_STARTS, b'"')
_SAMPLE_RECORDS: Final = 100  # in which an event is looked for


def _ignore(_format: SourceFormat) -> None:
    pass


def records(
    sources: Iterable[Source], options: ReadOptions = DEFAULT, on_format: FormatCallback = _ignore
) -> Generator[Record]:
    """Yield all batches of all sources in order, and a problem for each thing that could not be read.

    A source that cannot be read to its end gives what came before, then one problem of `UNREADABLE_CODES`; the next
    source follows. Memory is bounded by the largest single document, not by the size of a source.
    """
    for source in sources:
        if source.note is not None:
            yield _note(source.name, source.note, source.note_code)
            continue
        try:
            with closing(source.open()) as raw:
                if source.progress is not None:
                    source.progress.follow(source, raw)
                known = replace(options, event_type=source.event_type) if source.event_type else options
                yield from _source_records(raw, source, known, on_format)
        except (OSError, UnreadableError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            yield _unreadable(Location(source=source.name), reason or "cannot be read")


def _source_records(raw: BinaryIO, source: Source, options: ReadOptions, on_format: FormatCallback) -> Iterator[Record]:
    is_empty = True
    hidden: list[str] = []
    without_events: list[str] = []
    for contents in contents_of(raw, source.name):
        name = contents.name.removeprefix(source.name)
        if name and (re.search(r"/(?:\.|__MACOSX/)", name) is not None):
            hidden.append(name[1:])
            continue
        scanner = Scanner(contents.stream, limit=source.max_document_size)
        found = _with_limit(scanner, contents.name, _records(scanner, contents, source.empty, options, on_format))
        if name and not name.lower().endswith(ENDINGS):
            sample = list(islice(found, _SAMPLE_RECORDS))
            if not contains_events(sample):
                without_events.append(name[1:])
                continue
            found = chain(sample, found)
        is_empty = False
        yield from found
    if note := left_out(hidden, without_events):
        yield _note(source.name, note, Code.LEFT_OUT)
    if is_empty:
        message = "nothing to read: the archive contains no events"
        yield Problem(code=Code.EMPTY_INPUT, location=Location(source=source.name), message=message)


def _with_limit(scanner: Scanner, source: str, records: Iterable[Record]) -> Iterator[Record]:
    """Yield records up to a document that is too large, then the problem of it: what follows is not read."""
    try:
        yield from records
    except TooLargeError as error:
        size = scanner.limit
        limit = f"{size >> 20} MiB" if size % (1 << 20) == 0 else f"{size} bytes"
        yield Problem(
            code=Code.DOCUMENT_TOO_LARGE,
            location=error.place or scanner.location(source),
            message=f"the document or row that begins here is larger than {limit}: the rest of the input is not read",
            hint="If there is enough memory, use a larger --max-document-size.",
        )


def contains_events(records: Iterable[Record]) -> bool:
    """Whether there are rows or events among the first records of a source, or it cannot be told."""
    for record in islice(records, _SAMPLE_RECORDS):
        if isinstance(record, Batch) and (record.location.row is not None or b'"event' in record.data):
            return True
        if isinstance(record, Problem) and (record.code in UNREADABLE_CODES or record.message.startswith(CONTAINER)):
            return True
    return False


def left_out(hidden: Sequence[str], without_events: Sequence[str]) -> str | None:
    """Say which files of a folder or an archive are not read; None if all are."""
    parts = [
        f"{len(names)} {reason} ({', '.join(sorted(names)[:3])}{', …' if len(names) > 3 else ''})"
        for names, reason in ((hidden, "hidden"), (without_events, "without events"))
        if names
    ]
    total = len(hidden) + len(without_events)
    return f"{total} file{'s' if total > 1 else ''} left out: {', '.join(parts)}" if parts else None


def _note(name: str, note: str, code: Code) -> Problem:
    return Problem(code=code, severity=Severity.INFO, location=Location(source=name), message=note)


def records_from(
    source: Source, begin: Location, row: int, table: Table | None, options: ReadOptions = DEFAULT
) -> Iterator[Record]:
    """Yield the rest of a plain source whose beginning has been read.

    The first unread document or row is at `begin`; `row` is the number of the row before it. `table` is None for JSON.
    """
    try:
        with closing(source.open()) as raw:
            raw.seek(begin.offset)
            if source.progress is not None:
                source.progress.follow(source, raw)
            scanner = Scanner(plain(raw), begin, limit=source.max_document_size)
            if table is None:
                found = _json(scanner, source.name, options, row=row)
            else:
                found = csv_rows(RowLines(scanner), source.name, table, row=row)
            yield from _with_limit(scanner, source.name, found)
            if scanner.failure is not None:
                yield _unreadable(scanner.location(source.name), scanner.failure)
    except OSError as error:
        yield _unreadable(begin, error.strerror or "cannot be read")


def _records(
    scanner: Scanner, contents: Contents, empty: str | None, options: ReadOptions, on_format: FormatCallback
) -> Iterator[Record]:
    source = contents.name
    mark = skip_mark(scanner, source) if scanner.head(3) == BYTE_ORDER_MARK else None
    first = scanner.next_byte()
    if mark is not None:
        yield mark if first in _JSON_STARTS else replace(mark, message="the input begins with a byte order mark")
    if contents.encoding != "UTF-8":
        yield Problem(
            code=Code.BYTE_ORDER_MARK,
            severity=Severity.WARNING,
            location=Location(source=source, line=1, column=1),
            message=f"the input is {contents.encoding}, not UTF-8; it was converted",
            hint="Save the file as UTF-8 for tools that do not convert it.",
        )
    has_status = skip_job_status(scanner)
    begin = scanner.location(source)
    found = None
    if options.form is InputFormat.PARQUET or (scanner.head(4) == b"PAR1" and _is_parquet(scanner, options)):
        from td_currents_cli.read.formats.parquet import parquet_rows  # noqa: PLC0415 -- few inputs are

        found = parquet_rows(scanner, contents.file, source, options, on_format)
    elif not has_status or scanner.next_byte():
        found = _detected(scanner, source, options, on_format)
    if found is None:
        message, hint = _missing_column(scanner, options) or unrecognized(scanner.head(_RECOGNIZED))
        yield Problem(code=Code.UNKNOWN_FORM, location=begin, message=message, hint=hint)
        return
    rows = (record for record in found if not is_job_status(record)) if has_status else found
    yield from rows if options.received is None else options.received.select(rows, source)
    if scanner.failure is not None:
        yield _unreadable(scanner.location(source), scanner.failure)
    elif first:
        return
    elif empty is None:
        yield Problem(code=Code.EMPTY_INPUT, location=begin, message="nothing to read: the input is empty")
    else:
        place = Location(source=source)
        yield Problem(code=Code.EMPTY_INPUT, severity=Severity.WARNING, location=place, message=empty)


def _is_parquet(scanner: Scanner, options: ReadOptions) -> bool:
    """Whether binary data follows, so that this is not text that begins with the same letters."""
    return options.form is InputFormat.AUTO and re.search(_BINARY, scanner.peek_line()[:_RECOGNIZED]) is not None


_RECOGNIZED: Final = 1 << 12  # bytes that tell what an input is that cannot be read
CONTAINER: Final = "the input is in a format that tdcur does not read"
_BINARY: Final = rb"[\0-\x08\x0e-\x1a\x1c-\x1f]"
_NO_TABLE: Final = rb"//|/\*|<(?:!|\?|html|HTML|[A-Za-z][\w:.-]*>)|(?s:(?:PAR1|ORC|PK).{0,1000}?\0)"
_OFFICE: Final = f"{CONTAINER}: an Excel workbook or another Office document"
_NAMED: Final = (
    (rb"PARE", f"{CONTAINER}: Parquet whose columns are encrypted", ""),
    (AVRO_MAGIC, "the input is Avro, not the format that --from requires", "Remove --from."),
    (rb"ORC", f"{CONTAINER}: ORC", ""),
    (rb"PK|\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", _OFFICE, "Save it as CSV."),
    (rb"7z\xbc\xaf\x27\x1c", f"{CONTAINER}: a 7z archive", "Extract it: 7z x FILE."),
    (rb"Rar!\x1a\x07", f"{CONTAINER}: a RAR archive", "Extract it."),
    (rb"\x04\x22\x4d\x18", f"{CONTAINER}: LZ4", "Decompress it: lz4 -d FILE."),
    (rb"\xff\x06\0\0sNaPpY", f"{CONTAINER}: Snappy", ""),
    (rb"SQLite format 3\0", "the input is a SQLite database, not events", ""),
    (rb"(?s:.{257})ustar", f"{CONTAINER}: a tar archive", "Extract it: tar -xf FILE."),
    (
        rb"(?i)<(?:!doctype html|html|head|body)",
        "the input is HTML (a web page, perhaps to sign in), not events",
        "",
    ),
    (rb"<(?:\?xml|!--|[A-Za-z][\w:.-]*[\s/>])", "the input is XML, not events", ""),
    (rb"//|/\*|#|--", "the input begins with a comment, which is not allowed in JSON or CSV", "Remove the comment."),
    (rb"(?s:.*?)" + _BINARY, "unrecognized input: binary data in a format that tdcur does not read", ""),
)
"""What else an input may be, by its first bytes, and a hint where there is one that helps."""


def unrecognized(head: bytes) -> tuple[str, str]:
    """Return what an input is that begins like this, and what to do, if anything helps."""
    for start, message, hint in _NAMED:
        if re.match(start, head):
            return message, hint
    message = "unrecognized input: not JSON, and no column of a CSV, TSV or msgpack table contains event batches"
    is_table = b"," in head or b"\t" in head
    return message, "Name the column or the format: --column NAME|NUMBER, --from csv." if is_table else ""


def _missing_column(scanner: Scanner, options: ReadOptions) -> tuple[str, str] | None:
    """Return what is wrong, and what to do, where only the column that was named is not in a table."""
    if options.column is None or re.match(_NO_TABLE, scanner.head(_RECOGNIZED)):
        return None
    names = names_of(scanner, options)
    return (
        None if names is None else (f"the table has no column `{options.column}`", columns_hint(options.column, names))
    )


def _detected(
    scanner: Scanner, source: str, options: ReadOptions, on_format: FormatCallback
) -> Iterator[Record] | None:
    """Return the records in whatever format this is; None where it is not recognized."""
    first = scanner.next_byte()
    form = options.form
    is_auto = form is InputFormat.AUTO
    if (binary := _binary_format(scanner, source, options, on_format)) is not None:
        return binary
    if first == b"+" and is_table_border(scanner.peek_line()):
        return terminal_table_rows(scanner, source, options, on_format)
    if is_auto and first in _CELL_STARTS and begins_with_batch(scanner.peek_line()):
        options = replace(options, form=InputFormat.TSV)
        is_auto = False
    may_be_json = is_auto and first in _JSON_STARTS and not begins_with_name(scanner.peek_line())
    if may_be_json or form in {InputFormat.JSON, InputFormat.PAYLOAD}:
        return _json_format(scanner, source, options, on_format)
    sample = scanner.sample()
    is_one_line = b"\n" not in sample and b"\r" in sample.rstrip(b"\r")
    if is_one_line and not re.search(_BINARY, scanner.head(_RECOGNIZED)):
        message = "the lines end with carriage returns only, which CSV and TSV readers do not accept as line ends"
        hint = "Convert the file: tr '\\r' '\\n' < FILE."
        place = scanner.location(source)
        return iter([Problem(code=Code.UNKNOWN_FORM, location=place, message=message, hint=hint)])
    is_named = is_auto and re.match(_NO_TABLE, scanner.head(_RECOGNIZED)) is not None
    table = None if is_named else table_of(scanner, options)
    if table is None:
        is_scalar = not first or (is_auto and is_json(scanner.peek_line()))
        return _json(scanner, source, options) if is_scalar else None
    on_format(table.source_format)
    return table_rows(scanner, source, table, options=options)


def _binary_format(
    scanner: Scanner, source: str, options: ReadOptions, on_format: FormatCallback
) -> Iterator[Record] | None:
    form = options.form
    is_auto = form is InputFormat.AUTO
    if form is InputFormat.MSGPACK or (is_auto and scanner.next_byte() in FIRST_BYTES):
        return msgpack_rows(scanner, source, options, on_format)
    if form is InputFormat.AVRO or (is_auto and scanner.head(len(AVRO_MAGIC)) == AVRO_MAGIC):
        return avro_batches(scanner, source, options)
    return None


def _json_format(scanner: Scanner, source: str, options: ReadOptions, on_format: FormatCallback) -> Iterator[Record]:
    if options.form is InputFormat.PAYLOAD:
        return _json(scanner, source, replace(options, ingested=False), on_format)
    per_line = is_row_per_line(scanner) if scanner.next_byte() == b"[" else None
    if per_line is None:
        return _json(scanner, source, options, on_format)
    return _arrays(scanner, source, ArrayRows(options, on_format), options, per_line=per_line)


def _arrays(
    scanner: Scanner, source: str, rows: ArrayRows, options: ReadOptions, *, per_line: bool
) -> Iterator[Record]:
    """Yield the batches of rows that are arrays; documents among them are read as such."""
    others = DocumentReader(source, options)
    for document in lines(scanner) if per_line else documents(scanner, source):
        if isinstance(document, Problem) or not document.data.startswith(b"["):
            found = list(others.records(document))
        elif found := list(rows.records(document.data, document.location(source, others.row + 1))):
            others.row += 1
        yield from _recovered(document, found, scanner)


def _json(
    scanner: Scanner, source: str, options: ReadOptions, on_format: FormatCallback = _ignore, *, row: int = 0
) -> Iterator[Record]:
    reader = DocumentReader(source, options, on_format, row=row)
    for document in documents(scanner, source):
        yield from _recovered(document, reader.records(document), scanner)


def _recovered(document: Document | Problem, found: Iterable[Record], scanner: Scanner) -> Iterable[Record]:
    """Yield the records of a document. The failure that truncated the last one is reported, not the truncation."""
    if scanner.failure is None or not scanner.at_end or (isinstance(document, Document) and is_json(document.data)):
        return found
    return (record for record in found if isinstance(record, Batch) and record.location.row is not None)


def _unreadable(location: Location, reason: str) -> Problem:
    return Problem(code=Code.UNREADABLE, location=location, message=reason)
