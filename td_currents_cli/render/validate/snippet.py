"""The line around a place with a mark under it, fitted to the width there is."""

import re
from dataclasses import dataclass
from typing import Final

from rich.cells import cell_len

from td_currents_cli.model import Excerpt

INDENT: Final = "    "
"""What a tab at the beginning of a line is shown as; elsewhere it is shown as `\\t`, since JSON texts have none."""

MORE: Final = "…"

_TOKEN: Final = re.compile(r'"(?:[^"\\]|\\.)*+"?|[\w+.-]+')
"""A JSON text, or a number or word; one character where there is neither."""

_SHOWN_AS_IS: Final = {"\u3000", "\u200c", "\u200d"}
"""Not printable by Unicode's classes, and yet part of ordinary text: the ideographic space, and the two joiners that
emoji and several scripts are written with."""


@dataclass(frozen=True, slots=True)
class Snippet:
    """Two lines of equal meaning to a monospaced eye.

    Attributes:
        text: the line, or a window of it, without a character that moves the cursor or turns the text round.
        pad: cells before the mark.
        mark: `^` under every cell of the token at the place.
    """

    text: str
    pad: int
    mark: str


def snippet(excerpt: Excerpt, width: int) -> Snippet:
    """The excerpt and its mark, cut around the place where it is wider than there is room.

    Args:
        excerpt: of the input.
        width: cells there are for the line.
    """
    characters = _shown(excerpt.text)
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
        # In its line: a joiner before it may make its first character narrower.
        mark="^" * max(1, cell_len(before + marked) - cell_len(before)),
    )


def _shown(text: str) -> list[str]:
    """Each character as it is shown: itself, or an escape."""
    indented = len(text) - len(text.lstrip("\t "))
    return [INDENT if each == "\t" and at < indented else _visible(each) for at, each in enumerate(text)]


def _visible(character: str) -> str:
    if character.isprintable() or character in _SHOWN_AS_IS:
        return character
    return character.encode("unicode_escape").decode()


def _window(characters: list[str], excerpt: Excerpt, width: int) -> tuple[int, int]:
    """From which to which character the line is shown: all of it, or what fits with the place in the first third."""
    if sum(map(len, characters)) <= width // 2 - len(MORE):
        # No character takes more than two cells.
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
    """How far back from a character its predecessors fit."""
    begin = start
    while begin and cells[begin - 1] <= room:
        begin -= 1
        room -= cells[begin]
    # A mark that combines with the character before it is nothing without it.
    while begin < start and not cells[begin]:
        begin += 1
    return begin


def _forth(cells: list[int], start: int, room: int) -> int:
    """How far on from a character it and its successors fit; at least itself."""
    end = start
    while end < len(cells) and cells[end] <= room:
        room -= cells[end]
        end += 1
    return max(end, min(start + 1, len(cells)))
