"""The store: a file to which complete rows are appended, by one process at a time."""

import fcntl
import os
import stat
from pathlib import Path
from typing import Final, NoReturn

from td_currents_cli.errors import OutputError
from td_currents_cli.receiver.layout import StoreFormat, store_format
from td_currents_cli.receiver.row import StoredRow

_BLOCK: Final = 1 << 20


class Store:
    """Appends rows to a JSON Lines or CSV file.

    A row is passed to the operating system in one write before `append` returns, so a killed process loses none for
    which it returned 200. The file is synced to the disk only when it is closed: like the real endpoint, this one does
    not promise to survive a power failure. Rows of all databases and tables go to the same file.
    """

    def __init__(self, path: Path) -> None:
        """Open the file, or create it.

        Raises:
            UsageError: the extension belongs to an unsupported format.
            OutputError: the file cannot be opened, is in use, or is CSV with another header.
        """
        self.path = path
        self.repaired = False  # the file ended in an incomplete row, which was ended
        self._format: StoreFormat = store_format(path)
        self._file = _open(path)
        self._incomplete = False
        try:
            self._begin()
        except OSError as error:
            self._file_close()
            _fail(path, error)
        except BaseException:
            self._file_close()
            raise

    @property
    def size(self) -> int:
        return os.fstat(self._file).st_size

    def append(self, row: StoredRow) -> None:
        """Append a row completely, or not at all.

        Raises:
            OSError: the row could not be written.
        """
        self._write(self._format.line(row))

    def close(self) -> None:
        """Sync the file to the disk and close it. Raises OSError."""
        try:
            os.fsync(self._file)
        except OSError as error:
            if not _cannot_be_synced(error):
                raise
        finally:
            self._file_close()

    def _begin(self) -> None:
        _lock(self._file, self.path)
        if not self.size:
            self._write(self._format.header)
            return
        header = self._format.header
        if os.pread(self._file, len(header), 0) != header:
            columns = header.decode().strip()
            raise OutputError(
                f"cannot append to {self.path}: its first line is not `{columns}`", hint="Use another file for --store."
            )
        self.repaired = self._end_incomplete_row()

    def _write(self, data: bytes) -> None:
        if self._incomplete:
            self._end_incomplete_row()
        before = self.size
        try:
            _write_all(self._file, data)
        except OSError:
            self._truncate(before)
            raise

    def _truncate(self, size: int) -> None:
        try:
            os.ftruncate(self._file, size)
        except OSError:
            self._incomplete = True

    def _end_incomplete_row(self) -> bool:
        size = self.size
        incomplete = size > 0 and os.pread(self._file, 1, size - 1) != b"\n"
        open_quote = bool(self._format.header) and self._has_open_quote(size)
        if incomplete or open_quote:
            _write_all(self._file, self._format.row_end(open_quote=open_quote))
        self._incomplete = False
        return incomplete or open_quote

    def _has_open_quote(self, size: int) -> bool:
        quotes = sum(os.pread(self._file, _BLOCK, offset).count(b'"') for offset in range(0, size, _BLOCK))
        return quotes % 2 == 1

    def _file_close(self) -> None:
        os.close(self._file)


def _open(path: Path) -> int:
    try:
        # Readable, to check how the last row ends.
        return os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError as error:
        hint = "" if path.parent.is_dir() else f"Create the folder {path.parent} first."
        _fail(path, error, hint)


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


def _cannot_be_synced(error: OSError) -> bool:
    # A device such as /dev/null.
    import errno  # noqa: PLC0415 -- only here

    return error.errno == errno.EINVAL


def _fail(path: Path, error: OSError, hint: str = "") -> NoReturn:
    raise OutputError(f"cannot write {path}: {error.strerror or type(error).__name__}", hint=hint) from error
