import bz2
import gzip
import lzma
import struct
import sys
from collections.abc import Callable
from io import BytesIO, RawIOBase
from typing import Any

import pytest

from td_currents_cli.read.compression import UnreadableError, decompressed

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


class Drip(RawIOBase):
    """A source that hands out one byte at a time, as a slow pipe may."""

    def __init__(self, data: bytes) -> None:
        super().__init__()
        self._data = BytesIO(data)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        """At most one byte."""
        piece = self._data.read(1)
        buffer[: len(piece)] = piece
        return len(piece)


def unpacked(data: bytes, size: int = 1 << 16) -> tuple[bytes, str | None]:
    """All that can be read, and why it ended before its time."""
    pieces = []
    try:
        stream = decompressed(BytesIO(data))
        while piece := stream.read1(size):
            assert len(piece) <= size
            pieces.append(piece)
    except UnreadableError as error:
        return b"".join(pieces), str(error)
    return b"".join(pieces), None


def test_plain_text_is_itself() -> None:
    assert unpacked(TEXT) == (TEXT, None)
    assert unpacked(b"") == (b"", None)
    assert unpacked(b"BZ") == (b"BZ", None)


@kinds
@pytest.mark.parametrize("size", [1 << 20, 1000])
def test_each_kind_is_told_from_its_first_bytes(kind: str, size: int) -> None:
    """For any size of a read, so that memory stays bounded."""
    assert unpacked(PACK[kind](TEXT), size) == (TEXT, None)


@kinds
def test_several_in_one_file_are_read_one_after_another(kind: str) -> None:
    """`cat a.gz b.gz > c.gz`: gzip members, frames and streams, empty ones too."""
    pack = PACK[kind]
    assert unpacked(pack(TEXT) + pack(b"") + pack(b"tail")) == (TEXT + b"tail", None)


@kinds
@pytest.mark.parametrize("size", [4, 100_000])
def test_padding_with_zeros_is_no_damage(kind: str, size: int) -> None:
    """Tapes and xz (section 2.2 of its format) pad files, between streams too."""
    pack = PACK[kind]
    assert unpacked(pack(TEXT) + bytes(size) + pack(b"tail") + bytes(size)) == (TEXT + b"tail", None)


@kinds
def test_what_follows_and_is_something_else_is_damage(kind: str) -> None:
    """`cat a.xz b.json > c.xz`: the second file is not left out without a word."""
    text, failure = unpacked(PACK[kind](TEXT) + b'{"events":[]}')
    assert text == TEXT
    assert failure == f"cannot read the {kind} data: it is damaged"


@kinds
def test_a_truncated_file_gives_what_came_before(kind: str) -> None:
    lines = b"".join(b'{"id":"%d"}\n' % (number * 7919**3) for number in range(20_000 if kind == "xz" else 100_000))
    packed = PACK[kind](lines)
    text, failure = unpacked(packed[: len(packed) * 3 // 4])
    assert failure == f"the {kind} data is truncated"
    assert lines.startswith(text)
    # xz works in blocks of megabytes and bzip2 in blocks of 900 kB; what is whole is there.
    assert len(text) > len(lines) // 3 or kind == "xz"


@kinds
def test_only_the_first_bytes_is_cut_off_too(kind: str) -> None:
    """An upload that broke off at once."""
    assert unpacked(PACK[kind](TEXT)[:6]) == (b"", f"the {kind} data is truncated")


@kinds
def test_damage_is_unreadable_and_nothing_else(kind: str) -> None:
    """Each exception of a decompressor at a flipped byte becomes the same one."""
    packed = bytearray(PACK[kind](TEXT))
    for place in range(6, len(packed), max(1, len(packed) // 60)):
        damaged = bytes(packed[:place]) + bytes([packed[place] ^ 0xFF]) + bytes(packed[place + 1 :])
        text, failure = unpacked(damaged)
        assert failure is not None or text == TEXT


def test_zstd_with_a_skippable_frame_in_front() -> None:
    """Seekable zstd and pzstd begin with one."""
    frame = struct.pack("<II", 0x184D2A5E, 4) + b"abcd"
    assert unpacked(frame + zstd.compress(TEXT) + frame) == (TEXT, None)


@kinds
def test_first_bytes_that_come_one_at_a_time(kind: str) -> None:
    """The first piece from a pipe may have fewer than six bytes."""
    drip: Any = Drip(PACK[kind](b"text"))
    stream = decompressed(drip)
    assert b"".join(iter(lambda: stream.read1(100), b"")) == b"text"


def test_a_read_that_fails_says_why() -> None:
    class Broken(Drip):
        def readinto(self, buffer: Any, /) -> int:
            raise OSError(5, "Input/output error")

    broken: Any = Broken(b"")
    with pytest.raises(UnreadableError, match="Input/output error"):
        decompressed(broken)
