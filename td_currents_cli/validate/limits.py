"""Numbers that rules compare with, and where they come from."""

from typing import Final

EARLIEST: Final = 1_293_840_000
"""2011-01-01T00:00:00Z: the year Braze was founded, then as Appboy."""

MILLISECONDS: Final = 100_000_000_000
"""From here on a `time` is read as milliseconds: as seconds, it would be in the year 5138."""

CLOCK_SKEW: Final = 86_400
"""Seconds that the clock of a device may be ahead before an event counts as being from the future."""

COLUMN_NAME: Final = r"^[a-z_][a-z0-9_]{0,127}\Z"
"""What a column can be called (Treasure Data: names of columns)."""

MOST_NESTED: Final = 500
"""Levels of arrays and objects in one another: half of what Python's own parser, orjson and Jackson read."""
