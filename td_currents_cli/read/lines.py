"""Lines of a large file, many at a time: what the fast paths of commands take, where each line is one batch."""

from collections.abc import Iterator
from typing import BinaryIO, Final

from msgspec import Struct, structs

from td_currents_cli.model import Location
from td_currents_cli.read.scanner import READ, is_utf8

LONGEST: Final = 1 << 22  # bytes of a line; a longer one is left to the careful path


class IrregularError(Exception):
    """Something is out of the ordinary, and must be read record by record."""


class LineChunk(Struct, frozen=True):
    """Lines of a source. Each contains a batch, if what is in `batches` is one: a payload, or the cell of a row."""

    source: str
    offset: int  # of the first line
    line: int  # its number
    row: int | None  # number of the first row; None for payloads
    raw: bytes  # the lines
    text: bytes  # the same, proved to be UTF-8, without the doubling of quotes
    batches: list[memoryview]  # in `text`, one for each line

    def pieces(self, size: int) -> Iterator["LineChunk"]:
        """Yield chunks of some lines, of up to that many bytes or of one line; their places are those of this chunk."""
        piece: list[memoryview] = []
        room = size
        for batch in self.batches:
            room -= len(batch)
            if room < 0 and piece:
                yield structs.replace(self, batches=piece)
                piece, room = [], size - len(batch)
            piece.append(batch)
        yield structs.replace(self, batches=piece)

    def locations(self) -> Iterator[Location]:
        """Yield the place of each batch."""
        offset = self.offset
        for index, line in enumerate(lines_of(self.raw)):
            column, row = (1, None) if self.row is None else (None, self.row + index)
            yield Location(self.source, self.line + index, column, row, offset)
            offset += len(line) + 1


def whole_lines(raw: BinaryIO, limit: float) -> Iterator[tuple[int, bytes]]:
    """Yield the rest of a file up to `limit`, where a line begins: some lines at a time, with their offset.

    Raises:
        IrregularError: a line is too long.
    """
    offset, begun = raw.tell(), b""
    while text := raw.read(int(min(READ, limit - offset - len(begun)))):
        end = text.rfind(b"\n") + 1
        if end:
            lines = b"".join((begun, memoryview(text)[:end]))
            yield offset, lines
            offset += len(lines)
            begun = text[end:]
        elif len(begun) < LONGEST:
            begun += text
        else:
            raise IrregularError
    if begun:
        yield offset, begun


def lines_of(text: bytes) -> list[memoryview]:
    """Return the lines without their line feeds."""
    view, begin, lines = memoryview(text), 0, []
    # In contrast to `bytes.split`, nothing is copied.
    while (end := text.find(b"\n", begin)) >= 0:
        lines.append(view[begin:end])
        begin = end + 1
    if begin < len(text):
        lines.append(view[begin:])
    return lines


def plain_lines(text: bytes) -> tuple[bytes, list[memoryview]] | None:
    """Return lines, and each of them; None if they are not UTF-8."""
    return (text, lines_of(text)) if is_utf8(text) else None
