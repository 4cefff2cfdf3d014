"""A cell of an ingested row: its batch, and what can be kept of a truncated one."""

import atexit
import csv
import json
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from io import BytesIO
from itertools import chain
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Raw, Struct

from td_currents_cli.model import Batch, Code, Location, Problem, Record
from td_currents_cli.patterns import pattern
from td_currents_cli.read.options import looks_like_batch
from td_currents_cli.read.scanner import SPACE, SURROGATE, Scanner, is_json

if TYPE_CHECKING:
    import sqlite3

_ARRAY_START: Final = pattern(rb'\s*(?:\{\s*"events"\s*:\s*)?\[')
_CLOSED: Final = (b"{", b"[", b'"')
_ERROR_BYTE: Final = pattern(r"\(byte (\d+)\)$")
_RAW: Final = msgspec.json.Decoder(Raw)


class TruncatedArray(Struct, frozen=True):
    """What is left of a truncated array."""

    elements: list[bytes]  # the complete ones
    rest: bytes  # what follows the last of them, without a comma and white space


def truncated_array(text: bytes) -> TruncatedArray | None:
    """Return the complete elements of a truncated batch; None for one that is malformed in any other way.

    An element is complete when its own closing bracket or quote is there: truncation never makes it another one.
    """
    opening = _ARRAY_START.match(text)
    if opening is None or not is_truncated(text):
        return None
    inside = text[opening.end() :]
    scanner = Scanner(BytesIO(inside))
    elements: list[bytes] = []
    end = 0
    while scanner.next_byte() and (element := scanner.take_value()) is not None:
        following = scanner.next_byte()
        if following == b",":
            scanner.skip(1)
        elif not element.startswith(_CLOSED):
            # A number may have had more digits.
            break
        elements.append(element)
        end = scanner.offset
    rest = inside[end:].strip(SPACE)
    return TruncatedArray(elements, rest) if elements or not rest or rest.startswith(_CLOSED) else None


def is_truncated(text: bytes) -> bool:
    """Whether bytes would be JSON if more of it followed."""
    try:
        # Only places are taken from this copy: msgspec takes a lone surrogate for the end of the text.
        _RAW.decode(SURROGATE.sub(rb"\\u0041", text))
    except (msgspec.DecodeError, RecursionError) as error:
        # msgspec calls a truncated number malformed at its end: `-`, `1.`, `1e`.
        place = _ERROR_BYTE.search(str(error))
        return "truncated" in str(error) or (place is not None and int(place[1]) >= len(text))
    return False


EMPTY_BATCH: Final = b"[]"

# Tuples, not sets, for which a whole batch would be hashed.
NULLS: Final = ("", "null", "NULL", "\\N")
"""What stands for no value: Treasure Data writes the first two, Hive and other databases the others."""

NULL_BYTES: Final = tuple(map(str.encode, NULLS))

_WRAPPED: Final = pattern(rb'\s*(?:\[\s*)?"')
_ELEMENTS: Final = msgspec.json.Decoder(list[Raw])
_FIELDS: Final = msgspec.json.Decoder(dict[str, Raw])
_STRING: Final = msgspec.json.Decoder(str)
_LONGEST_ESCAPE: Final = len(r"\ud83")


_ODD_RUN: Final = pattern(rb"(?<!\\)(?:\\\\)*+\\(?!\\)")
_ESCAPE: Final = pattern(rb"\\(.)", re.DOTALL)
_MEANINGS: Final = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v", b"0": b"\0"}


def unescaped(text: bytes) -> bytes:
    """Replace the escapes of a cell, as MySQL, PostgreSQL and Trino write them, by what they stand for."""
    if _ODD_RUN.search(text) is None:
        return text.replace(b"\\\\", b"\\")
    return _ESCAPE.sub(lambda escape: _MEANINGS.get(escape[1], escape[1]), text)


