"""Points in time as options: `2026-07-01`, `2026-07-01T10:00`, `1782864000`, `-7d`."""

import re
from datetime import UTC, datetime, tzinfo
from typing import Final

from td_currents_cli.errors import UsageError
from td_currents_cli.events.times import LATEST

_EPOCH: Final = re.compile(r"@\d{1,12}|\d{9,}", re.ASCII)
_AGO: Final = re.compile(r"-(?P<number>\d{1,9})(?P<unit>[smhdw])", re.ASCII)
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
