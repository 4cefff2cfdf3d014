"""The time that a query is about: not of the events, but of the rows that they came in.

Treasure Data stores tables by the `time` of their rows, and bills what a query scans: none is without a range.
"""

from datetime import UTC, datetime
from typing import Final

from msgspec import Struct

DAY: Final = 86_400.0

EARLY: Final = 3600.0
"""A row is received after its events happened, but for clocks that are ahead: so many seconds, at most."""

LATE: Final = 2 * DAY
"""So many seconds later a row may still come: Braze tries to deliver for 48 hours."""


class Period(Struct, frozen=True):
    """A stretch of time, in UNIX seconds, in which rows were received.

    Attributes:
        since: the first moment.
        until: the moment before which it ends; None for no end.
    """

    since: float
    until: float | None = None

    def __str__(self) -> str:
        end = "now" if self.until is None else _format_time(self.until)
        return f"{_format_time(self.since)} to {end}"


def receive_period(since: float | None, until: float | None, now: float) -> Period:
    """When rows were received that hold events of a time; without its beginning, in the last day of it.

    Args:
        since: UNIX seconds of the first moment that is meant; None where nobody said.
        until: UNIX seconds of the moment before which it ends; None likewise.
        now: UNIX seconds of this moment.
    """
    begin = (now if until is None else until) - DAY if since is None else since - EARLY
    return Period(max(0.0, begin), None if until is None else until + LATE)


def _format_time(seconds: float) -> str:
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}"
    except (OverflowError, ValueError):
        return f"@{seconds:.0f}"