class Unescaper:
    """Removes the escapes that some exports put before the backslashes of JSON in cells without quotes."""

    def __init__(self, *, escaped: bool | None = None) -> None:
        # Whether the column has escapes; None until a cell shows it. Where both readings are JSON, it has.
        self.escaped = escaped

    def __call__(self, cell: bytes) -> bytes:
        if b"\\" not in cell:
            return cell
        # Escaped backslashes come in pairs, but for those of line ends and TABs, which strings of JSON do not contain.
        has_odd_run = _ODD_RUN.search(cell) is not None
        if self.escaped is False and has_odd_run:
            return cell
        is_sound = is_json(cell)
        if is_sound and (self.escaped is False or has_odd_run):
            self.escaped = bool(self.escaped)
            return cell
        text = unescaped(cell)
        is_escaped = is_json(text)
        if self.escaped is None and (is_sound or is_escaped):
            self.escaped = is_escaped
        if self.escaped is None and not _ODD_RUN.search(cell.rstrip(b"\\")) and is_truncated(text.rstrip(b"\\")):
            return text
        return text if is_escaped or (self.escaped and not is_sound) else cell


def batch_text(cell: str) -> bytes:
    """Return the batch in a cell as JSON; an empty batch for `NULLS`.

    It may be an array of events or a `{"events": […]}` object: it is not decoded here.
    """
    text = cell.strip()
    if text in NULLS:
        return EMPTY_BATCH
    # A lone surrogate cannot be UTF-8; the decoder of the batch reports the bytes it leaves.
    return unwrapped(text.encode(errors="surrogatepass"))


def unwrapped(text: bytes) -> bytes:
    """Remove the additional layer of JSON strings that some exports put around a batch, or around its events.

    What cannot be unwrapped is left unchanged, for `events.decode` to report.
    """
    if not _WRAPPED.match(text):
        return text
    if text.lstrip().startswith(b'"'):
        inner = _string_in(text.strip())
        return text if inner is None else batch_text(inner)
    try:
        return b"[" + b",".join([_unwrapped_event(bytes(each)) for each in _ELEMENTS.decode(text)]) + b"]"
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        left = truncated_array(text)
        if left is None:
            return text
        # What follows the last complete string is left unchanged, and still truncated.
        return b"[" + b"".join([_unwrapped_event(each) + b"," for each in left.elements]) + left.rest


def wrong_width(cells: int, width: int) -> str:
    """Say that a row has the wrong number of cells."""
    return f"the row has {cells} of {width} cells" if cells < width else f"the row has {cells} cells, not {width}"


def _string_in(text: bytes) -> str | None:
    """Decode a JSON string, truncated or not; None for anything else."""
    for candidate in chain([text], (text[: len(text) - cut] + b'"' for cut in range(_LONGEST_ESCAPE + 1))):
        with suppress(msgspec.DecodeError, UnicodeDecodeError):
            return _STRING.decode(candidate)
    return None


def _unwrapped_event(element: bytes) -> bytes:
    if element.startswith(b'"'):
        with suppress(msgspec.DecodeError, UnicodeError):
            inner = _STRING.decode(element).strip().encode()
            if inner.startswith(b"{") and is_json(inner):
                return inner
    return element


@cache
def _relaxed_cell(separator: bytes) -> re.Pattern[bytes]:
    """Match a cell and its separator; PHP also writes two backslashes and a quote that does not end the cell."""
    mark = re.escape(separator)
    quoted = rb'"(?:[^"\\]++|\\.|""|(?<=\\)"(?!%b|\s*\Z))*+(?:"|(?P<open>\\?\Z))' % mark
    return re.compile(rb"(?:%b|(?!\")(?:[^%b\\]|\\.)*+)(?P<end>%b|\Z)" % (quoted, mark, mark), re.DOTALL)


def raw_cells(text: bytes, separator: bytes, *, is_truncated: bool = False) -> list[bytes]:
    """Return the cells of a line with backslashes before quotes or separators, as they are; empty if it is not one."""
    cells: list[bytes] = []
    pattern, end = _relaxed_cell(separator), 0
    while (match := pattern.match(text, end)) is not None:
        if match["open"] is not None and not is_truncated:
            return []
        cells.append(text[end : match.start("end")])
        if not match["end"]:
            return cells
        end = match.end()
    return []


