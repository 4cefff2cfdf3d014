"""Which events are meant: by their type, and by their own time."""

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
    """Globs over event types, whatever their case; one that begins with `!` takes its types away again.

    An event whose type is missing, empty or no text matches no glob: it is meant unless some type is asked for.
    """

    wanted: tuple[str, ...] = ()
    unwanted: tuple[str, ...] = ()

    @classmethod
    def of(cls, globs: Sequence[str]) -> "TypeGlobs":
        """Sort globs by what they ask for.

        Raises:
            UsageError: one of them is empty.
        """
        lower = [glob.lower() for glob in globs]
        if "" in lower or _NOT in lower:
            raise UsageError("--type has an empty glob", hint="Give a name such as '*.email.*', or '!*.Abort'.")
        return cls(
            tuple(glob for glob in lower if not glob.startswith(_NOT)),
            tuple(glob[1:] for glob in lower if glob.startswith(_NOT)),
        )

    def __bool__(self) -> bool:
        return bool(self.wanted or self.unwanted)

    def __call__(self, event_type: object) -> bool:
        """Whether a type is meant."""
        if not isinstance(event_type, str) or not event_type:
            return not self.wanted
        name = event_type.lower()
        return (not self.wanted or any(fnmatchcase(name, glob) for glob in self.wanted)) and not any(
            fnmatchcase(name, glob) for glob in self.unwanted
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which events are meant. An event whose `time` is no time is in no period.

    Attributes:
        types: by type.
        since: UNIX seconds of the first moment; None for the beginning of time.
        until: UNIX seconds of the moment before which it ends; None for no end.
    """

    types: TypeGlobs = TypeGlobs()
    since: float | None = None
    until: float | None = None

    @classmethod
    def of(
        cls, *, types: Sequence[str] | None, since: str | None, until: str | None, now: float, zone: tzinfo = UTC
    ) -> "Filter":
        """The filter that options ask for.

        Args:
            types: of `--type`; see `TypeGlobs`. Each may hold several globs with commas between them.
            since: of `--since`; see `moments.seconds_of`.
            until: of `--until`, in the same form.
            now: UNIX seconds of this moment.
            zone: what a date or time without a zone of its own is in.

        Raises:
            UsageError: they make no sense.
        """
        begin = None if since is None else seconds_of(since, "--since", now=now, zone=zone)
        end = None if until is None else seconds_of(until, "--until", now=now, zone=zone)
        if begin is not None and end is not None and begin >= end:
            raise UsageError(
                "--since is not before --until: no time is between them", hint="Give the earlier one first."
            )
        globs = [glob.strip() for option in types or () for glob in option.split(",")]
        return cls(types=TypeGlobs.of(globs), since=begin, until=end)

    def __bool__(self) -> bool:
        """Whether anything is left out at all."""
        return bool(self.types) or self.timed

    @property
    def timed(self) -> bool:
        """Whether an event's time matters."""
        return self.since is not None or self.until is not None

    def covers(self, time: object) -> bool:
        """Whether an event's `time` is in the period."""
        if not self.timed:
            return True
        seconds = usable_seconds(time)
        return (
            seconds is not None
            and (self.since is None or seconds >= self.since)
            and (self.until is None or seconds < self.until)
        )


EVERYTHING: Final = Filter()
"""Leaves nothing out."""


class Sieve:
    """A filter at work, which remembers what it found about each type.

    Takes any objects with the attributes `event_type` and `time`, such as Structs of those two.
    """

    def __init__(self, wanted: Filter) -> None:
        self._wanted = wanted
        self._verdicts: dict[object, bool] = {}

    def keeps(self, event_type: object, time: object) -> bool:
        """Whether the event with this type and time is meant."""
        return self._of_type(event_type) and self._wanted.covers(time)

    def sift(self, events: list[Any]) -> list[Any]:
        """The events that are meant, in their order."""
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
        verdict = self._verdicts.get(event_type)
        if verdict is None:
            verdict = self._verdicts[event_type] = self._wanted.types(event_type)
        return verdict
