"""JSON text as one document after another, however they are arranged.

A single document; documents one after another, each on a line (JSON Lines) or pretty-printed; a JSON array of
documents. The arrangement may change within a source (`cat *.json`). A malformed document is delivered unchanged, and
reading goes on with the next one.
"""

from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Final

from msgspec import Struct

from td_currents_cli.model import Code, Location, Problem, Severity
from td_currents_cli.read.scanner import SPACE, Scanner

BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


class Document(Struct, frozen=True, gc=False):
    data: bytes
    line: int
    column: int
    offset: int

    def location(self, source: str, row: int | None = None) -> Location:
        return Location(source=source, line=self.line, column=self.column, row=row, offset=self.offset)


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
    """Yield each document of a text, well-formed or not, that turned out to contain several; it stands at `begin`."""
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