def readings(cell: bytes, *, is_truncated: bool = False) -> Iterator[bytes]:
    """Yield what a cell may stand for: a JSON string, PHP's quotes, and the escapes of MySQL or Spark."""
    if cell.startswith(b'"'):
        if is_truncated or is_json(cell):
            yield unwrapped(cell)
        cell = cell[1:].removesuffix(b'"')
        yield _PAIR.sub(lambda pair: pair[0] if pair[0].startswith(b"\\") else b'"', cell)
    else:
        yield cell
    yield unescaped(cell)


_PAIR: Final = pattern(rb'\\.|""', re.DOTALL)


def relaxed_cells(text: bytes, separator: bytes) -> list[str]:
    """Return the cells of a line with backslashes before its quotes; empty if it is not one."""
    cells = []
    for cell in raw_cells(text, separator):
        found = list(readings(cell))
        is_php = cell.startswith(b'"') and b'""' in cell[1:-1]
        cells.append(found[-2 if is_php else -1].decode(errors="replace"))
    return cells


def joined_cells(cells: list[bytes], column: int, width: int, separator: bytes) -> list[bytes]:
    """Join the cells of a row that was split at separators within its batch, so that there are not too many."""
    surplus = len(cells) - width
    if surplus <= 0:
        return cells
    batch = separator.join(cells[column : column + surplus + 1])
    return [*cells[:column], batch, *cells[column + surplus + 1 :]]


def cells_around_batch(line: bytes, separator: bytes) -> list[bytes]:
    """Split a line at its separators, except for those within its batch: the brackets tell where that ends."""
    cells = line.split(separator)
    for column, cell in enumerate(cells):
        if looks_like_batch(cell) and not is_json(cell):
            batch = Scanner(BytesIO(separator.join(cells[column:]))).take_value() or cell
            return joined_cells(cells, column, len(cells) - batch.count(separator), separator)
    return cells


_BATCHES: Final = (b'"', b"[", b"{")


