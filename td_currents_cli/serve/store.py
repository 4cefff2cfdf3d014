"""The store: a file to which complete rows are appended, by one process at a time."""

import asyncio
import errno
import fcntl
import os
import stat
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NoReturn

import msgspec
import orjson
from msgspec import Raw, Struct

from td_currents_cli.errors import OutputError, UsageError
from td_currents_cli.events.json import hide_lone_surrogates
from td_currents_cli.read.scanner import is_utf8
from td_currents_cli.serve.settings import HttpError

EVENTS: Final = "events"
TIME: Final = "time"

_RECORD_TIME: Final = "td_record_time"
_DAY: Final = 86_400


class StoredRow(Struct, frozen=True, gc=False):
    time: int  # receive time, UNIX seconds
    columns: dict[str, str]  # JSON of each top-level field, including `events`, with the sender's characters
    events: int | None  # number of events; None if `events` is not an array
    event_types: Sequence[object] = ()  # `event_type` of each event, any JSON value; empty if one is not an object


def parse_row(body: bytes, received: float) -> StoredRow | None:
    """Convert a body, or return None for a connection test.

    Braze tests a connection with an empty body or with `{"events": []}`. [U] Treasure Data documents only that these
    have "no effect on data": no row is stored.

    Raises:
        HttpError: 400, the body is not a JSON object.
    """
    if not body:
        return None
    row = _row(body, int(received))
    return None if row.events == 0 and len(row.columns) == 1 else row


def _row(body: bytes, received: int) -> StoredRow:
    try:
        fields = _OBJECT.decode(body)
        # msgspec does not check that strings are UTF-8; this does.
        columns = {name: str(memoryview(raw), "utf-8") for name, raw in fields.items()}
        is_array = columns.get(EVENTS, "").startswith("[")
        count, event_types = _events(fields[EVENTS]) if is_array else (None, ())
    except msgspec.ValidationError:
        raise HttpError(400, "the body is not a JSON object") from None
    except UnicodeDecodeError:
        raise HttpError(400, "the body is not UTF-8") from None
    except RecursionError:
        raise HttpError(400, "the body is nested too deeply") from None
    except msgspec.DecodeError:
        return _row_with_lone_surrogates(body, received)
    return StoredRow(_row_time(columns, received), columns, count, event_types)


def _events(array: Raw) -> tuple[int, Sequence[object]]:
    """The number of events, and the `event_type` of each, which takes no longer than to count them."""
    try:
        event_types = [event.event_type for event in _EVENTS.decode(array)]
    except msgspec.ValidationError:
        return len(_ARRAY.decode(array)), ()
    return len(event_types), event_types


def _row_with_lone_surrogates(body: bytes, received: int) -> StoredRow:
    for start, what in _UNSUPPORTED_STARTS.items():
        if body.startswith(start):
            raise HttpError(400, f"the body {what}")
    if not is_utf8(body):
        raise HttpError(400, "the body is not UTF-8")
    hidden, restore = hide_lone_surrogates(body)
    if hidden == body:
        raise HttpError(400, "the body is not JSON")
    row = _row(hidden, received)
    columns = {name: restore(text.encode()).decode() for name, text in row.columns.items()}
    event_types = [restore(each.encode()).decode() if isinstance(each, str) else each for each in row.event_types]
    return msgspec.structs.replace(row, columns=columns, event_types=event_types)


_UNSUPPORTED_STARTS: Final = {
    b"\xef\xbb\xbf": "starts with a byte order mark (BOM)",
    b"\xff\xfe": "is UTF-16, not UTF-8",
    b"\xfe\xff": "is UTF-16, not UTF-8",
    b"\x1f\x8b": "is compressed with gzip",
}


def _row_time(columns: dict[str, str], received: int) -> int:
    """Use `td_record_time` if it is plausible (up to 7 days ago or 3 days ahead), else the receive time.

    [U] Only integers are used; the column itself is stored too, so that nothing is lost.
    """
    record_time = columns.get(_RECORD_TIME, "")
    if not record_time.isdecimal() or len(record_time) > 12:
        return received
    return int(record_time) if -7 * _DAY <= int(record_time) - received <= 3 * _DAY else received


_OBJECT: Final = msgspec.json.Decoder(dict[str, Raw])
_ARRAY: Final = msgspec.json.Decoder(list[Raw])


class _TypeOnly(Struct, gc=False):
    event_type: Any = None


_EVENTS: Final = msgspec.json.Decoder(list[_TypeOnly])


class JsonLinesFormat:
    """`{"time": …, "events": "<JSON>", …}`; arrays and objects are JSON strings, as in the columns of a table."""

    header = b""
    row_end = b"\n"  # the next row gets a line of its own, and readers report the incomplete one

    def line(self, row: StoredRow) -> bytes:
        cells: dict[str, object] = {TIME: row.time}
        for name, text in row.columns.items():
            cells[_free_name(name, row)] = text if text[0] in "[{" else orjson.Fragment(text)
        return orjson.dumps(cells, option=orjson.OPT_APPEND_NEWLINE)


class CsvFormat:
    """`time,events,extra`, RFC 4180 with LF, as written by `td query`.

    A CSV file has fixed columns, so all top-level fields except `events` share the column `extra`, as a JSON object; it
    is empty for the payloads of Braze.
    """

    header = b"time,events,extra\n"
    row_end = b",,,\n"  # never a good row, even if the JSON is complete: it has more cells than the header

    def line(self, row: StoredRow) -> bytes:
        extra = {name: orjson.Fragment(text) for name, text in row.columns.items() if name != EVENTS}
        cells = (row.columns.get(EVENTS, "").encode(), orjson.dumps(extra) if extra else b"")
        quoted = [b'"%b"' % cell.replace(b'"', b'""') if cell else b"" for cell in cells]
        return b"%d," % row.time + b",".join(quoted) + b"\n"


