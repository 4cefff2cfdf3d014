"""Numbers as bars of block characters."""

from collections.abc import Sequence
from typing import Final

_EIGHTHS: Final = "▏▎▍▌▋▊▉█"
_HEIGHTS: Final = "▁▂▃▄▅▆▇█"


def bar(part: float, width: int, *, ascii_only: bool = False) -> str:
    """A horizontal bar: all of `width` for 1, at least a sliver for anything above 0."""
    if ascii_only:
        return "#" * max(round(part * width), 1 if part > 0 else 0)
    eighths = max(round(part * width * 8), 1 if part > 0 else 0)
    whole, left = divmod(eighths, 8)
    return _EIGHTHS[-1] * whole + (_EIGHTHS[left - 1] if left else "")


def sparkline(heights: Sequence[int]) -> str:
    """A vertical bar for each number, the highest one full; a space for 0."""
    highest = max(heights, default=0)
    return "".join(_HEIGHTS[-(-height * 8 // highest) - 1] if height else " " for height in heights)
