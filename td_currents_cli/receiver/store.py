"""The store: a file that whole rows are appended to, and that only one receiver at a time writes to."""

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

    A row is handed to the operating system in one write before `append` returns, so a receiver that is killed loses
    none that it answered 200 for. The disk itself is waited for only when the store is closed: like the real
    endpoint, this one does not promise to survive a power cut. Rows of all databases and tables go to the one file.

    Attributes:
        path: the file.
        healed: whether the file ended in an unfinished row, left by an earlier crash, which has been ended.
    """

    def __init__(self, path: Path) -> None:
        """Open the file, or create it.

        Raises:
            UsageError: the name promises a form that is not written.
            OutputError: the file cannot be opened, is another receiver's, or is CSV with another header.
        """
        self.path = path
        self.healed = False
        self._layout: StoreFormat = store_format(path)
        self._file = _open(path)
        self._torn = False
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
        """Bytes in the file."""
        return os.fstat(self._file).st_size

    def append(self, row: StoredRow) -> None:
        """Append one row: wholly, or not at all.

        Raises:
            OSError: it could not be written.
        """
        self._write(self._layout.line(row))

    def close(self) -> None:
        """Write the file through to the disk and let go of it. Raises OSError where that fails."""
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
            self._write(self._layout.header)
            return
        header = self._layout.header
        if os.pread(self._file, len(header), 0) != header:
            columns = header.decode().strip()
            raise OutputError(
                f"cannot append to {self.path}: its first line is not `{columns}`", hint="name another file as --store"
            )
        self.healed = self._end_torn_row()

    def _write(self, data: bytes) -> None:
        if self._torn:
            self._end_torn_row()
        before = self.size
        try:
            _write_all(self._file, data)
        except OSError:
            self._take_back(before)
            raise

    def _take_back(self, size: int) -> None:
        """Cut off what was written of a row, or remember that it could not be."""
        try:
            os.ftruncate(self._file, size)
        except OSError:
            self._torn = True

    def _end_torn_row(self) -> bool:
        size = self.size
        torn = size > 0 and os.pread(self._file, 1, size - 1) != b"\n"
        open_quote = bool(self._layout.header) and self._has_open_quote(size)
        if torn or open_quote:
            _write_all(self._file, self._layout.torn_end(open_quote=open_quote))
        self._torn = False
        return torn or open_quote

    def _has_open_quote(self, size: int) -> bool:
        quotes = sum(os.pread(self._file, _BLOCK, offset).count(b'"') for offset in range(0, size, _BLOCK))
        return quotes % 2 == 1

    def _file_close(self) -> None:
        os.close(self._file)


def _open(path: Path) -> int:
    try:
        # Read as well as written: how the last row ends is looked up.
        return os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError as error:
        hint = "" if path.parent.is_dir() else f"create the folder {path.parent} first"
        _fail(path, error, hint)


def _lock(file: int, path: Path) -> None:
    if not stat.S_ISREG(os.fstat(file).st_mode):
        # Of a pipe or a device, nothing can be taken back.
        return
    # Taking back a row that could not be written would cut into what another receiver wrote meanwhile.
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise OutputError(
            f"cannot append to {path}: another `tdcur serve` writes to it", hint="name another file as --store"
        ) from None


def _write_all(file: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        # All of it at once, except where the disk fills up: then this tells why.
        left = left[os.write(file, left) :]


def _cannot_be_synced(error: OSError) -> bool:
    """A device such as /dev/null has no disk to be written through to."""
    import errno  # noqa: PLC0415 -- only here

    return error.errno == errno.EINVAL


def _fail(path: Path, error: OSError, hint: str = "") -> NoReturn:
    raise OutputError(f"cannot write {path}: {error.strerror or type(error).__name__}", hint=hint) from error
