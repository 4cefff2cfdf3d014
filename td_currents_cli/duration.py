"""Durations as option values."""

import re
from typing import Final

from td_currents_cli.errors import UsageError

_DURATION: Final = re.compile(r"(?P<number>\d+(?:\.\d+)?)(?P<unit>ms|s|m|h)|0", re.ASCII)
_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, None: 0.0}


def duration(value: str, option: str) -> float:
    """Seconds of a duration such as `30s`, `15m` or `1.5h`. Raises UsageError, which names the option."""
    match = _DURATION.fullmatch(value.strip())
    if match is None:
        raise UsageError(f"{option} is not a duration", hint="Use a number with a unit: 500ms, 30s, 15m, 2h.")
    return float(match["number"] or 0) * _UNITS[match["unit"]]
