"""Numbers as bars of block characters."""

from collections.abc import Sequence
from typing import Final

_EIGHTHS: Final = "▏▎▍▌▋▊▉█"
_HEIGHTS: Final = "▁▂▃▄▅▆▇█"


def bar(share: float, width: int, *, ascii_only: bool = False) -> str:
    """Draw a horizontal bar: `width` cells for a share of 1, and at least a sliver above 0."""
    if ascii_only:
        return "#" * max(round(share * width), 1 if share > 0 else 0)
    eighths = max(round(share * width * 8), 1 if share > 0 else 0)
    full, left = divmod(eighths, 8)
    return _EIGHTHS[-1] * full + (_EIGHTHS[left - 1] if left else "")


def sparkline(heights: Sequence[int]) -> str:
    """Draw a vertical bar for each number, the highest one full; a space for 0."""
    highest = max(heights, default=0)
    return "".join(_HEIGHTS[-(-height * 8 // highest) - 1] if height else " " for height in heights)
