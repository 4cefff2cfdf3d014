"""Filters for events: by type and by event time."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo
from fnmatch import fnmatchcase
from typing import Any, Final

from msgspec import Struct, structs

from td_currents_cli.braze import CANARY, LATEST
from td_currents_cli.errors import UsageError
from td_currents_cli.patterns import pattern

_DIGITS: Final = len(str(LATEST))


def usable_seconds(time: object) -> float | None:
    """An event's `time` as UNIX seconds; None for anything but a time between 1970 and 9999.

    A string of digits is usable, too: the catalog has event types whose `time` is one.
    """
    if isinstance(time, str) and len(time) <= _DIGITS and time.isdecimal() and time.isascii():
        time = int(time)
    if isinstance(time, bool) or not isinstance(time, int | float) or not 0 <= time <= LATEST:
        return None
    return time


class UsableTimes(Struct, gc=False):
    """The usable ones of some times, in UNIX seconds, with the earliest and the latest."""

    times: list[float]
    first: float | None
    last: float | None

    @classmethod
    def of(cls, times: list[Any]) -> "UsableTimes":
        """Nearly always, all are usable; to see that takes a tenth of the time of checking each value."""
        try:
            first, last = min(times), max(times)
            # `True` and `False` are 1 and 0. What is not a number cannot be compared.
            if first > 1 and last <= LATEST:
                return cls(times, first, last)
        except (TypeError, ValueError):  # there is none, or not all are numbers
            pass
        usable = [seconds for time in times if (seconds := usable_seconds(time)) is not None]
        return cls(usable, min(usable, default=None), max(usable, default=None))


def usable_or_none(times: list[Any]) -> Sequence[float | None]:
    """Each time, with None for those that are not usable."""
    usable = UsableTimes.of(times).times
    return usable if len(usable) == len(times) else list(map(usable_seconds, times))


def iso(moment: datetime | None) -> str | None:
    """ISO 8601 in UTC to the second, such as `2026-11-20T10:00:00Z`."""
    # Three times as fast as a format.
    return None if moment is None else f"{moment.isoformat(timespec='seconds')[:19]}Z"


def moment_of(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


_EPOCH: Final = pattern(r"@\d{1,12}|\d{9,}", re.ASCII)
_AGO: Final = pattern(r"-(?P<number>\d{1,9})(?P<unit>[smhdw])", re.ASCII)
_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_HINT: Final = "Use 2026-07-01, 2026-07-01T10:00, 2026-07-01T10:00:00Z, UNIX seconds, or -7d (also s, m, h, w)."


def zone_of(name: str) -> tzinfo:
    """A time zone by its IANA name. Raises UsageError if this machine does not know it."""
    if name == "UTC":
        return UTC
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError  # noqa: PLC0415 -- most runs use UTC

    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UsageError(
            f"unknown time zone for --timezone: {name}",
            hint="Use a name such as Europe/Berlin. If no name is known: python3 -m pip install tzdata",
        ) from None


def seconds_of(value: str, option: str, *, now: float, zone: tzinfo) -> float:
    """UNIX seconds of an option's value; `zone` is for values without a time zone. Raises UsageError.

    The value is an ISO 8601 date or time, UNIX seconds (`1782864000`, or any number after `@`), or a time ago (`-7d`).
    """
    value = value.strip()
    if ago := _AGO.fullmatch(value):
        return now - int(ago["number"]) * _UNITS[ago["unit"]]
    if _EPOCH.fullmatch(value):
        seconds = int(value.removeprefix("@"))
        if seconds > LATEST:
            raise UsageError(f"{option} must be in UNIX seconds: {value}", hint="This looks like milliseconds.")
        return seconds
    # Python reads `20260701` as a date; as UNIX seconds it is 1970-08-23.
    if value.isdecimal():
        raise UsageError(f"{option} is ambiguous: {value}", hint=f"{_HINT} UNIX seconds of few digits need an @: @0.")
    try:
        moment = datetime.fromisoformat(value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).timestamp()
    except (ValueError, OverflowError):
        raise UsageError(f"{option} is not a date or time: {value}", hint=_HINT) from None


def time_range(
    since: str | None, until: str | None, options: tuple[str, str], *, now: float, zone: tzinfo = UTC
) -> tuple[float | None, float | None]:
    """Convert the values of two options to UNIX seconds; see `seconds_of`.

    Raises:
        UsageError: a value is not valid, or nothing is between them.
    """
    begin, end = (
        None if value is None else seconds_of(value, option, now=now, zone=zone)
        for value, option in zip((since, until), options, strict=True)
    )
    if begin is not None and end is not None and begin >= end:
        raise UsageError(f"{options[0]} must be before {options[1]}", hint="Nothing can be between them.")
    return begin, end


_NOT: Final = "!"


def split_globs(options: Sequence[str]) -> list[str]:
    """The globs of the values of `--type`, in each of which they are separated by commas."""
    return [glob.strip() for option in options for glob in option.split(",")]


class TypeGlobs(Struct, frozen=True):
    """Case-insensitive globs for event types; a glob that begins with `!` excludes.

    An event whose type is missing, empty or not a string matches no glob: it is kept unless some glob includes types.
    """

    included: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()

    @classmethod
    def of(cls, globs: Sequence[str]) -> "TypeGlobs":
        """Raises UsageError for an empty glob."""
        lower = [glob.lower() for glob in globs]
        if "" in lower or _NOT in lower:
            raise UsageError("--type has an empty glob", hint="For example '*.email.*' or '!*.Abort'.")
        return cls(
            tuple(glob for glob in lower if not glob.startswith(_NOT)),
            tuple(glob[1:] for glob in lower if glob.startswith(_NOT)),
        )

    def __bool__(self) -> bool:
        return bool(self.included or self.excluded)

    def __call__(self, event_type: object) -> bool:
        if not isinstance(event_type, str) or not event_type:
            return not self.included
        name = event_type.lower()
        return (not self.included or any(fnmatchcase(name, glob) for glob in self.included)) and not any(
            fnmatchcase(name, glob) for glob in self.excluded
        )


class Filter(Struct, frozen=True, kw_only=True):
    """Which events are kept. An event whose `time` is not usable is in no period."""

    types: TypeGlobs = TypeGlobs()
    since: float | None = None  # UNIX seconds, inclusive
    until: float | None = None  # UNIX seconds, exclusive
    canaries: bool = True  # else events of the type CANARY are left out, whatever the types and the period

    @classmethod
    def of(
        cls, *, types: Sequence[str] | None, since: str | None, until: str | None, now: float, zone: tzinfo = UTC
    ) -> "Filter":
        """The filter for the values of `--type`, each with globs separated by commas, `--since` and `--until`.

        Canaries are left out unless a glob asks for them: one that begins with the first word of their type.

        Raises:
            UsageError: a value is not valid, or the period is empty.
        """
        begin, end = time_range(since, until, ("--since", "--until"), now=now, zone=zone)
        globs = TypeGlobs.of(split_globs(types or ()))
        canaries = any(glob.startswith(_OURS) and fnmatchcase(CANARY, glob) for glob in globs.included)
        return cls(types=globs, since=begin, until=end, canaries=canaries)

    def with_canaries(self) -> "Filter":
        return structs.replace(self, canaries=True)

    def __bool__(self) -> bool:
        return bool(self.types) or self.timed or not self.canaries

    @property
    def timed(self) -> bool:
        return self.since is not None or self.until is not None

    def covers(self, time: object) -> bool:
        """Whether the period includes an event's `time`."""
        if not self.timed:
            return True
        seconds = usable_seconds(time)
        return (
            seconds is not None
            and (self.since is None or seconds >= self.since)
            and (self.until is None or seconds < self.until)
        )


