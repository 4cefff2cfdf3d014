"""Random values that are the same on every machine and every Python version."""

import random
import struct
from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Final, TypeAlias, TypeVar

Item = TypeVar("Item")

Record: TypeAlias = dict[str, object]
"""Values by field name; None if a field is absent."""

_WORD: Final = 12  # hexadecimal digits per draw: 48 of the 53 bits of a float


class SeededRandom:
    """Draws for one purpose: each purpose has its own sequence, so that one does not change the others.

    Everything is derived from `random.Random.random`: the only method for which Python documents that a seed gives the
    same sequence in every version.
    """

    __slots__ = ("random",)

    random: Callable[[], float]  # draws a float from 0 to 1, excluded

    def __init__(self, seed: int, *purpose: object) -> None:
        name = "/".join(map(str, (seed, *purpose)))
        number = int.from_bytes(sha256(name.encode()).digest())
        self.random = random.Random(number).random  # noqa: S311 -- synthetic data, not secrets

    def below(self, end: int) -> int:
        return int(self.random() * end)

    def between(self, first: int, last: int) -> int:
        """Draw an integer from `first` to `last`, inclusive."""
        return first + self.below(last - first + 1)

    def chance(self, share: float) -> bool:
        return self.random() < share

    def pick(self, items: Sequence[Item]) -> Item:
        return items[self.below(len(items))]

    def some(self, items: Sequence[Item], most: int) -> list[Item]:
        """Draw up to `most` of the items, in order and without repetition."""
        wanted = self.below(most + 1)
        chosen: list[Item] = []
        for place, item in enumerate(items):
            if self.below(len(items) - place) < wanted - len(chosen):
                chosen.append(item)
        return chosen

    def amount(self, low: float, high: float, decimals: int = 2) -> float:
        """Draw a decimal as Braze sends it: converted to 32 bits, so `3.14` becomes `3.140000104904175`."""
        scale = 10**decimals
        exact = (int(low * scale) + self.below(int((high - low) * scale))) / scale
        widened: float = struct.unpack("<f", struct.pack("<f", exact))[0]
        return widened

    def digits(self, count: int) -> str:
        return "".join(str(self.below(10)) for _ in range(count))

    def hex(self, count: int) -> str:
        words = [f"{int(self.random() * 16**_WORD):0{_WORD}x}" for _ in range(0, count, _WORD)]
        return "".join(words)[:count]

    def uuid(self) -> str:
        """Draw a UUID of version 4."""
        text = self.hex(32)
        return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-{'89ab'[int(text[16], 16) // 4]}{text[17:20]}-{text[20:]}"
