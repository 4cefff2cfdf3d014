"""Ids whose contents were written differently on the two sides: whether they differ is for a closer look to tell."""

from typing import Final

_BITS: Final = 27


class Suspects:
    """A set of digests that may have a few more members than were added, in 16 MB."""

    def __init__(self) -> None:
        self._bits = bytearray()

    def __bool__(self) -> bool:
        return bool(self._bits)

    def add(self, digest: bytes) -> None:
        """Add one."""
        if not self._bits:
            self._bits = bytearray(1 << _BITS - 3)
        place = int.from_bytes(digest[:4], "big") >> 32 - _BITS
        self._bits[place >> 3] |= 1 << (place & 7)

    def __contains__(self, digest: bytes) -> bool:
        place = int.from_bytes(digest[:4], "big") >> 32 - _BITS
        return bool(self._bits[place >> 3] >> (place & 7) & 1)
