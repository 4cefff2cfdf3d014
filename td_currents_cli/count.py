"""How many events of each type there are, in payload files and ingested rows alike."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar, Final

from msgspec import UNSET, Struct

from td_currents_cli.events.decode import Decoder
from td_currents_cli.events.stream import Intake
from td_currents_cli.outcome import Balance, Outcome, exit_code_of
from td_currents_cli.read import Source, records

LATEST: Final = 253_402_300_799
"""The last second of the year 9999: a larger `time` is no UNIX time in seconds (milliseconds, most likely)."""

_DIGITS: Final = len(str(LATEST))


@dataclass(frozen=True, slots=True)
class CountRequest:
    """What to count."""

    sources: Sequence[Source]


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """One line of the result.

    Attributes:
        event_type: None for events that have none.
        count: number of events.
        share: part of all events, 0 to 1.
        first: earliest `time` of an event, None when none of them has a usable one.
        last: latest `time` of an event.
    """

    event_type: str | None
    count: int
    share: float
    first: datetime | None
    last: datetime | None

    def as_dict(self) -> dict[str, object]:
        """The machine form; times in UTC with the suffix Z."""
        return {
            "event_type": self.event_type,
            "count": self.count,
            "share": round(self.share, 6),
            "first": iso(self.first),
            "last": iso(self.last),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class CountOutcome(Outcome):
    """Counts in descending order, types with equal counts by name."""

    command: ClassVar[str] = "count"

    counts: tuple[Count, ...]
    balance: Balance

    @property
    def first(self) -> datetime | None:
        """Earliest time of all."""
        return min((count.first for count in self.counts if count.first), default=None)

    @property
    def last(self) -> datetime | None:
        """Latest time of all."""
        return max((count.last for count in self.counts if count.last), default=None)

    def summary(self) -> dict[str, object]:
        """Totals and the balance."""
        return {
            "total": self.balance.events_out,
            "types": len(self.counts),
            "first": iso(self.first),
            "last": iso(self.last),
            "rows": self.balance.rows_read,
            "rows_rejected": self.balance.rows_rejected,
            "events_read": self.balance.events_read,
            "events_rejected": self.balance.events_rejected,
            "problems": self.problems.total,
        }

    def data(self) -> dict[str, object]:
        """The counts themselves."""
        return {"counts": [count.as_dict() for count in self.counts]}


class _Event(Struct, gc=False):
    event_type: Any = UNSET
    time: Any = UNSET


class _Group:
    """Events of one type."""

    __slots__ = ("count", "first", "last")

    def __init__(self) -> None:
        self.count = 0
        self.first = float("inf")
        self.last = float("-inf")

    def add(self, time: object) -> None:
        self.count += 1
        seconds = usable_seconds(time)
        if seconds is not None:
            self.first = min(self.first, seconds)
            self.last = max(self.last, seconds)


def run(request: CountRequest) -> CountOutcome:
    """Count the events of all sources by their type."""
    intake = Intake()
    groups: dict[str | None, _Group] = {}
    for _batch, events in intake.events(records(request.sources), Decoder(_Event)):
        for event in events:
            name = event.event_type if isinstance(event.event_type, str) else None
            group = groups.get(name)
            if group is None:
                group = groups[name] = _Group()
            group.add(event.time)
    total = sum(group.count for group in groups.values())
    balance = intake.balance(events_out=total)
    problems = intake.log.result()
    return CountOutcome(
        counts=_counts(groups, total),
        balance=balance,
        problems=problems,
        exit_code=exit_code_of(problems, balance),
    )


def _counts(groups: dict[str | None, _Group], total: int) -> tuple[Count, ...]:
    ordered = sorted(groups.items(), key=lambda item: (-item[1].count, item[0] or ""))
    return tuple(
        Count(
            event_type=name,
            count=group.count,
            share=group.count / total,
            first=_moment(group.first),
            last=_moment(group.last),
        )
        for name, group in ordered
    )


def usable_seconds(time: object) -> float | None:
    """An event's `time` as UNIX seconds; None for what is not a time between 1970 and 9999.

    A text of digits counts too: the catalogue has event types that send it so.
    """
    if isinstance(time, str) and len(time) <= _DIGITS and time.isdecimal() and time.isascii():
        time = int(time)
    if isinstance(time, bool) or not isinstance(time, int | float) or not 0 <= time <= LATEST:
        return None
    return time


def _moment(seconds: float) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if 0 <= seconds <= LATEST else None


def iso(moment: datetime | None) -> str | None:
    """ISO 8601 in UTC to the second, as `2026-11-20T10:00:00Z`."""
    return None if moment is None else f"{moment:%Y-%m-%dT%H:%M:%SZ}"
