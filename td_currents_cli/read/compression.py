"""From the bytes of a source to plain UTF-8: archives, compression and encodings, detected from the first bytes.

Names do not matter. A zip archive has contents for each file in it.
"""

import codecs
import shutil
import sys
import zlib
from collections.abc import Callable, Iterator
from functools import cache
from io import BytesIO
from typing import TYPE_CHECKING, BinaryIO, Final, Protocol, cast

from msgspec import Struct

from td_currents_cli.patterns import pattern

if TYPE_CHECKING:
    from zipfile import ZipFile, ZipInfo

_PIECE: Final = 1 << 16
_HEAD: Final = 8  # bytes that tell what a stream is
MAX_LAYERS: Final = 4
"""Compression in compression, and archives in archives, up to this depth: files without end exist."""


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

    def __init__(self, read: Callable[[int], bytes], name: str, *failures: type[Exception]) -> None:
        self._read = read
        self._name = name
        self._failures: tuple[type[Exception], ...] = (OSError, zlib.error, *failures)

    def read1(self, size: int, /) -> bytes:
        try:
            return self._read(size)
        except EOFError:
            raise UnreadableError(f"the {self._name} is truncated") from None
        except self._failures as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else "it is damaged"
            raise UnreadableError(f"cannot read the {self._name}: {reason}" if self._name else reason) from None


class _Peeked:
    """A stream whose first bytes have been looked at; an error there is raised when they are read."""

    def __init__(self, stream: ByteStream) -> None:
        self._stream = stream
        self._failure: UnreadableError | None = None
        self.head = b""
        try:
            # A pipe may hand out its first bytes one at a time.
            while len(self.head) < _HEAD and (piece := stream.read1(_PIECE)):
                self.head += piece
        except UnreadableError as error:
            self._failure = error
        self._rest = self.head

    def read1(self, size: int, /) -> bytes:
        if self._rest:
            piece, self._rest = self._rest[:size], self._rest[size:]
            return piece
        if self._failure:
            raise self._failure
        return self._stream.read1(size)

    read = read1  # for GzipFile