def _free_name(name: str, row: StoredRow) -> str:
    """Name the column of a field. `time` is the receive time, so a field of that name becomes `body_time`."""
    if name != TIME:
        return name
    name = f"body_{TIME}"
    while name in row.columns:
        name = f"body_{name}"
    return name


_UNSUPPORTED: Final = {".tsv", ".msgpack", ".parquet", ".gz", ".zst", ".bz2", ".xz"}

_BLOCK: Final = 1 << 20


class Store:
    """Appends rows to a JSON Lines or CSV file, at once or after a delay, in order.

    A row is passed to the operating system in one write, so a killed process loses none, except for rows that are
    delayed: Treasure Data responds first and shows the row minutes later. The file is synced to the disk only when it
    is closed: like the real endpoint, this one does not promise to survive a power failure. Rows of all databases and
    tables go to the same file.
    """

    def __init__(self, path: Path, *, delay: float = 0.0, max_rows: int | None = None) -> None:
        """Open the file, or create it. `delay` is in seconds; an event loop must be running at each append.

        Raises:
            UsageError: the extension belongs to an unsupported format.
            OutputError: the file cannot be opened, is in use, or is CSV with another header.
        """
        ending = path.suffix.lower()
        if ending in _UNSUPPORTED:
            raise UsageError(f"cannot store rows as {ending}: {path}", hint="Name the store *.jsonl or *.csv.")
        self.repaired = False  # the file ended in an incomplete row, which was ended
        self._format = CsvFormat() if ending == ".csv" else JsonLinesFormat()
        self._delay = delay
        self._max_rows = max_rows
        self._rows = 0
        self._pending: deque[StoredRow] = deque()
        self._incomplete = False
        self._file = _open(path)
        try:
            self._begin(path)
        except BaseException as error:
            os.close(self._file)
            if isinstance(error, OSError):
                _fail(path, error)
            raise

    @property
    def size(self) -> int:
        return os.fstat(self._file).st_size

    def append(self, row: StoredRow) -> None:
        """Append a row completely, or not at all.

        Raises:
            HttpError: 507, the store is full.
            OSError: the row could not be written.
        """
        if self._rows == self._max_rows:
            raise HttpError(507, f"the store is full: its maximum is {self._max_rows:,} rows")
        if self._delay:
            self._pending.append(row)
            asyncio.get_running_loop().call_later(self._delay, self._write_delayed)
        else:
            self._write(self._format.line(row))
        self._rows += 1

    def close(self) -> None:
        """Write the pending rows, sync the file to the disk, and close it. Raises OSError."""
        try:
            while self._pending:
                self._write_pending()
            os.fsync(self._file)
        except OSError as error:
            # A device such as /dev/null cannot be synced.
            if error.errno != errno.EINVAL:
                raise
        finally:
            os.close(self._file)

    def _write_delayed(self) -> None:
        # Its sender has its response: a failed write is retried with the next row, and at the end.
        with suppress(OSError):
            self._write_pending()

    def _write_pending(self) -> None:
        self._write(self._format.line(self._pending[0]))
        self._pending.popleft()

    def _begin(self, path: Path) -> None:
        _lock(self._file, path)
        header = self._format.header
        if not self.size:
            self._write(header)
            return
        if os.pread(self._file, len(header), 0) != header:
            columns = header.decode().strip()
            raise OutputError(
                f"cannot append to {path}: its first line is not `{columns}`", hint="Use another file for --store."
            )
        self.repaired = self._end_incomplete_row()

    def _write(self, data: bytes) -> None:
        if self._incomplete:
            self._end_incomplete_row()
        before = os.fstat(self._file)
        if not before.st_nlink:
            # Deleted, or replaced by another file.
            raise FileNotFoundError(errno.ENOENT, "the file was removed")
        try:
            _write_all(self._file, data)
        except OSError:
            try:
                os.ftruncate(self._file, before.st_size)
            except OSError:
                self._incomplete = True
            raise

    def _end_incomplete_row(self) -> bool:
        size = self.size
        incomplete = size > 0 and os.pread(self._file, 1, size - 1) != b"\n"
        open_quote = bool(self._format.header) and self._has_open_quote(size)
        if incomplete or open_quote:
            _write_all(self._file, b'"' * open_quote + self._format.row_end)
        self._incomplete = False
        return incomplete or open_quote

    def _has_open_quote(self, size: int) -> bool:
        quotes = sum(os.pread(self._file, _BLOCK, offset).count(b'"') for offset in range(0, size, _BLOCK))
        return quotes % 2 == 1


def _open(path: Path) -> int:
    try:
        # Readable, to check how the last row ends.
        return os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError as error:
        hint = "" if path.parent.is_dir() else f"Create the folder {path.parent} first."
        _fail(path, error, hint)


def _fail(path: Path, error: OSError, hint: str = "") -> NoReturn:
    raise OutputError(f"cannot write {path}: {error.strerror or type(error).__name__}", hint=hint) from error


def _lock(file: int, path: Path) -> None:
    if not stat.S_ISREG(os.fstat(file).st_mode):
        # A pipe or a device cannot be truncated.
        return
    # Truncating a failed row would remove rows that another process wrote in the meantime.
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise OutputError(
            f"cannot append to {path}: in use by another `tdcur serve`", hint="Use another file for --store."
        ) from None


def _write_all(file: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        # One write, unless the disk is full: then the next one raises the reason.
        left = left[os.write(file, left) :]
