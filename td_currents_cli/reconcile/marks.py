"""Places of events on their side, counted from 0 in the order read."""

from heapq import heappush, heapreplace


class Marks:
    """A set of places, in an eighth of a byte for each place there is.

    Attributes:
        count: how many are marked.
        check: of the digests of what stands there; the same for the same set of them.
    """

    def __init__(self, size: int) -> None:
        self._bits = bytearray(size // 8 + 1)
        self._last = -1
        self.count = 0
        self.check = 0

    def add(self, place: int, digest: bytes) -> None:
        """Mark a place that is not marked yet."""
        self._bits[place >> 3] |= 1 << (place & 7)
        self._last = max(self._last, place)
        self.count += 1
        self.check ^= int.from_bytes(digest, "big")

    def within(self, first: int, count: int) -> list[int]:
        """The marked ones among so many places, counted from the first of them."""
        if not self._bits[first >> 3 : (first + count + 7) >> 3].strip(b"\0"):
            return []
        bits = self._bits
        return [at - first for at in range(first, min(first + count, self._last + 1)) if bits[at >> 3] >> (at & 7) & 1]

    def is_past(self, place: int) -> bool:
        """Whether no place from this one on is marked."""
        return place > self._last


class Earliest:
    """The first few of many places, and what stands there."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._kept: list[tuple[int, bytes]] = []

    def add(self, place: int, digest: bytes) -> None:
        """Keep it if it is among the first."""
        if len(self._kept) < self._limit:
            heappush(self._kept, (-place, digest))
        elif self._kept and -place > self._kept[0][0]:
            heapreplace(self._kept, (-place, digest))

    def places(self) -> list[int]:
        """Those kept, in order."""
        return sorted(-place for place, _digest in self._kept)

    def digests(self) -> dict[int, bytes]:
        """What stands at each."""
        return {-place: digest for place, digest in self._kept}