class _Decoded:
    """Contents in another encoding as UTF-8, without the byte order mark in front of it."""

    def __init__(self, stream: ByteStream, encoding: str) -> None:
        self._stream = stream
        self._encoding = encoding
        # A lone surrogate becomes bytes that are not UTF-8, for the decoder of the document to report.
        self._decoder = codecs.getincrementaldecoder(encoding)("surrogatepass")
        self._failure: UnreadableError | None = None
        self._is_first = True

    def read1(self, size: int, /) -> bytes:
        text = ""
        while not text:
            if self._failure:
                raise self._failure
            piece = self._stream.read1(max(size // 2, 1))
            try:
                text = self._decoder.decode(piece, final=not piece)
            except UnicodeDecodeError as error:
                text = error.object[: error.start].decode(self._encoding, "surrogatepass")
                name = self._encoding.upper()[:6]
                end = f"cannot read the {name} text: it is damaged" if piece else f"the {name} text is truncated"
                self._failure = UnreadableError(end)
            if text and self._is_first:
                self._is_first, text = False, text.removeprefix("\ufeff")
            if not piece and not self._failure:
                break
        return text.encode("utf-8", "surrogatepass")


class Contents(Struct, frozen=True):
    """The contents of a source, or of a file in it if it is an archive."""

    name: str  # of the source and, in an archive, of the file
    stream: ByteStream  # plain UTF-8; reading it raises only UnreadableError
    encoding: str = "UTF-8"  # what it was
    file: BinaryIO | None = None  # with the same bytes, where they can be read from any place


def contents_of(raw: BinaryIO, name: str) -> Iterator[Contents]:
    """Yield the contents of an open source, or, if it is a zip archive, of each file in it.

    Raises:
        UnreadableError: the archive is damaged.
        OSError: an archive that is not a file cannot be copied to a temporary file.
    """
    yield from _contents(plain(raw), name, raw, MAX_LAYERS)


def _contents(packed: ByteStream, name: str, raw: BinaryIO | None, depth: int) -> Iterator[Contents]:
    """Yield the contents of a stream; `raw` is a file with the same bytes, if there is one."""
    first = stream = _Peeked(packed)
    for _ in range(MAX_LAYERS):
        if (kind := _kind_of(stream.head)) is None:
            break
        stream = _Peeked(_opened(stream, kind))
    if not stream.head.startswith(ZIP) or not depth:
        if (encoding := encoding_of(stream.head)) is None:
            yield Contents(name, stream, file=raw if stream is first and raw is not None and raw.seekable() else None)
        else:
            yield Contents(name, _Decoded(stream, encoding), encoding.upper()[:6])
        return
    from tempfile import TemporaryFile  # noqa: PLC0415 -- most inputs are plain
    from zipfile import BadZipFile, ZipFile  # noqa: PLC0415

    with TemporaryFile() as copy:
        is_file = stream is first and raw is not None and raw.seekable()
        if not is_file:
            shutil.copyfileobj(cast("BinaryIO", stream), copy, _PIECE)
        try:
            archive = ZipFile(cast("BinaryIO", raw) if is_file else copy)
        except (BadZipFile, EOFError, ValueError):
            raise UnreadableError("the zip archive is truncated or damaged") from None
        with archive:
            if OFFICE_FILE in archive.namelist():
                yield Contents(name, _Peeked(cast("ByteStream", BytesIO(ZIP[0] + OFFICE_FILE.encode()))))
                return
            for info in archive.infolist():
                if not info.is_dir():
                    yield from _contents(_zip_member(archive, info), f"{name}/{info.filename}", None, depth - 1)


def _zip_member(archive: "ZipFile", info: "ZipInfo") -> ByteStream:
    """Return a file in a zip archive, which is opened when it is read."""
    from lzma import LZMAError  # noqa: PLC0415 -- most inputs are plain
    from zipfile import BadZipFile  # noqa: PLC0415

    opened = cache(archive.open)

    def read(size: int) -> bytes:
        if info.flag_bits & 1:
            raise UnreadableError("the file in the zip archive is encrypted")
        try:
            return cast("ByteStream", opened(info)).read1(size)
        except NotImplementedError:
            raise UnreadableError("the file in the zip archive is compressed with an unsupported method") from None

    return _Guarded(read, "file in the zip archive", BadZipFile, ValueError, LZMAError)


def plain(raw: BinaryIO) -> ByteStream:
    """Return the bytes of an open source, without decompression. Reading raises only UnreadableError."""
    return _Guarded(raw.read, "")


def is_plain(head: bytes) -> bool:
    """Whether a source that begins like this is UTF-8, and neither compressed nor an archive."""
    return _kind_of(head) is None and encoding_of(head) is None and not head.startswith(ZIP)


_ENCODINGS: Final = (
    (pattern(rb"\xff\xfe\0\0|[\t\n\r -~]\0\0\0"), "utf-32-le"),
    (pattern(rb"\0\0(?:\xfe\xff|\0[\t\n\r -~])"), "utf-32-be"),
    (pattern(rb"\xff\xfe|[\t\n\r -~]\0[^\0]"), "utf-16-le"),
    (pattern(rb"\xfe\xff|\0[\t\n\r -~]\0[^\0]"), "utf-16-be"),
)
"""How contents begin: with a byte order mark, or with an ASCII character. No msgpack begins like this."""


def encoding_of(head: bytes) -> str | None:
    """Return UTF-16 or UTF-32, with its byte order, of contents that begin like this; None for anything else."""
    return next((encoding for start, encoding in _ENCODINGS if start.match(head)), None)


def _opened(stream: _Peeked, kind: str) -> ByteStream:
    """Decompress a stream; each library is loaded only where it is needed."""
    name = f"{kind} data"
    if kind == "gzip":
        from gzip import GzipFile  # noqa: PLC0415

        return _Guarded(GzipFile(fileobj=cast("BinaryIO", stream)).read1, name)
    if kind == "bzip2":
        from bz2 import BZ2Decompressor  # noqa: PLC0415

        return _Guarded(_Streams(stream, BZ2Decompressor).read1, name)
    if kind == "xz":
        from lzma import LZMADecompressor, LZMAError  # noqa: PLC0415

        return _Guarded(_Streams(stream, LZMADecompressor).read1, name, LZMAError)
    if sys.version_info >= (3, 14):
        from compression.zstd import ZstdDecompressor, ZstdError  # noqa: PLC0415
    else:
        from backports.zstd import ZstdDecompressor, ZstdError  # noqa: PLC0415

    return _Guarded(_Streams(stream, ZstdDecompressor).read1, name, ZstdError)


ZIP: Final = (b"PK\x03\x04", b"PK\x05\x06")  # an archive; one without files
OFFICE_FILE: Final = "[Content_Types].xml"  # in every Excel workbook and Word document, which are zip archives

_MAGICS: Final = (
    (b"\x1f\x8b", "gzip"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    # pzstd and seekable zstd begin with a frame to be skipped (RFC 8878, section 3.1.2).
    (tuple(bytes((0x50 + kind, 0x2A, 0x4D, 0x18)) for kind in range(16)), "zstd"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\x00", "xz"),
)


def _kind_of(head: bytes) -> str | None:
    return next((kind for magic, kind in _MAGICS if head.startswith(magic)), None)
