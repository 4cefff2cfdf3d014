"""Bundles: fields whose values have to fit each other, and so are drawn together."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from td_currents_cli.generate.dice import Record, SeededRandom


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldGroup:
    """Fields that are drawn together.

    Attributes:
        fields: the names the records may hold.
        make: one record; a field it leaves out is absent.
        size: how many different records there are.
        share: of the events of a type that have the bundle at all, unless the type requires one of its fields.
        of: what the name of an event type has to begin with for the bundle to be used.
    """

    fields: tuple[str, ...]
    make: Callable[[SeededRandom], Record]
    size: int = 40
    share: float = 1.0
    of: str = ""

    @property
    def name(self) -> str:
        """What tells it from the other bundles; its dice are named for it."""
        return f"{self.of}:{self.fields[0]}"

    def records(self, seed: int) -> list[Record]:
        """All records of the bundle in a run."""
        dice = SeededRandom(seed, "bundle", self.name)
        return [self.make(dice) for _ in range(self.size)]


def one_of(field: str, values: Sequence[object], *, share: float = 1.0, of: str = "") -> FieldGroup:
    """A bundle of one field that takes one of a few values."""
    return FieldGroup(fields=(field,), make=lambda dice: {field: dice.pick(values)}, share=share, of=of)
