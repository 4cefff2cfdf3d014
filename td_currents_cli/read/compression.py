"""Decompression, told from the first bytes and never from the name."""

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
    """The bytes of a source end before their time or make no sense. What came before has been delivered."""


class ByteStream(Protocol):
    """What the scanner needs of an open source."""

    def read1(self, size: int, /) -> bytes:
        """At most `size` bytes, empty at the end."""


class _Decompressor(Protocol):
    """What the decompressor objects of bz2, lzma and zstd have in common."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int = ...) -> bytes: ...


class _Streams:
    """The plain bytes of a file of compressed streams one after another, as `cat` makes it.

    The file classes of bz2 and lzma drop whatever follows the first stream and is not another one: data would be
    lost without a word. Here, only padding with zeros may follow.
    """

    def __init__(self, packed: ByteStream, new: Callable[[], _Decompressor]) -> None:
        self._packed = packed
        self._new = new
        self._current = new()

    def read1(self, size: int, /) -> bytes:
        """As ByteStream. Raises EOFError, and what the decompressor raises."""
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
        """The first bytes that follow a stream and its padding; empty at the end."""
        data = self._current.unused_data.lstrip(b"\0")
        while not data and (piece := self._packed.read1(_PIECE)):
            data = piece.lstrip(b"\0")
        return data


class _Guarded:
    """Turns every way a read can fail into UnreadableError."""

    def __init__(self, stream: ByteStream, kind: str) -> None:
        self._stream = stream
        self._kind = kind
        self._failures: tuple[type[Exception], ...] = (OSError, EOFError, zlib.error, *_further_failures(kind))

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


def is_packed(head: bytes) -> bool:
    """Whether a source that begins like this is compressed."""
    return any(head.startswith(magic) for magic, _kind, _opened in _KINDS)


def plain(raw: BinaryIO) -> ByteStream:
    """The bytes of an open source as they stand, from where it stands. Reading raises UnreadableError alone."""
    return _Guarded(cast("ByteStream", BufferedReader(cast("RawIOBase", raw), buffer_size=_PIECE)), "plain")


class _Joined(RawIOBase):
    """Bytes that have been read already, then the rest of the stream they came from."""

    def __init__(self, head: bytes, rest: BinaryIO) -> None:
        super().__init__()
        self._head = BytesIO(head)
        self._rest = rest

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        """As RawIOBase."""
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


_KINDS: Final[tuple[tuple[bytes | tuple[bytes, ...], str, Callable[[BinaryIO], ByteStream]], ...]] = (
    (b"\x1f\x8b", "gzip", _gzip),
    (b"\x28\xb5\x2f\xfd", "zstd", _zstd),
    # pzstd and seekable zstd begin with a frame to be skipped (RFC 8878, section 3.1.2).
    (tuple(bytes((0x50 + kind, 0x2A, 0x4D, 0x18)) for kind in range(16)), "zstd", _zstd),
    (b"BZh", "bzip2", _bz2),
    (b"\xfd7zXZ\x00", "xz", _xz),
)
