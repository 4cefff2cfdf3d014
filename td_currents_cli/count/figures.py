"""The figures of a group of events."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from msgspec import Struct

from td_currents_cli.count.bins import Key
from td_currents_cli.events.times import iso

ASKED: Final = ("duplicates", "unique_events", "unique_users")
"""Figures that are there when they are asked for."""


class Count(Struct, frozen=True, kw_only=True):
    """The figures of one group of events.

    Attributes:
        key: its value of each thing that was counted by; None where its events have none.
        count: number of events.
        share: part of all events, 0 to 1.
        first: earliest `time` of an event, None when none of them has a usable one.
        last: latest `time` of an event.
        duplicates: events left out because their id came before; None when nobody asked for that.
        unique_events: different ids; None when nobody asked.
        unique_users: different users; None when nobody asked.
    """

    key: Key
    count: int
    share: float
    first: datetime | None = None
    last: datetime | None = None
    duplicates: int | None = None
    unique_events: int | None = None
    unique_users: int | None = None

    def as_dict(self, by: Sequence[str]) -> dict[str, object]:
        """The machine form: a field for each thing that was counted by, then the figures."""
        return {**dict(zip(by, self.key, strict=True)), **self.figures()}

    def figures(self) -> dict[str, object]:
        """The machine form, without the key; times in UTC with the suffix Z."""
        return {
            "count": self.count,
            "share": round(self.share, 6),
            "first": iso(self.first),
            "last": iso(self.last),
            **{name: figure for name in ASKED if (figure := getattr(self, name)) is not None},
        }