def cells_of_truncated(text: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield the names and cells of a truncated object or array; the last cell may be incomplete.

    The names are empty for an array. There are no cells for anything else, or what is malformed in any other way.
    """
    return cells_in(text) if text.startswith((b"{", b"[")) and is_truncated(text) else iter(())


def batch_of_truncated(cell: bytes, text: bytes, place: Location) -> Iterator[Record]:
    """Yield the batch in a cell of a truncated row, and a note where the row is truncated only after it."""
    if not cell.startswith(_BATCHES):
        yield Problem(code=Code.BAD_ROW, location=place, message="the row is truncated before its batch", raw=text)
        return
    batch = unwrapped(cell)
    yield Batch(batch, place)
    if is_json(batch):
        # Without the row itself: it rejects nothing.
        message = "the row is truncated after its batch; the batch is complete"
        yield Problem(code=Code.BAD_ROW, location=place, message=message)


def cells_in(text: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield the fields of an object, or the elements of an array with empty names, up to its end or its first error."""
    scanner, has_names = Scanner(BytesIO(text)), text.startswith(b"{")
    scanner.head(1)
    scanner.skip(1)
    while scanner.next_byte():
        name = _take_name(scanner) if has_names else ""
        if name is None:
            return
        scanner.next_byte()
        begin = scanner.offset
        cell = scanner.take_value()
        yield name, text[begin:] if cell is None else cell
        if cell is None or scanner.next_byte() != b",":
            return
        scanner.skip(1)


def _take_name(scanner: Scanner) -> str | None:
    name = scanner.take_value() or b""
    if not name.startswith(b'"') or scanner.next_byte() != b":":
        return None
    scanner.skip(1)
    with suppress(ValueError):
        return decoded_string(name)
    return ""


def fields_of(text: bytes) -> dict[str, bytes]:
    """Return the fields of a JSON object unchanged; empty for anything else."""
    try:
        return {name: bytes(value) for name, value in _FIELDS.decode(text).items()}
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        # msgspec stops at a lone surrogate.
        return dict(cells_in(text)) if text.startswith(b"{") and is_json(text) else {}


def decoded_string(text: bytes) -> str:
    """Decode a JSON string, which may contain lone surrogates. Raises ValueError."""
    try:
        return _STRING.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return str(json.loads(text))


_EVENT_TYPE: Final = b"event_type"


def has_event(text: bytes) -> bool:
    """Whether a truncated batch has an event that is complete."""
    left = truncated_array(text) if is_truncated_utf8(text) else None
    return left is not None and any(_EVENT_TYPE in element for element in left.elements)


def truncated_csv_batch(
    text: bytes, column: int, width: int, separator: bytes = b",", *, is_truncated_row: bool = False
) -> bytes | None:
    """Return what is left of the batch of a truncated row, if it contains a complete event; else None.

    The row has an open quote, or is not UTF-8; `is_truncated_row` if it is certainly truncated, in its batch or later.
    """
    try:
        cells = next(csv.reader([text.decode(errors="surrogateescape")], delimiter=separator.decode()), [])
    except csv.Error:
        return None
    # The cells after the batch are there only where the cell was truncated, not the file.
    if len(cells) not in (range(column + 1, width + 1) if is_truncated_row else {column + 1, width}):
        return None
    try:
        "".join([*cells[:column], *cells[column + 1 :]]).encode()
        cell = cells[column].strip().encode(errors="surrogateescape")
    except UnicodeEncodeError:
        return None
    if is_truncated_row and is_json(cell):
        return cell if _EVENT_TYPE in cell else None
    return cell if has_event(cell) else None


def is_truncated_utf8(text: bytes) -> bool:
    """Whether this is UTF-8, except that bytes of the last character may be missing."""
    try:
        text.decode()
    except UnicodeDecodeError as error:
        return error.reason == "unexpected end of data"
    return True


_KANA: Final = pattern("[\u3041-\u30fe]")
_NOT_ASCII: Final = pattern(rb"[\x80-\xff]+")


def conversion_of(text: bytes) -> str:
    """Return a hint how to convert what is not UTF-8; empty where it may be damaged UTF-8.

    Japanese is recognized by kana.
    """
    probable = ["CP1252"] if all(len(run) == 1 for run in _NOT_ASCII.findall(text)) else []
    for encoding in ("EUC-JP", "CP932"):
        with suppress(UnicodeDecodeError):
            if _KANA.search(text.decode(encoding)):
                probable.append(encoding)
    if not probable:
        return ""
    return f"The file is probably {probable[-1]}. Convert it: iconv -f {probable[-1]} -t UTF-8 FILE > NEW."


_MIN_SQLITE_SIZE: Final = 1 << 12
_MAX_SQLITE_SIZE: Final = 1 << 28


def undoubled(cell: bytes) -> bytes:
    """Replace each pair of quotes by one.

    `bytes.replace` searches for each pair anew. In JSON, with one every few bytes, that takes two and a half times as
    long as the plain loop of SQLite, which is 20 % of the time of `tdcur parse`.
    """
    if not _MIN_SQLITE_SIZE <= len(cell) <= _MAX_SQLITE_SIZE:
        return cell.replace(b'""', b'"')
    (found,) = _sqlite(os.getpid()).execute("""SELECT replace(?, '""', '"')""", (cell,)).fetchone()
    result: bytes = found
    return result


@cache
def _sqlite(_process: int) -> "sqlite3.Connection":
    """Return a connection of this process: none may be carried over a fork."""
    import sqlite3  # noqa: PLC0415 -- most inputs are not large CSV

    connection = sqlite3.connect(":memory:", check_same_thread=False)
    connection.text_factory = bytes
    atexit.register(connection.close)
    return connection
