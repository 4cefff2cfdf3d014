"""Decompression, told from the first bytes and never from the name."""

import sys
import zlib
from collections.abc import Callable
from io import BufferedReader, RawIOBase
from typing import BinaryIO, Final, Protocol, cast


class UnreadableError(Exception):
    """The bytes of a source end before their time or make no sense. What came before has been delivered."""


class ByteStream(Protocol):
    """What the scanner needs of an open source."""

    def read1(self, size: int, /) -> bytes:
        """At most `size` bytes, empty at the end."""


class _Guarded:
    """Turns every way a read can fail into UnreadableError."""

    def __init__(self, stream: ByteStream, kind: str) -> None:
        self._stream = stream
        self._kind = kind
        self._failures = (OSError, EOFError, zlib.error, *_further_failures(kind))

    def read1(self, size: int, /) -> bytes:
        """As ByteStream. Raises UnreadableError."""
        try:
            return self._stream.read1(size)
        except EOFError:
            raise UnreadableError(f"the {self._kind} data is cut off before its end") from None
        except self._failures as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else "it is damaged"
            raise UnreadableError(f"cannot read the {self._kind} data: {reason}") from None


def decompressed(raw: BinaryIO) -> ByteStream:
    """The plain bytes of an open source, whichever of gzip, zstd, bzip2, xz or nothing it is packed with.

    Reading from it raises UnreadableError, and nothing else.
    """
    buffered = BufferedReader(cast("RawIOBase", raw), buffer_size=1 << 16)
    try:
        head = buffered.peek(6)
    except OSError as error:
        raise UnreadableError(error.strerror or "cannot be read") from None
    for magic, kind, opened in _KINDS:
        if head.startswith(magic):
            return _Guarded(opened(buffered), kind)
    return _Guarded(buffered, "plain")


def _gzip(raw: BinaryIO) -> ByteStream:
    from gzip import GzipFile  # noqa: PLC0415 -- most inputs are plain

    return cast("ByteStream", GzipFile(fileobj=raw))


def _zstd(raw: BinaryIO) -> ByteStream:
    if sys.version_info >= (3, 14):
        from compression.zstd import ZstdFile  # noqa: PLC0415
    else:
        from backports.zstd import ZstdFile  # noqa: PLC0415

    return cast("ByteStream", ZstdFile(raw))


def _bz2(raw: BinaryIO) -> ByteStream:
    from bz2 import BZ2File  # noqa: PLC0415

    return cast("ByteStream", BZ2File(raw))


def _xz(raw: BinaryIO) -> ByteStream:
    from lzma import LZMAFile  # noqa: PLC0415

    return cast("ByteStream", LZMAFile(raw))


def _further_failures(kind: str) -> tuple[type[Exception], ...]:
    """Exceptions a decompressor raises beside OSError and EOFError."""
    if kind == "xz":
        from lzma import LZMAError  # noqa: PLC0415

        return (LZMAError,)
    if kind == "zstd":
        if sys.version_info >= (3, 14):
            from compression.zstd import ZstdError  # noqa: PLC0415
        else:
            from backports.zstd import ZstdError  # noqa: PLC0415

        return (ZstdError,)
    return ()


_KINDS: Final[tuple[tuple[bytes, str, Callable[[BinaryIO], ByteStream]], ...]] = (
    (b"\x1f\x8b", "gzip", _gzip),
    (b"\x28\xb5\x2f\xfd", "zstd", _zstd),
    (b"BZh", "bzip2", _bz2),
    (b"\xfd7zXZ\x00", "xz", _xz),
)
