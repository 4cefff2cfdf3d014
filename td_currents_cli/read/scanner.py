"""A window over a byte stream that tracks offset, line and column."""

import math
import re
from functools import partial
from io import BytesIO
from typing import Final

import msgspec

from td_currents_cli.model import Location
from td_currents_cli.patterns import pattern
from td_currents_cli.read.compression import ByteStream, UnreadableError
from td_currents_cli.read.options import MAX_DOCUMENT_SIZE

_LINE_END: Final = ord("\n")
_OPENING: Final = b"{["
_OPENER: Final = {ord("}"): ord("{"), ord("]"): ord("[")}

# An unclosed string ends with its line: JSON has no raw line ends in strings.
_STRING: Final = rb'"[^"\\\n]*+(?:\\[^\n][^"\\\n]*+)*+"?'
_TOKEN: Final = pattern(_STRING + rb"|[{}\[\]\n]")
_SCALAR: Final = pattern(rb"(?:" + _STRING + rb'|[^",{}\[\]\n"])*+')


def next_value(indentation: bytes) -> re.Pattern[bytes]:
    """Match a line end, and a line that begins with that indentation and an object or an array."""
    return re.compile(rb"\n" + re.escape(indentation) + rb"[{\[]")


def bracket_end(text: bytes, start: int, next_one: re.Pattern[bytes]) -> int | None:
    """Return where the object or array at `start` ends; None when it does not end in this text.

    It ends where its bracket is closed, or where `next_one` matches, if that comes first. A closing bracket closes
    whatever was left open within its pair, and is ignored where it has no pair.
    """
    still_open = bytearray()
    counts = dict.fromkeys(_OPENING, 0)
    for token in _TOKEN.finditer(text, start):
        mark = text[token.start()]
        if mark in _OPENING:
            still_open.append(mark)
            counts[mark] += 1
        elif mark in _OPENER and counts[_OPENER[mark]]:
            last = 0
            while last != _OPENER[mark]:
                last = still_open.pop()
                counts[last] -= 1
            if not still_open:
                return token.end()
        elif mark == _LINE_END and next_one.match(text, token.start()):
            return token.start()
    return None


def scalar_end(text: bytes, start: int) -> int | None:
    """Return where a scalar or junk ends: at a comma, a bracket or the line's end, but at least a byte further.

    None when it does not end in this text.
    """
    match = _SCALAR.match(text, start)
    end = max(match.end() if match else start, start + 1)
    return end if end < len(text) else None


CHUNK: Final = 1 << 20  # maximum bytes of a line that is taken without being parsed
READ: Final = 1 << 18
"""Minimum bytes to read at once: data that fits the processor's caches is handled in three quarters of the time."""
LONGEST_PEEK: Final = 1 << 20  # bytes of a first line that detection looks at
SPACE: Final = b" \t\r\n"

_MAX_PEEK: Final = 1 << 22  # bytes that are not too large to be looked at
_MAX_INDENTATION: Final = 1 << 10

_NEVER: Final = pattern(rb"(?!)")
_NOT_SPACE: Final = pattern(rb"[^ \t\r\n]")
_DECODE_ERROR: Final = pattern(
    r"(?:(?P<trailing>trailing characters)|(?P<comma>trailing comma.*)|) ?\(byte (?P<byte>\d+)\)$"
)
SURROGATE: Final = pattern(rb"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")
_RAW: Final = msgspec.json.Decoder(msgspec.Raw)


class TooLargeError(Exception):
    """A line or a value is larger than the limit: the one at this place, or the next one in the scanner."""

    def __init__(self, place: Location | None = None) -> None:
        super().__init__()
        self.place = place


