"""Moments as people write them on the command line: `2026-07-01`, `2026-07-01T10:00`, `1782864000`, `-7d`."""

import re
from datetime import UTC, datetime, tzinfo
from typing import Final

from td_currents_cli.errors import UsageError
from td_currents_cli.events.times import LATEST

_EPOCH: Final = re.compile(r"@\d{1,12}|\d{9,}", re.ASCII)
_AGO: Final = re.compile(r"-(?P<number>\d{1,9})(?P<unit>[smhdw])", re.ASCII)
_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_HINT: Final = "Give 2026-07-01, 2026-07-01T10:00, 2026-07-01T10:00:00Z, UNIX seconds, or -7d (also s, m, h, w)."


def zone_of(name: str) -> tzinfo:
    """A time zone by its IANA name.

    Raises:
        UsageError: this machine knows no such zone.
    """
    if name == "UTC":
        return UTC
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError  # noqa: PLC0415 -- most are content with UTC

    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UsageError(
            f"--timezone is no time zone that this machine knows: {name}",
            hint="Give a name such as Europe/Berlin. Where none is known, `python3 -m pip install tzdata` brings them.",
        ) from None


def seconds_of(text: str, option: str, *, now: float, zone: tzinfo) -> float:
    """The UNIX seconds of a moment.

    Args:
        text: an ISO 8601 date or time, UNIX seconds (`1782864000`, or `@` before any number of them), or how long ago
            (`-7d`).
        option: it was given for; a message names it.
        now: UNIX seconds of this moment.
        zone: what a date or time without a zone of its own is in.

    Raises:
        UsageError: it is none of these.
    """
    text = text.strip()
    if ago := _AGO.fullmatch(text):
        return now - int(ago["number"]) * _UNITS[ago["unit"]]
    if _EPOCH.fullmatch(text):
        seconds = int(text.removeprefix("@"))
        if seconds > LATEST:
            raise UsageError(f"{option} is no time in UNIX seconds: {text}", hint="Leave the milliseconds out.")
        return seconds
    # Python reads `20260701` as a date; somebody else may mean the 23rd of August 1970.
    if text.isdecimal():
        raise UsageError(f"{option} is ambiguous: {text}", hint=f"{_HINT} UNIX seconds of few digits need an @: @0.")
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).timestamp()
    except (ValueError, OverflowError):
        raise UsageError(f"{option} is not a date or a time: {text}", hint=_HINT) from None
