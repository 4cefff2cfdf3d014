"""The figures of a group of events."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from msgspec import Struct

from td_currents_cli.count.dimension import Key
from td_currents_cli.events.filter import iso

OPTIONAL_FIGURES: Final = ("duplicates", "unique_events", "unique_users")


class Count(Struct, frozen=True, kw_only=True):
    key: Key
    count: int
    share: float  # of all events, 0 to 1
    first: datetime | None = None  # earliest usable `time` of its events
    last: datetime | None = None
    duplicates: int | None = None  # left out because their id occurred before; None without --dedupe
    unique_events: int | None = None  # different ids; None without --unique, as the next one
    unique_users: int | None = None

    def as_dict(self, by: Sequence[str]) -> dict[str, object]:
        """The machine form: a field per dimension, then the figures."""
        return {**dict(zip(by, self.key, strict=True)), **self.figures()}

    def figures(self) -> dict[str, object]:
        """The machine form without the key; times in UTC with the suffix Z."""
        return {
            "count": self.count,
            "share": round(self.share, 6),
            "first": iso(self.first),
            "last": iso(self.last),
            **{name: figure for name in OPTIONAL_FIGURES if (figure := getattr(self, name)) is not None},
        }


class PivotRow(Struct, frozen=True):
    """The numbers of events of one row, a cell per column."""

    key: Key
    cells: tuple[int, ...]

    @property
    def total(self) -> int:
        return sum(self.cells)


class Pivot(Struct, frozen=True, kw_only=True):
    name: str  # of the dimension whose values are columns
    by: tuple[str, ...]  # the other dimensions
    columns: tuple[str | None, ...]  # in order, a missing value last
    rows: tuple[PivotRow, ...]
    others: int  # number of rows that are not shown
    rest: PivotRow | None  # their sum; None if there are none
    total: PivotRow
