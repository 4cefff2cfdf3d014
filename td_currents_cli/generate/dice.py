"""Randomness that gives the same values on every machine and every Python."""

import random
import struct
from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Final, TypeAlias, TypeVar

Item = TypeVar("Item")

Record: TypeAlias = dict[str, object]
"""Values by field name; None for a field that this one does not have."""

_WORD: Final = 12
"""Hexadecimal digits taken from one draw: 48 of the 53 bits a float holds."""


class SeededRandom:
    """Draws for one purpose: each purpose has its own, so that what one draws does not change the others.

    All is made of `random.Random.random`: the one method of which Python's documentation promises that a seed gives
    the same sequence in every version.

    Attributes:
        random: the next float of the sequence, from 0 up to, but not including, 1.
    """

    __slots__ = ("random",)

    random: Callable[[], float]

    def __init__(self, seed: int, *purpose: object) -> None:
        name = "/".join(map(str, (seed, *purpose)))
        number = int.from_bytes(sha256(name.encode()).digest())
        self.random = random.Random(number).random  # noqa: S311 -- synthetic data, not secrets

    def below(self, end: int) -> int:
        """A whole number from 0 to `end` - 1."""
        return int(self.random() * end)

    def between(self, first: int, last: int) -> int:
        """A whole number from `first` to `last`, both included."""
        return first + self.below(last - first + 1)

    def chance(self, share: float) -> bool:
        """True in `share` of all calls."""
        return self.random() < share

    def pick(self, items: Sequence[Item]) -> Item:
        """One of the items, each as likely as the others."""
        return items[self.below(len(items))]

    def some(self, items: Sequence[Item], most: int) -> list[Item]:
        """Up to `most` of the items, in their order, each at most once."""
        wanted = self.below(most + 1)
        chosen: list[Item] = []
        for place, item in enumerate(items):
            if self.below(len(items) - place) < wanted - len(chosen):
                chosen.append(item)
        return chosen

    def amount(self, low: float, high: float, decimals: int = 2) -> float:
        """A decimal number as Braze sends it: held in 32 bits on the way, so `3.14` becomes `3.140000104904175`."""
        scale = 10**decimals
        exact = (int(low * scale) + self.below(int((high - low) * scale))) / scale
        widened: float = struct.unpack("<f", struct.pack("<f", exact))[0]
        return widened

    def digits(self, count: int) -> str:
        """So many decimal digits."""
        return "".join(str(self.below(10)) for _ in range(count))

    def hex(self, count: int) -> str:
        """So many hexadecimal digits."""
        words = [f"{int(self.random() * 16**_WORD):0{_WORD}x}" for _ in range(0, count, _WORD)]
        return "".join(words)[:count]

    def uuid(self) -> str:
        """A UUID of version 4."""
        text = self.hex(32)
        return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-{'89ab'[int(text[16], 16) // 4]}{text[17:20]}-{text[20:]}"
