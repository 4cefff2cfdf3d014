"""A compact set of ids."""

from typing import Final

_INDEX_BITS: Final = 27


class BloomFilter:
    """A set of digests in 16 MB that may contain a few more than were added."""

    def __init__(self) -> None:
        self._bits = bytearray()

    def __bool__(self) -> bool:
        return bool(self._bits)

    def add(self, digest: bytes) -> None:
        if not self._bits:
            self._bits = bytearray(1 << _INDEX_BITS - 3)
        index = int.from_bytes(digest[:4], "big") >> 32 - _INDEX_BITS
        self._bits[index >> 3] |= 1 << (index & 7)

    def __contains__(self, digest: bytes) -> bool:
        index = int.from_bytes(digest[:4], "big") >> 32 - _INDEX_BITS
        return bool(self._bits[index >> 3] >> (index & 7) & 1)
