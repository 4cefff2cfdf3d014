"""The receive times that a query covers.

Treasure Data partitions tables by the `time` of their rows and bills what a query scans: every query has a range.
"""

from datetime import UTC, datetime
from typing import Final

from msgspec import Struct

DAY: Final = 86_400.0

EARLY: Final = 3600.0  # maximum by which a sender's clock may be ahead, so that a row seems older than its events
LATE: Final = 2 * DAY  # maximum age of an event when its row is received: Braze retries for 48 hours


class Period(Struct, frozen=True):
    """A range of receive times, in UNIX seconds."""

    since: float
    until: float | None = None  # excluded

    def __str__(self) -> str:
        end = "now" if self.until is None else _format_time(self.until)
        return f"{_format_time(self.since)} to {end}"


def receive_period(since: float | None, until: float | None, now: float) -> Period:
    """Convert a range of event times into the receive times of their rows; without `since`, its last day."""
    begin = (now if until is None else until) - DAY if since is None else since - EARLY
    return Period(max(0.0, begin), None if until is None else until + LATE)


def _format_time(seconds: float) -> str:
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}"
    except (OverflowError, ValueError):
        return f"@{seconds:.0f}"
