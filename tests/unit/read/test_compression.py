import bz2
import gzip
import lzma
import struct
import sys
import zipfile
from collections.abc import Callable
from io import BytesIO

import pytest

from td_currents_cli.read.compression import MAX_LAYERS, UnreadableError, contents_of, encoding_of

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd


def checked_zstd(data: bytes) -> bytes:
    """With the checksum that the zstd command adds."""
    return zstd.compress(data, options={zstd.CompressionParameter.checksum_flag: 1})


TEXT = b'{"events":[{"event_type":"users.messages.email.Open"}]}\n' * 5000
PACK: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "zstd": checked_zstd,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
}
kinds = pytest.mark.parametrize("kind", PACK)


class Drip(BytesIO):
    """A source that hands out one byte at a time, as a slow pipe may."""

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(min(1, size or 1))


def unpacked(data: bytes | BytesIO, size: int = 1 << 16) -> tuple[bytes, str | None]:
    """All that can be read, and why it ended before its time."""
    ((_, text, failure, _),) = texts(data, size)
    return text, failure


@pytest.mark.parametrize("data", [TEXT, b"", b"BZ"])
def test_plain_text_is_itself(data: bytes) -> None:
    assert unpacked(data) == (data, None)


@kinds
@pytest.mark.parametrize("size", [1 << 20, 1000])
def test_each_kind_is_told_from_its_first_bytes(kind: str, size: int) -> None:
    """For any size of a read, so that memory stays bounded; and where they come from a pipe one at a time.

    `cat a.gz b.gz > c.gz` has gzip members, frames and streams one after another, empty ones too. Tapes and xz
    (section 2.2 of its format) pad files with zeros, between streams too. Seekable zstd and pzstd begin with a frame
    to be skipped.
    """
    pack = PACK[kind]
    assert unpacked(pack(TEXT), size) == (TEXT, None)
    assert unpacked(Drip(pack(b"text")), size) == (b"text", None)
    assert unpacked(pack(TEXT) + pack(b"") + pack(b"tail"), size) == (TEXT + b"tail", None)
    for zeros in (bytes(4), bytes(100_000)):
        assert unpacked(pack(TEXT) + zeros + pack(b"tail") + zeros, size) == (TEXT + b"tail", None)
    frame = struct.pack("<II", 0x184D2A5E, 4) + b"abcd"
    assert kind != "zstd" or unpacked(frame + pack(TEXT) + frame) == (TEXT, None)


