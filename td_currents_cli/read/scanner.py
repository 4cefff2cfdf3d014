"""A window over a byte stream that knows its place: offset, line and column."""

import re
from typing import Final

import msgspec

from td_currents_cli.read.compression import ByteStream, UnreadableError

CHUNK: Final = 1 << 20
SPACE: Final = b" \t\r\n"

_NOT_SPACE: Final = re.compile(rb"[^ \t\r\n]")
_TRAILING: Final = re.compile(r"trailing characters \(byte (\d+)\)")
_SURROGATE: Final = re.compile(rb"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")
_RAW: Final = msgspec.json.Decoder(msgspec.Raw)


class Scanner:
    """Takes lines and JSON values off the front of a stream, in memory bounded by the largest of them.

    Attributes:
        line: line of the next byte, from 1.
        column: column of the next byte, from 1, in code points.
        failure: why the stream ended before its time, or None. What came before it is still delivered.
    """

    def __init__(self, stream: ByteStream) -> None:
        self._stream = stream
        self._window = b""
        self._start = 0
        self._passed = 0
        self._ended = False
        self._skippable = memoryview(b"")
        self._indentation: bytes | None = b""
        self.line = 1
        self.column = 1
        self.failure: str | None = None

    @property
    def offset(self) -> int:
        """Bytes of the stream before the next one."""
        return self._passed + self._start

    @property
    def at_end(self) -> bool:
        """Whether every byte has been taken."""
        return self._ended and self._start == len(self._window)

    def head(self, size: int) -> bytes:
        """Up to `size` of the next bytes, not taken."""
        while len(self._window) - self._start < size and self._fill():
            pass
        return self._window[self._start : self._start + size]

    def next_byte(self) -> bytes:
        """Skip white space; the byte that follows it, not taken. Empty at the end."""
        while True:
            match = _NOT_SPACE.search(self._window, self._start)
            if match:
                self._advance(match.start())
                return match.group()
            self._advance(len(self._window))
            if not self._fill():
                return b""

    def skip(self, size: int) -> None:
        """Take and drop that many of the next bytes, which must be in the window (see `head`)."""
        self._advance(self._start + size)

    def skip_mark(self, size: int) -> None:
        """Take and drop a byte order mark, which is no column of its own."""
        self._start += size

    def peek_line(self) -> bytes:
        """The rest of the line, not taken."""
        return self._window[self._start : self._line_end(self._start)]

    def take_line(self) -> bytes:
        """Take up to and without the next line end (LF or CR LF); at the end, what is left."""
        end = self._line_end(self._start)
        line = self._window[self._start : end]
        self._advance(min(end + 1, len(self._window)))
        return line[:-1] if line.endswith(b"\r") else line

    def take_object_line(self) -> bytes | None:
        """Take the rest of the line if it looks like a whole JSON object: `}` last, and no continuation after it."""
        end = self._line_end(self._start)
        line = self._window[self._start : end].rstrip(SPACE)
        if not line.endswith(b"}"):
            return None
        following = self._first_of_line(end + 1)
        if following not in b"{[":
            return None
        # A line end or the end of the stream follows: nothing will ask for the column here.
        self._start += len(line)
        self._indentation = None
        return line

    def take_value(self) -> bytes | None:
        """Take one JSON value, however many lines it has; None (and nothing taken) when it is malformed or cut off."""
        while (size := self._value_size()) is None:
            if not self._fill():
                return None
        value = self._window[self._start : self._start + size].rstrip(SPACE)
        self._advance(self._start + len(value))
        return value or None

    def take_damaged(self) -> bytes:
        """Take a malformed value: up to the next line that begins as this one does, with `{` or `[`.

        "As this one does" is its indentation; a value that begins in the middle of a line ends at the next line that
        begins with `{` or `[` in its first column.
        """
        mark = re.compile(rb"\n" + re.escape(self._indentation or b"") + rb"[{\[]")
        searched = 0
        while not (match := mark.search(self._window, self._start + searched)):
            # A line end and its indentation may be cut by the window's end.
            searched = max(0, len(self._window) - self._start - CHUNK)
            if not self._fill():
                break
        end = match.start() if match else len(self._window)
        damaged = self._window[self._start : end]
        self._advance(end)
        return damaged.rstrip(SPACE)

    def _value_size(self) -> int | None:
        """Size of the JSON value at the front; 0 when it is malformed; None when the window ends before it does."""
        try:
            _RAW.decode(self._skippable[self._start :])
        except msgspec.DecodeError as error:
            # msgspec tells a value's end by its complaint about what follows, and does so without decoding it.
            if match := _TRAILING.search(str(error)):
                # It counts that byte from 1, unlike all its other complaints.
                return int(match.group(1)) - 1
            return None if "truncated" in str(error) else 0
        except RecursionError:
            return 0
        complete = self._ended or self._window.endswith((b"}", b"]"))
        return len(self._window) - self._start if complete else None

    def _line_end(self, start: int) -> int:
        """Where the line that holds `start` ends in the window; the window's end when the stream ends first."""
        skip = start - self._start
        while (end := self._window.find(b"\n", self._start + skip)) < 0:
            skip = len(self._window) - self._start
            if not self._fill():
                return len(self._window)
        return end

    def _first_of_line(self, start: int) -> bytes:
        """The first byte that is not white space from `start` on, or empty at the end."""
        skip = start - self._start
        while not (match := _NOT_SPACE.search(self._window, self._start + skip)):
            if not self._fill():
                return b""
        return match.group()

    def _advance(self, end: int) -> None:
        """Move to `end` in the window, keeping line, column and indentation."""
        begin = self._start
        if newlines := self._window.count(b"\n", begin, end):
            begin = self._window.rfind(b"\n", begin, end) + 1
            self.line += newlines
            self.column = 1
            self._indentation = b""
        if begin < end:
            passed = self._window[begin:end]
            self.column += code_points(passed)
            blank = self._indentation is not None and passed.isspace()
            self._indentation = (self._indentation or b"") + passed if blank else None
        self._start = end

    def _fill(self) -> bool:
        """Read on, so that the window at least doubles while one value needs more of it. False at the end."""
        if self._ended:
            return False
        kept = self._window[self._start :]
        wanted = max(CHUNK, len(kept))
        pieces = [kept]
        try:
            while wanted > 0 and (piece := self._stream.read1(min(wanted, 16 * CHUNK))):
                pieces.append(piece)
                wanted -= len(piece)
        except UnreadableError as error:
            self.failure = str(error)
            wanted = 1
        self._ended = wanted > 0
        self._passed += self._start
        self._window = b"".join(pieces)
        self._start = 0
        # Only sizes are read off this copy: msgspec stops at a lone surrogate, which must not cut a value short.
        self._skippable = memoryview(_SURROGATE.sub(rb"\\u0041", self._window) if b"\\u" in self._window else self._window)
        return len(pieces) > 1


def code_points(text: bytes) -> int:
    """How many characters UTF-8 text has, as an editor counts columns."""
    return len(text) if text.isascii() else len(text.decode(errors="replace"))


def is_json(text: bytes) -> bool:
    """Whether this is one well-formed JSON value, as far as its structure goes."""
    try:
        _RAW.decode(_SURROGATE.sub(rb"\\u0041", text))
    except (msgspec.DecodeError, RecursionError):
        return False
    return True
