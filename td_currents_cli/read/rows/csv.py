"""Ingested rows as CSV with a header line (RFC 4180): `td query -f csv -c`, the console's download."""

import csv
import sys
from collections.abc import Iterator
from typing import Final

from td_currents_cli.codes import Code
from td_currents_cli.model import Batch, Location, Problem, Record
from td_currents_cli.read.rows.cell import batch_text
from td_currents_cli.read.scanner import Scanner

COLUMN: Final = "events"

# A cell holds a whole batch: 100 kB and more. The csv module's own limit is 128 KiB.
csv.field_size_limit(sys.maxsize)


def is_header(line: bytes) -> bool:
    """Whether this first line names an `events` column."""
    return COLUMN in _cells(line)


def records(scanner: Scanner, source: str) -> Iterator[Record]:
    """A batch for each row after the header; a problem, with the row itself in `raw`, for each malformed one."""
    header = _cells(scanner.take_line())
    column = header.index(COLUMN)
    row = 0
    while scanner.head(1):
        line, offset = scanner.line, scanner.offset
        text = _take_row(scanner)
        if not text:
            continue
        row += 1
        yield _record(text, Location(source=source, line=line, row=row, offset=offset), column, len(header))


def _take_row(scanner: Scanner) -> bytes:
    """One row, which has line ends inside its quotes, or all that is left when a quote is never closed."""
    text = scanner.take_line()
    while text.count(b'"') % 2 and scanner.head(1):
        text += b"\n" + scanner.take_line()
    return text


def _record(text: bytes, location: Location, column: int, width: int) -> Record:
    try:
        cells = _cells(text)
    except UnicodeDecodeError:
        return Problem(code=Code.NOT_UTF8, location=location, message="the row is not UTF-8", raw=text)
    except csv.Error as error:
        return Problem(code=Code.BAD_ROW, location=location, message=f"the row is not CSV: {error}", raw=text)
    if len(cells) != width:
        message = f"the row has {len(cells)} cells, the header has {width}"
        return Problem(code=Code.BAD_ROW, location=location, message=message, raw=text)
    return Batch(batch_text(cells[column]), location)


def _cells(text: bytes) -> list[str]:
    """The cells of one row. Raises UnicodeDecodeError and csv.Error."""
    return next(csv.reader([text.decode()], strict=True), [])
