"""Sets of positions of events on their side, counted from 0 in the order read."""

from heapq import heappush, heapreplace


class Bitmap:
    """A set of positions that takes a bit for each position there is.

    Its `check` combines the digests of the marked events: equal sets have equal checks.
    """

    def __init__(self, size: int) -> None:
        self._bits = bytearray(size // 8 + 1)
        self._last = -1
        self.count = 0
        self.check = 0

    def add(self, position: int, digest: bytes) -> None:
        """Mark a position that is not marked yet."""
        self._bits[position >> 3] |= 1 << (position & 7)
        self._last = max(self._last, position)
        self.count += 1
        self.check ^= int.from_bytes(digest, "big")

    def within(self, first: int, count: int) -> list[int]:
        """The marked ones of `count` positions from `first` on, relative to it."""
        if not self._bits[first >> 3 : (first + count + 7) >> 3].strip(b"\0"):
            return []
        bits = self._bits
        return [at - first for at in range(first, min(first + count, self._last + 1)) if bits[at >> 3] >> (at & 7) & 1]

    def is_past(self, position: int) -> bool:
        """Whether no position from this one on is marked."""
        return position > self._last


class FirstN:
    """The lowest few of many positions, and the digests of the ids there."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._heap: list[tuple[int, bytes]] = []

    def add(self, position: int, digest: bytes) -> None:
        """Keep a position if it is among the lowest."""
        if len(self._heap) < self._limit:
            heappush(self._heap, (-position, digest))
        elif self._heap and -position > self._heap[0][0]:
            heapreplace(self._heap, (-position, digest))

    def positions(self) -> list[int]:
        return sorted(-position for position, _digest in self._heap)

    def digests(self) -> dict[int, bytes]:
        return {-position: digest for position, digest in self._heap}