@kinds
def test_what_is_truncated_or_damaged_is_unreadable(kind: str) -> None:
    """What came before is given; each exception of a decompressor at a flipped byte becomes the same one."""
    packed = PACK[kind](TEXT)
    # `cat a.xz b.json > c.xz`: the second file is not left out without a word.
    assert unpacked(packed + b'{"events":[]}') == (TEXT, f"cannot read the {kind} data: it is damaged")
    assert unpacked(packed[:6]) == (b"", f"the {kind} data is truncated")
    for place in range(6, len(packed), max(1, len(packed) // 60)):
        text, failure = unpacked(packed[:place] + bytes([packed[place] ^ 0xFF]) + packed[place + 1 :])
        assert failure is not None or text == TEXT
    lines = b"".join(b'{"id":"%d"}\n' % (number * 7919**3) for number in range(20_000 if kind == "xz" else 100_000))
    packed = PACK[kind](lines)
    text, failure = unpacked(packed[: len(packed) * 3 // 4])
    assert failure == f"the {kind} data is truncated"
    assert lines.startswith(text)
    # xz works in blocks of megabytes and bzip2 in blocks of 900 kB; what is whole is there.
    assert len(text) > len(lines) // 3 or kind == "xz"


def test_a_read_that_fails_says_why() -> None:
    class Broken(BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            raise OSError(5, "Input/output error")

    assert unpacked(Broken()) == (b"", "Input/output error")


@kinds
def test_compression_in_compression(kind: str) -> None:
    """Up to a depth: files exist that never end."""
    packed = PACK[kind](gzip.compress(TEXT))
    assert unpacked(packed) == (TEXT, None)
    assert unpacked(packed[:-9])[1] == f"the {kind} data is truncated"
    for _ in range(MAX_LAYERS):
        packed = PACK[kind](packed)
    assert not unpacked(packed)[0].startswith(TEXT[:6])


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("size", [2, 7, 1 << 16])
def test_other_encodings(mark: str, encoding: str, size: int) -> None:
    """With and without a byte order mark, at any size of a read; what is damaged or truncated is, from there on."""
    lines = '{"events":[{"id":"é😀あ"}]}\r\n' * 50
    data = (mark + lines).encode(encoding)
    name = encoding[:6].upper()
    assert texts(data, size) == [("x", lines.encode(), None, name)]
    assert texts(gzip.compress(data)) == texts(data)
    ((_, text, failure, _),) = texts(data[:-1])
    assert (text, failure) == (lines[:-1].encode(), f"the {name} text is truncated")
    if "32" in encoding:
        ((_, text, failure, _),) = texts(data + b"\x7f\xff\xff\x7f")
        assert (text, failure) == (lines.encode(), f"cannot read the {name} text: it is damaged")


def test_a_lone_surrogate_costs_its_document() -> None:
    """It becomes bytes that are not UTF-8: the decoder of the document reports them."""
    data = "{}\n[\ud800]\n{}".encode("utf-16", "surrogatepass")
    assert texts(data)[0][1] == b"{}\n[\xed\xa0\x80]\n{}"


@pytest.mark.parametrize("data", [b"\x92\0\xc0", b"\xdc\0\x10\0", b"PAR1\0\0", b"{}", b"\0\0\0\0", b"1\0\0", b""])
def test_what_is_not_another_encoding(data: bytes) -> None:
    assert encoding_of(data) is None


def texts(data: bytes | BytesIO, size: int = 1 << 16) -> list[tuple[str, bytes, str | None, str]]:
    """Name, bytes, failure and encoding of each text of a source."""
    found = []
    for text in contents_of(data if isinstance(data, BytesIO) else BytesIO(data), "x"):
        pieces, failure = [], None
        try:
            while piece := text.stream.read1(size):
                assert len(piece) <= size or text.encoding != "UTF-8"
                pieces.append(piece)
        except UnreadableError as error:
            failure = str(error)
        found.append((text.name, b"".join(pieces), failure, text.encoding))
    return found


def zipped(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_the_files_of_an_archive(pack: Callable[[bytes], bytes], method: int) -> None:
    """In folders, compressed once more, in another encoding, and in an archive in the archive."""
    inner = zipped({"c.json": b"3", "d.json": b"4"})
    files = {"a.json": b"1", "b/": b"", "b/b.json.gz": gzip.compress(b"2"), "e.zip": inner, "f": "5{".encode("utf-16")}
    assert [(name, text) for name, text, _, _ in texts(pack(zipped(files, method)))] == [
        ("x/a.json", b"1"),
        ("x/b/b.json.gz", b"2"),
        ("x/e.zip/c.json", b"3"),
        ("x/e.zip/d.json", b"4"),
        ("x/f", b"5{"),
    ]
    assert texts(zipped({})) == []


def test_archives_that_cannot_be_read() -> None:
    """A truncated archive has no table of contents; damage in a file of one costs that file."""
    data = zipped({"a.json": TEXT, "b.json": b"2"})
    with pytest.raises(UnreadableError, match="truncated or damaged"):
        texts(data[:-30])
    place = data.index(b"a.json") + 20
    (_, _, failure, _), (_, text, _, _) = texts(data[:place] + b"\xff\xff" + data[place + 2 :])
    assert failure == "cannot read the file in the zip archive: it is damaged"
    assert text == b"2"
    encrypted = bytearray(zipped({"a.json": b"1"}))
    encrypted[encrypted.index(b"PK\x01\x02") + 8] |= 1
    assert texts(bytes(encrypted))[0][2] == "the file in the zip archive is encrypted"
    unknown = bytearray(zipped({"a.json": b"1"}))
    unknown[unknown.index(b"PK\x01\x02") + 10] = 97
    assert texts(bytes(unknown))[0][2] == "the file in the zip archive is compressed with an unsupported method"
    workbook = zipped({"[Content_Types].xml": b"<x/>", "xl/a.xml": b""})
    assert texts(workbook)[0][1].startswith(b"PK")
    for _ in range(MAX_LAYERS):
        data = zipped({"a.zip": data})
    assert texts(data)[0][1].startswith(b"PK")
