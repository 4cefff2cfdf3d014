"""Random records: fields whose values fit together, encoded once and combined many times."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from td_currents_cli.generate.dice import Record, SeededRandom

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


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldGroup:
    """Fields whose values must fit together, and are therefore drawn together."""

    fields: tuple[str, ...]
    make: Callable[[SeededRandom], Record]  # may leave out fields
    size: int = 40  # number of records
    share: float = 1.0  # of the events of a type that have the group, unless the type requires one of its fields
    of: str = ""  # prefix of the event types that use the group

    @property
    def name(self) -> str:
        return f"{self.of}:{self.fields[0]}"

    def records(self, seed: int) -> list[Record]:
        rng = SeededRandom(seed, "bundle", self.name)
        return [self.make(rng) for _ in range(self.size)]


def one_of(field: str, values: Sequence[object], *, share: float = 1.0, of: str = "") -> FieldGroup:
    """Return a group of one field with one of a few values."""
    return FieldGroup(fields=(field,), make=lambda rng: {field: rng.pick(values)}, share=share, of=of)
