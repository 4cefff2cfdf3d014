"""What a round of `watch` finds, and which states follow from it."""

from collections.abc import Iterator
from enum import IntEnum, StrEnum, auto
from typing import ClassVar, Final

from msgspec import Struct

from td_currents_cli.braze import DROPS_AFTER
from td_currents_cli.events.filter import iso, moment_of
from td_currents_cli.outcome import Outcome

_MANY: Final = 30
"""Events an hour from which half of them are too few: with fewer, chance does as much once in a thousand hours."""

_SOME: Final = 10
"""Events an hour from which none at all is silence: by chance, there are none once in 20,000 hours."""

_LOW: Final = 0.5
_SOON: Final = 12 * 3600.0


class Pace(StrEnum):
    """How often a type comes, compared with the usual number of events."""

    USUAL = "ok"
    LOW = "low"
    SILENT = "silent"
    UNKNOWN = "new"  # the usual number is not known


class Silence(IntEnum):
    """How long no row has come."""

    NONE = auto()
    SILENT = auto()  # longer than --silent-after
    URGENT = auto()  # Braze drops events soon
    DROPPING = auto()  # by its older documents, Braze drops events
    LOST = auto()  # by all of its documents


class TypeRate(Struct, frozen=True):
    """The events of a type in the last hour."""

    event_type: str | None
    events: int
    usual: float | None  # events in this hour of the day

    @property
    def pace(self) -> Pace:
        if self.usual is None:
            return Pace.UNKNOWN
        if self.events == 0 and self.usual >= _SOME:
            return Pace.SILENT
        return Pace.LOW if self.usual >= _MANY and self.events < _LOW * self.usual else Pace.USUAL

    def as_dict(self) -> dict[str, object]:
        return {"event_type": self.event_type, "events": self.events, "usual": self.usual, "state": self.pace}


class CanaryResult(Struct, frozen=True):
    """What became of the event that was sent."""

    seconds: float | None  # until it was a row; None if it is not
    reason: str = ""  # why not

    @property
    def arrived(self) -> bool:
        return self.seconds is not None


class Round(Struct, frozen=True, kw_only=True):
    at: float  # UNIX seconds
    last_row: float | None  # when the last row was received, as far as known
    types: tuple[TypeRate, ...]
    silent_after: float  # seconds
    scanned: float  # seconds before the round in which rows were looked for
    canary: CanaryResult | None = None
    of_all_types: bool = True  # else, others may come while the watched ones do not

    @property
    def quiet_for(self) -> float | None:
        """Seconds since the last row; None if no row is known."""
        return None if self.last_row is None else max(0.0, self.at - self.last_row)

    @property
    def silence(self) -> Silence:
        quiet = self.quiet_for
        if quiet is None:
            return Silence.SILENT
        older, newer = DROPS_AFTER
        limits = {
            Silence.LOST: newer,
            Silence.DROPPING: older,
            Silence.URGENT: max(older - _SOON, self.silent_after),
            Silence.SILENT: self.silent_after,
        }
        if not self.of_all_types:
            limits = {Silence.SILENT: self.silent_after}
        return next((level for level, seconds in limits.items() if quiet >= seconds), Silence.NONE)

    @property
    def events(self) -> int:
        return sum(each.events for each in self.types)

    @property
    def usual(self) -> float | None:
        known = [each.usual for each in self.types if each.usual is not None]
        return sum(known) if known else None

    @property
    def is_silent(self) -> bool:
        """Whether what should come does not: rows, a type, or the canary."""
        is_lost = self.canary is not None and not self.canary.arrived
        return self.silence > Silence.NONE or is_lost or any(each.pace is Pace.SILENT for each in self.types)

    def changed_types(self, before: "Round | None") -> Iterator[TypeRate]:
        """The types whose pace is another one than in the round before; at first, those that are low or silent."""
        paces = {} if before is None else {each.event_type: each.pace for each in before.types}
        good = {Pace.USUAL, Pace.UNKNOWN}
        for each in self.types:
            then = paces.get(each.event_type, Pace.USUAL)
            if each.pace is not then and not {each.pace, then} <= good:
                yield each


class WatchOutcome(Outcome, frozen=True, kw_only=True):
    command: ClassVar[str] = "watch"

    table: str
    round: Round  # the last one
    usual_from: float | None  # when the usual numbers were read

    def summary(self) -> dict[str, object]:
        found = self.round
        return {
            "silent": found.is_silent,
            "silence": found.silence.name.lower(),
            "last_row": iso(moment_of(found.last_row)),
            "quiet_for": None if found.quiet_for is None else round(found.quiet_for, 1),
            "events": found.events,
            "usual": found.usual,
            "at": iso(moment_of(found.at)),
            "scanned": found.scanned,
            "usual_from": iso(moment_of(self.usual_from)),
        }

    def data(self) -> dict[str, object]:
        canary = self.round.canary
        shown = canary and {"arrived": canary.arrived, "seconds": canary.seconds, "reason": canary.reason}
        return {"table": self.table, "types": [each.as_dict() for each in self.round.types], "canary": shown}
