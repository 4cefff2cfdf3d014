"""Filters for events: by type and by event time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo
from fnmatch import fnmatchcase
from typing import Any, Final

from td_currents_cli.errors import UsageError
from td_currents_cli.events.moments import seconds_of
from td_currents_cli.events.times import usable_seconds

_NOT: Final = "!"


@dataclass(frozen=True, slots=True)
class TypeGlobs:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which events are kept. An event whose `time` is not usable is in no period."""

    types: TypeGlobs = TypeGlobs()
    since: float | None = None  # UNIX seconds, inclusive
    until: float | None = None  # UNIX seconds, exclusive

    @classmethod
    def of(
        cls, *, types: Sequence[str] | None, since: str | None, until: str | None, now: float, zone: tzinfo = UTC
    ) -> "Filter":
        """The filter for the values of `--type`, each with globs separated by commas, `--since` and `--until`.

        Raises:
            UsageError: a value is not valid, or the period is empty.
        """
        begin = None if since is None else seconds_of(since, "--since", now=now, zone=zone)
        end = None if until is None else seconds_of(until, "--until", now=now, zone=zone)
        if begin is not None and end is not None and begin >= end:
            raise UsageError("--since must be before --until", hint="No event can be between them.")
        globs = [glob.strip() for option in types or () for glob in option.split(",")]
        return cls(types=TypeGlobs.of(globs), since=begin, until=end)

    def __bool__(self) -> bool:
        return bool(self.types) or self.timed

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


class EventFilter:
    """Applies a filter; caches the result for each event type."""

    def __init__(self, wanted: Filter) -> None:
        self._wanted = wanted
        self._by_type: dict[object, bool] = {}

    def keeps(self, event_type: object, time: object) -> bool:
        return self._of_type(event_type) and self._wanted.covers(time)

    def filter(self, events: list[Any]) -> list[Any]:
        """The events that are kept; each has the attributes `event_type` and `time`."""
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
