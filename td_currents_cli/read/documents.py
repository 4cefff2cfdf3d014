"""JSON text, in whichever way people string documents together, as one document after another.

One document; documents one after another, each on a line (JSON Lines) or pretty-printed; a JSON array of documents.
The arrangement may change within a source (`cat *.json`). A document that is malformed is delivered too, as it
stands, and reading goes on with the next one.
"""

from collections.abc import Iterator

from msgspec import Struct

from td_currents_cli.codes import Code
from td_currents_cli.model import Location, Problem, Severity
from td_currents_cli.read.scanner import Scanner


class Document(Struct, frozen=True, gc=False):
    """The bytes of one JSON document, or of what should have been one, and where they begin."""

    data: bytes
    line: int
    column: int
    offset: int

    def location(self, source: str, row: int | None = None) -> Location:
        """Where this document begins in that source."""
        return Location(source=source, line=self.line, column=self.column, row=row, offset=self.offset)


def documents(scanner: Scanner, source: str) -> Iterator[Document | Problem]:
    """All documents that are left in the scanner."""
    while first := scanner.next_byte():
        if first == b"[":
            yield from _array(scanner, source)
        else:
            yield _document(scanner, first)


def _document(scanner: Scanner, first: bytes) -> Document:
    line, column, offset = scanner.line, scanner.column, scanner.offset
    if first != b"{":
        return Document(scanner.take_line(), line, column, offset)
    data = scanner.take_object_line() or scanner.take_value() or scanner.take_damaged()
    return Document(data, line, column, offset)


def _array(scanner: Scanner, source: str) -> Iterator[Document | Problem]:
    """The elements of an array that holds documents: each by itself, so that its size does not matter."""
    begin = Location(source=source, line=scanner.line, column=scanner.column, offset=scanner.offset)
    scanner.skip(1)
    if scanner.next_byte() == b"]":
        scanner.skip(1)
        yield Problem(
            code=Code.EMPTY_INPUT,
            severity=Severity.WARNING,
            location=begin,
            message="the array is empty: no payloads, no events",
        )
        return
    while True:
        line, column, offset = scanner.line, scanner.column, scanner.offset
        element = scanner.take_value()
        if element is None:
            yield Document(scanner.take_damaged(), line, column, offset)
            # What follows begins as the damaged element did: still in the array, unless the stream is at its end.
            if not scanner.next_byte():
                return
            continue
        yield Document(element, line, column, offset)
        following = scanner.next_byte()
        scanner.skip(len(following))
        if following == b",":
            scanner.next_byte()
        elif following == b"]":
            return
        else:
            place = Location(source=source, line=scanner.line, column=scanner.column, offset=scanner.offset)
            yield Problem(
                code=Code.NOT_JSON,
                location=place,
                message="the array that began at "
                f"line {begin.line}, column {begin.column} is not closed: expected ',' or ']'",
            )
            return