EVERYTHING: Final = Filter()
WITHOUT_CANARIES: Final = Filter(canaries=False)

_OURS: Final = f"{CANARY.partition('.')[0]}."


class EventFilter:
    """Applies a filter; caches the result for each event type, and counts the canaries that are left out."""

    def __init__(self, wanted: Filter) -> None:
        self._wanted = wanted
        self._by_type: dict[object, bool] = {}
        self.canaries = 0

    def keeps(self, event_type: object, time: object) -> bool:
        if not self._wanted.canaries and event_type == CANARY:
            self.canaries += 1
            return False
        return self._of_type(event_type) and self._wanted.covers(time)

    def filter(self, events: list[Any], types: list[Any]) -> list[Any]:
        """The events that are kept, given the `event_type` of each: the same list if all are."""
        # A search in C: of nearly all events, none is a canary.
        if not self._wanted.canaries and CANARY in types:
            others = [event for event in events if event.event_type != CANARY]
            self.canaries += len(events) - len(others)
            events = others
        if self._wanted.types:
            of_type = self._of_type
            events = [event for event in events if of_type(event.event_type)]
        if self._wanted.timed:
            covers = self._wanted.covers
            events = [event for event in events if covers(event.time)]
        return events

    def _of_type(self, event_type: object) -> bool:
        if not isinstance(event_type, str):
            return self._wanted.types(None)
        kept = self._by_type.get(event_type)
        if kept is None:
            kept = self._by_type[event_type] = self._wanted.types(event_type)
        return kept
