"""The time that a query is about: of the events themselves, and of the rows they came in.

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
    """A stretch of time, in UNIX seconds.

    Attributes:
        since: the first moment.
        until: the moment before which it ends; None for no end.
    """

    since: float
    until: float | None

    def widened(self) -> "Period":
        """When rows with events of this time were received."""
        return Period(max(0.0, self.since - EARLY), None if self.until is None else self.until + LATE)

    def __str__(self) -> str:
        end = "now" if self.until is None else _text(self.until)
        return f"{_text(self.since)} to {end}"


def period_of(since: float | None, until: float | None, now: float) -> Period:
    """The time that was asked for; where it has no beginning, it is the day before its end."""
    return Period((now if until is None else until) - DAY if since is None else since, until)


def _text(seconds: float) -> str:
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}"
    except (OverflowError, ValueError):
        return f"@{seconds:.0f}"
