"""An output that appears under its name when it is whole, and never half-written."""

import io
import os
import secrets
import stat
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

from td_currents_cli.errors import OutputError

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_BUFFER: Final = 1 << 18


def atomic_output(path: Path | None) -> AbstractContextManager[BinaryIO]:
    """Where a command writes its data.

    A regular file is written beside its final name and moved there at the end; it keeps the permission bits it had,
    and a symbolic link stays one. On any exception, an interruption included, what was written is removed and
    what had the name before stays. What is not a regular file (`/dev/null`, a FIFO) is written straight to.

    Args:
        path: the file, or None or `-` for standard output.

    Raises:
        OutputError: when entered, left or written to: the file cannot be created or written. Failures of standard
            output stay the OSError they are: only the command line knows what a closed pipe means.
    """
    if path is None or path == Path("-"):
        return _standard_output()
    mode = _mode(path)
    if mode is not None and stat.S_ISDIR(mode):
        raise OutputError(f"cannot write {path}: it is a folder", hint="name a file in it")
    if mode is not None and not stat.S_ISREG(mode):
        return _straight(path)
    return _beside(path, mode)


def write_all(output: BinaryIO, data: "ReadableBuffer") -> None:
    """Write much at once, to the end.

    Under PYTHONUNBUFFERED, which many containers set, standard output is a file without a buffer: a write to a pipe
    that is cut short, because the reader went away, is no error there before the next one.
    """
    rest = memoryview(data)
    while rest:
        rest = rest[output.write(rest) :]


@contextmanager
def _standard_output() -> Iterator[BinaryIO]:
    sys.stdout.flush()
    yield sys.stdout.buffer
    sys.stdout.buffer.flush()


@contextmanager
def _straight(path: Path) -> Iterator[BinaryIO]:
    with _closing(_create(path, path, os.O_WRONLY)) as output:
        yield output


@contextmanager
def _beside(path: Path, mode: int | None) -> Iterator[BinaryIO]:
    final = Path(os.path.realpath(path))
    # Replacing a file needs no permission to write to it: its owner's wish has to be asked for.
    if mode is not None and not os.access(final, os.W_OK):
        raise OutputError(f"cannot write {path}: it is read-only")
    temporary = final.with_name(f".tdcur-{secrets.token_hex(8)}.tmp")
    try:
        with _closing(_create(temporary, path, os.O_WRONLY | os.O_CREAT | os.O_EXCL)) as output:
            if mode is not None:
                os.fchmod(output.fileno(), stat.S_IMODE(mode))
            yield output
        _replace(temporary, final, path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise


def _mode(path: Path) -> int | None:
    """What the path names, following links, or None for what is not there."""
    try:
        return path.stat().st_mode
    except OSError:
        # Whatever else is wrong with the path will be said when the file is created.
        return None


def _create(name: Path, path: Path, flags: int) -> io.BufferedWriter:
    try:
        # The bits of a new file are the ones the shell's umask leaves.
        descriptor = os.open(name, flags | os.O_CLOEXEC, 0o666)
    except OSError as error:
        hint = "" if path.parent.is_dir() else f"create the folder {path.parent} first"
        raise _failure(path, error, hint) from error
    return io.BufferedWriter(_File(descriptor, path), _BUFFER)


@contextmanager
def _closing(output: io.BufferedWriter) -> Iterator[BinaryIO]:
    try:
        yield output
    except BaseException:
        # Not the buffer: it would first write what it holds, and perhaps wait for a reader that has gone to sleep.
        with suppress(OutputError):
            output.raw.close()
        raise
    output.close()


def _replace(temporary: Path, final: Path, path: Path) -> None:
    try:
        temporary.replace(final)
    except OSError as error:
        raise _failure(path, error) from error


class _File(io.FileIO):
    """A file whose failures are this project's own: in a loop that reads and writes, an OSError could be either's."""

    def __init__(self, descriptor: int, path: Path) -> None:
        super().__init__(descriptor, "wb")
        self._path = path

    def write(self, data: "ReadableBuffer", /) -> int:
        try:
            return super().write(data)
        except OSError as error:
            raise _failure(self._path, error) from error

    def close(self) -> None:
        try:
            super().close()
        except OSError as error:
            raise _failure(self._path, error) from error


def _failure(path: Path, error: OSError, hint: str = "") -> OutputError:
    return OutputError(f"cannot write {path}: {error.strerror or type(error).__name__}", hint=hint)
