"""Values as the bytes they will be in an event, encoded once and put together many times."""

import json
from collections.abc import Callable
from typing import Final

from td_currents_cli.generate.dice import Record, SeededRandom

Fragments = tuple[bytes, ...]
"""`,"name":value` for each field of a record, empty where it is absent."""

_KEPT: Final = frozenset({"user_id", "external_user_id", "campaign_id", "canvas_id", "canvas_step_id", "app_group_id"})
"""Fields that a record with a value for them never omits."""


_encode: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def fragment(name: str, value: object) -> bytes:
    """One member of an object, with the comma that parts it from the one before.

    Encoded by the standard library: how it writes numbers and escapes has been the same in all versions.
    """
    return f",{_encode(name)}:{_encode(value)}".encode()


class RecordPool(dict[int, Fragments]):
    """Records made when they are first asked for, each as its fragments twice: all of them, then only some.

    The first half is for the event types that require a field, the second for those that do not: what a record omits
    it always omits, as a profile without a gender has none in any event.
    """

    def __init__(self, make: Callable[[int], Record], seed: int, name: str, *, omitted: float) -> None:
        """A pool that is still empty.

        Args:
            make: gives the record of a number; all have the same fields.
            seed: of the run.
            name: of the pool; its dice are named for it.
            omitted: the share of the optional fields that a record omits.
        """
        super().__init__()
        self._make = make
        self._seed = seed
        self._name = name
        self._omitted = omitted
        self.fields = tuple(make(0))

    def __missing__(self, number: int) -> Fragments:
        record = self._make(number)
        dice = SeededRandom(self._seed, self._name, number, "omitted")
        full = [b"" if record[name] is None else fragment(name, record[name]) for name in self.fields]
        omits = [dice.chance(self._omitted) and name not in _KEPT for name in self.fields]
        some = [b"" if omit else text for text, omit in zip(full, omits, strict=True)]
        self[number] = result = (*full, *some)
        return result

    def slot(self, name: str, *, required: bool) -> int:
        """The place of a field in each of the pool's tuples."""
        return self.fields.index(name) + (0 if required else len(self.fields))
