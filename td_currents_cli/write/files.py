"""Events out: files that appear when they are complete."""

import io
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final, cast

from td_currents_cli.braze import MAX_BYTES, MAX_EVENTS, PAYLOAD_END, PAYLOAD_START
from td_currents_cli.errors import OutputError

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


_BUFFER: Final = 1 << 18


def atomic_output(path: Path | None) -> AbstractContextManager[BinaryIO]:
    """The file that a command writes its data to; None or `-` for standard output.

    A regular file is written under a temporary name in the same folder and renamed at the end; its permissions stay the
    same, and a symbolic link stays one. On any exception, also an interruption, the temporary file is removed and the
    previous file stays. Anything else (`/dev/null`, a FIFO) is written directly.

    Raises OutputError when called, entered, left or written to. Errors of standard output stay OSErrors: only the
    command line knows what a closed pipe means.
    """
    if path is None or path == Path("-"):
        return _standard_output()
    mode = None
    # Any other problem with the path is reported when the file is created.
    with suppress(OSError):
        mode = path.stat().st_mode
    if mode is not None and stat.S_ISDIR(mode):
        raise OutputError(f"cannot write {path}: it is a folder", hint="Use a file in it.")
    if mode is not None and not stat.S_ISREG(mode):
        return _closing(_create(path, path, os.O_WRONLY))
    return _temporary(path, mode)


COMPRESSED: Final = (".gz", ".zst")
"""Suffixes of files that `compressed` compresses."""


def compressed(output: BinaryIO, path: Path | None) -> AbstractContextManager[BinaryIO]:
    """Compress what is written to a file whose name says so; the same bytes for the same content."""
    suffix = "" if path is None else path.suffix.lower()
    if suffix == ".gz":
        from gzip import GzipFile  # noqa: PLC0415 -- rarely used

        return cast("AbstractContextManager[BinaryIO]", GzipFile("", "wb", compresslevel=6, fileobj=output, mtime=0))
    if suffix == ".zst":
        if sys.version_info >= (3, 14):
            from compression.zstd import ZstdFile  # noqa: PLC0415 -- as above
        else:
            from backports.zstd import ZstdFile  # noqa: PLC0415 -- as above

        return cast("AbstractContextManager[BinaryIO]", ZstdFile(output, "wb"))
    return nullcontext(output)


def write_all(output: BinaryIO, *pieces: "ReadableBuffer") -> None:
    """Write all of some pieces of data.

    With PYTHONUNBUFFERED, which many containers set, standard output has no buffer: if the reader of a pipe goes away,
    a write may be incomplete, and only the next one fails.
    """
    for piece in pieces:
        rest = memoryview(piece)
        while rest:
            rest = rest[output.write(rest) :]


@contextmanager
def _standard_output() -> Iterator[BinaryIO]:
    sys.stdout.flush()
    yield sys.stdout.buffer
    sys.stdout.buffer.flush()


@contextmanager
def _temporary(path: Path, mode: int | None) -> Iterator[BinaryIO]:
    final = Path(os.path.realpath(path))
    # Replacing a file does not need permission to write to it, so that has to be checked.
    if mode is not None and not os.access(final, os.W_OK):
        raise OutputError(f"cannot write {path}: it is read-only")
    temporary = final.with_name(f".tdcur-{os.urandom(8).hex()}.tmp")
    try:
        with _closing(_create(temporary, path, os.O_WRONLY | os.O_CREAT | os.O_EXCL)) as output:
            if mode is not None:
                os.fchmod(output.fileno(), stat.S_IMODE(mode))
            yield output
        try:
            temporary.replace(final)
        except OSError as error:
            raise _failure(path, error) from error
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise


def _create(name: Path, path: Path, flags: int) -> io.BufferedWriter:
    try:
        # A new file has the permissions that the umask leaves.
        descriptor = os.open(name, flags | os.O_CLOEXEC, 0o666)
    except OSError as error:
        hint = "" if path.parent.is_dir() else f"Create the folder {path.parent} first."
        raise _failure(path, error, hint) from error
    return io.BufferedWriter(_OutputFile(descriptor, path), _BUFFER)


@contextmanager
def _closing(output: io.BufferedWriter) -> Iterator[BinaryIO]:
    try:
        yield output
    except BaseException:
        # Not the buffer: it would first write its content, and might wait for a reader forever.
        with suppress(OutputError):
            output.raw.close()
        raise
    output.close()


class _OutputFile(io.FileIO):
    """A file that raises OutputError: in a loop that reads and writes, an OSError could come from either."""

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


class PayloadWriter:
    """Writes events, byte for byte, as payloads with a maximum of events and bytes. Flush it in the end.

    An event that is too large is a payload of its own.
    """

    def __init__(self, output: BinaryIO, *, events: int = MAX_EVENTS, size: int = MAX_BYTES) -> None:
        self.payloads = 0  # written
        self._output = output
        self._max_events = events
        self._max_bytes = size
        self._events: list[bytes] = []
        self._size = 0

    def add(self, event: bytes) -> None:
        size = self._size + 1 + len(event)
        if self._events and (len(self._events) >= self._max_events or size > self._max_bytes):
            self.flush()
        self._size = (self._size + 1 if self._events else len(PAYLOAD_START) + len(PAYLOAD_END)) + len(event)
        self._events.append(event)

    def flush(self) -> None:
        if self._events:
            self._output.write(b"".join((PAYLOAD_START, b",".join(self._events), PAYLOAD_END, b"\n")))
            self.payloads += 1
            self._events = []
            self._size = 0
