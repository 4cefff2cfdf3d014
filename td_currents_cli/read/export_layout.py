"""The layout of Braze's export to cloud storage: what the path of a file tells about its events.

    …/dataexport.<cluster>.<type>.integration.<id>/event_type=<type>/date=2026-07-01-13/<schema id>/<zone>/….avro

The part `date=` is an hour in UTC. The files of an hour are not sorted by time, and may contain late events.
"""

import os
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final
from urllib.parse import unquote

from msgspec import Struct

from td_currents_cli.patterns import pattern

_EVENT_TYPE: Final = pattern(r"(?:^|/)event_type=([^/]+)(?=/)")
_DATE: Final = pattern(r"(?:^|/)date=(\d{4})-(\d\d)-(\d\d)(?:-(\d\d))?(?=/)", re.ASCII)
_HOUR: Final = 3600
_DAY: Final = 86_400

EARLY: Final = _DAY
"""Seconds by which an event may be dated after the hour of its file: the clocks of devices are not always right."""

LATE: Final = 7 * _DAY
"""Seconds by which it may be dated before: devices that were offline send their events later."""


def event_type_of(path: str) -> str | None:
    """Return the event type of the files in a folder, by the path of one of them; None if the path has none.

    A relative path may begin below the part that names the type.
    """
    found = _EVENT_TYPE.findall(path) or _EVENT_TYPE.findall("" if "://" in path else os.path.abspath(path))  # noqa: PTH100 -- a name, not always that of a file
    return unquote(found[-1]) if found else None


def hours_of(path: str) -> tuple[int, int] | None:
    """Return begin and end of the hour (or the day) that a path names, in UNIX seconds; None if it names none."""
    found = _DATE.findall(path)
    if not found:
        return None
    year, month, day, hour = found[-1]
    try:
        begin = int(datetime(int(year), int(month), int(day), int(hour or 0), tzinfo=UTC).timestamp())
    except ValueError:
        return None
    return begin, begin + (_HOUR if hour else _DAY)


class PartFilter(Struct, frozen=True):
    """Tells which files cannot contain any event that is asked for, by their paths."""

    has_type: Callable[[object], bool]  # whether events of a type are asked for
    since: float | None = None  # UNIX seconds, inclusive
    until: float | None = None  # UNIX seconds, exclusive

    def excludes(self, path: str) -> bool:
        event_type = event_type_of(path)
        if event_type is not None and not self.has_type(event_type):
            return True
        hours = hours_of(path)
        if hours is None:
            return False
        begin, end = hours
        return (self.since is not None and end + EARLY <= self.since) or (
            self.until is not None and begin - LATE >= self.until
        )
