"""Numbers that checks compare with, and where they come from."""

from typing import Final

COLUMN_NAME: Final = r"^[a-z_][a-z0-9_]{0,127}\Z"
"""Names that a column can have (Treasure Data: names of columns)."""

MAX_LEVELS: Final = 500
"""Nested levels of arrays and objects: half of what Python's own parser, orjson and Jackson read."""

MAX_NAME: Final = 200
"""Characters of a name that are shown in a message; a longer one is not a typo of a known name."""
