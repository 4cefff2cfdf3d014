"""Random values that are the same on every machine and every Python version."""

import json
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


Fragments = tuple[bytes, ...]
"""`,"name":value` for each field of a record, empty if it is absent."""

_NEVER_OMITTED: Final = frozenset(
    {"user_id", "external_user_id", "campaign_id", "canvas_id", "canvas_step_id", "app_group_id"}
)

_encode: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def fragment(name: str, value: object) -> bytes:
    """Encode a field of an object, after a comma.

    The standard library has written numbers and escapes in the same way in all versions.
    """
    return f",{_encode(name)}:{_encode(value)}".encode()


class RecordPool(dict[int, Fragments]):
    """Records created on first use, each as its fragments twice: all of them, then only some.

    The first half is for the event types that require a field, the second for those that do not: what a record omits,
    it always omits, as a profile without a gender has none in any event. `omitted` is the share of omitted optional
    fields.
    """

    def __init__(self, make: Callable[[int], Record], seed: int, name: str, *, omitted: float) -> None:
        super().__init__()
        self._make = make
        self._seed = seed
        self._name = name
        self._omitted = omitted
        self.fields = tuple(make(0))

    def __missing__(self, number: int) -> Fragments:
        record = self._make(number)
        rng = SeededRandom(self._seed, self._name, number, "omitted")
        full = [b"" if record[name] is None else fragment(name, record[name]) for name in self.fields]
        omits = [rng.chance(self._omitted) and name not in _NEVER_OMITTED for name in self.fields]
        some = [b"" if omit else encoded for encoded, omit in zip(full, omits, strict=True)]
        self[number] = result = (*full, *some)
        return result

    def slot(self, name: str, *, required: bool) -> int:
        """Return the index of a field in each of the pool's tuples."""
        return self.fields.index(name) + (0 if required else len(self.fields))


class FieldGroup:
    """Fields whose values must fit together, and are therefore drawn together.

    `size` is the number of records, `share` that of the events of a type that have the group unless the type requires
    one of its fields, and `of` the prefix of the event types that use it.
    """

    def __init__(
        self, make: Callable[[SeededRandom], Record], *, size: int = 40, share: float = 1.0, of: str = ""
    ) -> None:
        self._make = make
        self._size = size
        self.share = share
        self.of = of
        self.fields = tuple(make(SeededRandom(0)))

    def records(self, seed: int) -> list[Record]:
        rng = SeededRandom(seed, "bundle", f"{self.of}:{self.fields[0]}")
        return [self._make(rng) for _ in range(self._size)]


def one_of(field: str, values: Sequence[object], *, share: float = 1.0, of: str = "") -> FieldGroup:
    """Return a group of one field with one of a few values."""
    return FieldGroup(lambda rng: {field: rng.pick(values)}, share=share, of=of)
