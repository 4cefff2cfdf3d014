"""Decompression, detected from the first bytes and never from the name."""

import sys
import zlib
from collections.abc import Callable
from io import BufferedReader, BytesIO, RawIOBase
from typing import TYPE_CHECKING, BinaryIO, Final, Protocol, cast

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_PIECE: Final = 1 << 16
_LONGEST_MAGIC: Final = 6


class UnreadableError(Exception):
    """The bytes of a source end too early or are damaged. What came before has been delivered."""


class ByteStream(Protocol):
    """What the scanner needs of an open source: `read1` as of io.BufferedReader."""

    def read1(self, size: int, /) -> bytes: ...


class _Decompressor(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int = ...) -> bytes: ...


class _Streams:
    """The plain bytes of compressed streams one after another, as `cat` makes them.

    The file classes of bz2 and lzma silently drop whatever follows the first stream and is not another one. Here,
    only zero padding may follow.
    """

    def __init__(self, packed: ByteStream, new: Callable[[], _Decompressor]) -> None:
        self._packed = packed
        self._new = new
        self._current = new()

    def read1(self, size: int, /) -> bytes:
        while True:
            data = b""
            if self._current.eof:
                data = self._after_stream()
                if not data:
                    return b""
                self._current = self._new()
            elif self._current.needs_input:
                data = self._packed.read1(_PIECE)
                if not data:
                    raise EOFError
            if plain := self._current.decompress(data, size):
                return plain

    def _after_stream(self) -> bytes:
        data = self._current.unused_data.lstrip(b"\0")
        while not data and (piece := self._packed.read1(_PIECE)):
            data = piece.lstrip(b"\0")
        return data


class _Guarded:
    """Turns every failure of a read into UnreadableError."""

    def __init__(self, stream: ByteStream, kind: str) -> None:
        self._stream = stream
        self._kind = kind
        self._failures: tuple[type[Exception], ...] = (OSError, EOFError, zlib.error, *_further_failures(kind))

    def read1(self, size: int, /) -> bytes:
        try:
            return self._stream.read1(size)
        except EOFError:
            raise UnreadableError(f"the {self._kind} data is truncated") from None
        except self._failures as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else "it is damaged"
            raise UnreadableError(f"cannot read the {self._kind} data: {reason}") from None


def decompressed(raw: BinaryIO) -> ByteStream:
    """Return the plain bytes of an open source: gzip, zstd, bzip2, xz, or not compressed.

    Reading from it raises only UnreadableError.
    """
    stream: BinaryIO = BufferedReader(cast("RawIOBase", raw), buffer_size=_PIECE)
    try:
        head = cast("BufferedReader", stream).peek(_LONGEST_MAGIC)
        if 0 < len(head) < _LONGEST_MAGIC:
            # A pipe may hand out its first bytes one at a time.
            head = stream.read(_LONGEST_MAGIC)
            stream = cast("BinaryIO", BufferedReader(_Joined(head, stream), buffer_size=_PIECE))
    except OSError as error:
        raise UnreadableError(error.strerror or "cannot be read") from None
    for magic, kind, opened in _KINDS:
        if head.startswith(magic):
            return _Guarded(opened(stream), kind)
    return _Guarded(cast("ByteStream", stream), "plain")


def is_compressed(head: bytes) -> bool:
    """Whether a source that begins like this is compressed."""
    return any(head.startswith(magic) for magic, _kind, _opened in _KINDS)


def plain(raw: BinaryIO) -> ByteStream:
    """Return the bytes of an open source, without decompression. Reading raises only UnreadableError."""
    return _Guarded(cast("ByteStream", BufferedReader(cast("RawIOBase", raw), buffer_size=_PIECE)), "plain")


class _Joined(RawIOBase):
    def __init__(self, head: bytes, rest: BinaryIO) -> None:
        super().__init__()
        self._head = BytesIO(head)
        self._rest = rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        view = memoryview(buffer).cast("B")
        piece = self._head.read(len(view)) or cast("ByteStream", self._rest).read1(len(view))
        view[: len(piece)] = piece
        return len(piece)


def _gzip(packed: BinaryIO) -> ByteStream:
    from gzip import GzipFile  # noqa: PLC0415 -- most inputs are plain

    return cast("ByteStream", GzipFile(fileobj=packed))


def _zstd(packed: BinaryIO) -> ByteStream:
    if sys.version_info >= (3, 14):
        from compression.zstd import ZstdDecompressor  # noqa: PLC0415
    else:
        from backports.zstd import ZstdDecompressor  # noqa: PLC0415

    return _Streams(cast("ByteStream", packed), ZstdDecompressor)


def _bz2(packed: BinaryIO) -> ByteStream:
    from bz2 import BZ2Decompressor  # noqa: PLC0415

    return _Streams(cast("ByteStream", packed), BZ2Decompressor)


def _xz(packed: BinaryIO) -> ByteStream:
    from lzma import LZMADecompressor  # noqa: PLC0415

    return _Streams(cast("ByteStream", packed), LZMADecompressor)


def _further_failures(kind: str) -> tuple[type[Exception], ...]:
    """Return the exceptions that a decompressor raises in addition to OSError and EOFError."""
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


_KINDS: Final[tuple[tuple[bytes | tuple[bytes, ...], str, Callable[[BinaryIO], ByteStream]], ...]] = (
    (b"\x1f\x8b", "gzip", _gzip),
    (b"\x28\xb5\x2f\xfd", "zstd", _zstd),
    # pzstd and seekable zstd begin with a frame to be skipped (RFC 8878, section 3.1.2).
    (tuple(bytes((0x50 + kind, 0x2A, 0x4D, 0x18)) for kind in range(16)), "zstd", _zstd),
    (b"BZh", "bzip2", _bz2),
    (b"\xfd7zXZ\x00", "xz", _xz),
)