class Scanner:
    """Takes lines and JSON values off the front of a stream, in memory bounded by the largest of them.

    Reading a line or a value raises TooLargeError if it has more bytes than `limit`.

    Attributes:
        line: of the next byte, from 1.
        column: of the next byte, from 1, in code points.
        failure: why the stream ended too early, or None. What came before is still delivered.
    """

    def __init__(self, stream: ByteStream, begin: Location | None = None, *, limit: int = MAX_DOCUMENT_SIZE) -> None:
        self._stream = stream
        self.limit = limit
        self._has_trailing_comma = False  # the value that was last found malformed
        self._window = b""
        self._start = 0
        self._passed = begin.offset if begin else 0
        self._searched = self._passed  # no line end is left before this offset
        self._ended = False
        self._skippable: memoryview | None = None
        self._indentation: bytes | None = b""
        self.line = (begin and begin.line) or 1
        self.column = (begin and begin.column) or 1
        self.failure: str | None = None

    @property
    def offset(self) -> int:
        return self._passed + self._start

    def location(self, source: str) -> Location:
        return Location(source=source, line=self.line, column=self.column, offset=self.offset)

    @property
    def at_end(self) -> bool:
        return self._ended and self._start == len(self._window)

    def head(self, size: int) -> bytes:
        """Return up to `size` of the next bytes, which stay."""
        while len(self._window) - self._start < size and self._fill():
            pass
        return self._window[self._start : self._start + size]

    def next_byte(self) -> bytes:
        """Skip white space and return the byte that follows, without taking it; empty at the end."""
        while True:
            match = _NOT_SPACE.search(self._window, self._start)
            if match:
                self._advance(match.start())
                return match.group()
            self._advance(len(self._window))
            if not self._fill():
                return b""

    def skip(self, size: int) -> None:
        # They must be in the window: see `head`.
        self._advance(self._start + size)

    def skip_mark(self, size: int) -> None:
        # A byte order mark does not count as a column.
        self._start += size

    def peek_line(self) -> bytes:
        """Return the rest of the line, or at least `LONGEST_PEEK` bytes of a longer one, without taking it."""
        end = self._line_end(LONGEST_PEEK)
        return self._window[self._start : end]

    def take_line(self) -> bytes:
        """Take the rest of the line and return it without its line feed; a carriage return stays."""
        end = self._line_end()
        line = self._limited(self._window[self._start : end])
        if end == len(self._window):
            self._advance(end)
            return line
        # Like `_advance`, which would count the line ends of a line that is known to have one.
        self._start = end + 1
        self.line += 1
        self.column = 1
        self._indentation = b""
        return line

    def sample(self) -> bytes:
        return self.head(LONGEST_PEEK)

    def take_piece(self, size: int) -> bytes:
        """Take up to that many of the next bytes, whatever they are; empty at the end."""
        self.head(1)
        piece = self._window[self._start : self._start + size]
        self._start += len(piece)
        return piece

    def take_object_line(self) -> bytes | None:
        """Take the rest of the line if it looks like a complete JSON object: `}` last, and no continuation after it.

        It may be several objects (`cat` of files without a last line end), which only shows when it is decoded. A line
        longer than a few chunks is left for `take_value`, so that memory does not grow with it.
        """
        end = self._line_end(CHUNK)
        if end == len(self._window) and not self._ended:
            return None
        line = self._window[self._start : end].rstrip(SPACE)
        if not line.endswith(b"}"):
            return None
        self._limited(line)
        if self._first_of_line(end + 1) not in b"{[":
            return None
        # A line end or the end of the stream follows: the column is not needed here.
        self._start += len(line)
        self._indentation = None
        return line

    def take_value(self) -> bytes | None:
        """Take one JSON value, however many lines it has; None, taking nothing, when it is malformed or truncated."""
        while (size := self._value_size()) is None:
            if self._ended:
                return None
            self._fill()
        value = self._limited(self._window[self._start : self._start + size].rstrip(SPACE))
        self._advance(self._start + len(value))
        return value or None

    def _limited(self, taken: bytes) -> bytes:
        if len(taken) > self.limit:
            raise TooLargeError
        return taken

    def take_damaged(self) -> bytes:
        """Take a malformed value, at least one byte of it.

        An object or an array ends where its bracket is closed, or at the next line that begins with its indentation
        (none, if it begins in the middle of a line) and `{` or `[`, if that comes first; if a trailing comma is what is
        wrong with it, only where its bracket is closed.
        """
        is_bracketed = self.head(1) in (b"{", b"[")
        next_one = _NEVER if self._has_trailing_comma else next_value(self._indentation or b"")
        find_end = partial(bracket_end, next_one=next_one) if is_bracketed else scalar_end
        while (end := find_end(self._window, self._start)) is None and self._fill():
            pass
        damaged = self._window[self._start : end]
        self._advance(self._start + len(damaged))
        return damaged.rstrip(SPACE)

    def _value_size(self) -> int | None:
        """Return the size of the value at the front; 0 when it is malformed; None when the window ends too early."""
        if self._skippable is None:
            # Only sizes are taken from this copy: msgspec stops at a lone surrogate, which must not truncate a value.
            hides = b"\\u" in self._window
            self._skippable = memoryview(SURROGATE.sub(rb"\\u0041", self._window) if hides else self._window)
        rest = self._skippable[self._start :]
        try:
            _RAW.decode(rest)
        except msgspec.DecodeError as error:
            match = _DECODE_ERROR.search(str(error))
            byte = int(match["byte"]) if match else len(rest)
            self._has_trailing_comma = match is not None and match["comma"] is not None
            if match and match["trailing"]:
                # msgspec's error about what follows tells the end of the value, without decoding it. It counts that
                # byte from 1, unlike in all its other errors.
                return byte - 1
            # msgspec calls a truncated number malformed: `-`, `1.`, `1e`.
            return None if byte >= len(rest) else 0
        except RecursionError:
            return 0
        complete = self._ended or self._window.endswith((b"}", b"]"))
        return len(rest) if complete else None

    def _line_end(self, near: float = math.inf) -> int:
        """Return where this line ends in the window; where the window ends if the line is longer than that."""
        while (end := self._window.find(b"\n", max(self._start, self._searched - self._passed))) < 0:
            self._searched = self._passed + len(self._window)
            if len(self._window) - self._start >= near or not self._fill():
                return len(self._window)
        return end

    def _first_of_line(self, start: int) -> bytes:
        skip = start - self._start
        while not (match := _NOT_SPACE.search(self._window, self._start + skip)):
            # More white space than that is not worth keeping.
            if len(self._window) - start > LONGEST_PEEK or not self._fill():
                return b""
            start = self._start + skip
        return match.group()

    def _advance(self, end: int) -> None:
        begin = self._start
        if newlines := self._window.count(b"\n", begin, end):
            begin = self._window.rfind(b"\n", begin, end) + 1
            self.line += newlines
            self.column = 1
            self._indentation = b""
        if begin < end:
            passed = self._window[begin:end]
            self.column += code_points(passed)
            before = self._indentation
            blank = before is not None and len(before) + len(passed) <= _MAX_INDENTATION and passed.isspace()
            self._indentation = (before or b"") + passed if blank else None
        self._start = end

    def _fill(self) -> bool:
        """Read on; the window at least doubles while one value needs more of it. False at the end."""
        if self._ended:
            return False
        kept = self._window[self._start :]
        limit = max(self.limit, _MAX_PEEK)
        if len(kept) > limit:
            raise TooLargeError
        wanted = min(max(min(READ, CHUNK), len(kept)), limit + 1 - len(kept))
        self._passed += self._start
        self._start = 0
        self._skippable = None
        size = len(kept)
        # A buffer that has the only reference to its bytes grows without copying them.
        buffer = BytesIO(kept)
        self._window = kept = b""
        buffer.seek(size)
        try:
            while wanted > 0 and (piece := self._stream.read1(min(wanted, READ))):
                wanted -= buffer.write(piece)
        except UnreadableError as error:
            self.failure = str(error)
            wanted = 1
        self._ended = wanted > 0
        self._window = buffer.getvalue()
        return len(self._window) > size


def code_points(text: bytes) -> int:
    """Count the characters of UTF-8 text, as an editor counts columns."""
    return len(text) if text.isascii() else len(text.decode(errors="replace"))


def is_utf8(text: bytes) -> bool:
    """Whether this is UTF-8. A JSON decoder does not check what it skips."""
    try:
        return text.isascii() or bool(text.decode())
    except UnicodeDecodeError:
        return False


def is_json(text: bytes) -> bool:
    """Whether this is one JSON value, well-formed in its structure."""
    try:
        _RAW.decode(SURROGATE.sub(rb"\\u0041", text))
    except (msgspec.DecodeError, RecursionError):
        return False
    return True
