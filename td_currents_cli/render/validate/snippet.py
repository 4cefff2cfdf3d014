"""The line around a place with a mark under it, fitted to a width."""

import re
from dataclasses import dataclass
from typing import Final

from rich.cells import cell_len

from td_currents_cli.model import Excerpt

INDENT: Final = "    "
"""Shown for a tab at the beginning of a line; elsewhere it is shown as `\\t`, since JSON strings contain no tabs."""

MORE: Final = "…"

_TOKEN: Final = re.compile(r'"(?:[^"\\]|\\.)*+"?|[\w+.-]+')
"""A JSON string, a number, or a word."""

_SHOWN_UNCHANGED: Final = {"\u3000", "\u200c", "\u200d"}
"""Not printable by Unicode's classes, but common in ordinary prose: the ideographic space, and the two joiners of emoji
and several scripts."""


@dataclass(frozen=True, slots=True)
class Snippet:
    """A line and its mark, in terminal cells."""

    text: str  # the line or a window of it, without characters that move the cursor or change the direction
    pad: int  # cells before the mark
    mark: str  # `^` under every cell of the token at the place


def snippet(excerpt: Excerpt, width: int) -> Snippet:
    """Fit an excerpt and its mark to a width in cells, truncated around the place if it is wider."""
    characters = _shown_characters(excerpt.text)
    begin, end = _window(characters, excerpt, width)
    caret = min(excerpt.caret, end)
    token = _TOKEN.match(excerpt.text, caret)
    stop = min(token.end() if token else caret + 1, end)
    before = (MORE if excerpt.cut_before or begin else "") + "".join(characters[begin:caret])
    after = MORE if excerpt.cut_after or end < len(characters) else ""
    marked = "".join(characters[caret:stop])
    return Snippet(
        text=before + marked + "".join(characters[stop:end]) + after,
        pad=cell_len(before),
        # Measured within its line: a joiner before it may make its first character narrower.
        mark="^" * max(1, cell_len(before + marked) - cell_len(before)),
    )


def _shown_characters(text: str) -> list[str]:
    """Return each character as it is shown: itself, or an escape."""
    indented = len(text) - len(text.lstrip("\t "))
    return [INDENT if each == "\t" and at < indented else _visible(each) for at, each in enumerate(text)]


def _visible(character: str) -> str:
    if character.isprintable() or character in _SHOWN_UNCHANGED:
        return character
    return character.encode("unicode_escape").decode()


def _window(characters: list[str], excerpt: Excerpt, width: int) -> tuple[int, int]:
    """Return which characters are shown: all, or those that fit with the place in the first third."""
    if sum(map(len, characters)) <= width // 2 - len(MORE):
        # No character is wider than two cells.
        return 0, len(characters)
    cells = [cell_len(each) for each in characters]
    room = width - len(MORE) * (excerpt.cut_before + excerpt.cut_after)
    if sum(cells) <= room:
        return 0, len(cells)
    room = max(width - 2 * len(MORE), 1)
    begin = _back(cells, excerpt.caret, room // 3)
    end = _forth(cells, begin, room)
    if end == len(cells):
        begin = _back(cells, end, room)
    return begin, end


def _back(cells: list[int], start: int, room: int) -> int:
    """Return how far before a character its predecessors fit."""
    begin = start
    while begin and cells[begin - 1] <= room:
        begin -= 1
        room -= cells[begin]
    # A combining mark is not shown without the character before it.
    while begin < start and not cells[begin]:
        begin += 1
    return begin


def _forth(cells: list[int], start: int, room: int) -> int:
    """Return how far a character and its successors fit; at least the character itself."""
    end = start
    while end < len(cells) and cells[end] <= room:
        room -= cells[end]
        end += 1
    return max(end, min(start + 1, len(cells)))
