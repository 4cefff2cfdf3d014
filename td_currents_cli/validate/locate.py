"""Positions of values in JSON text. Looked up only for what has a problem."""

import json
import re
from collections.abc import Collection, Iterator
from typing import Final

_TOKEN: Final = re.compile(
    rb"""
    (?P<string> "[^"\\]*+ (?: \\.[^"\\]*+ )*+" ) (?P<name> \s*+: )?+ |
    (?P<opening> [{\[] ) |
    (?P<closing> [}\]] ) |
    (?P<scalar> [^\s{}\[\],:"]++ )
    """,
    re.VERBOSE | re.DOTALL,
)
_COLON: Final = re.compile(rb"\s*:\s*")
_STRING, _NAME, _OPENING, _CLOSING, _SCALAR = range(1, _TOKEN.groups + 1)

Path = tuple[str | int, ...]


class ValuePositions:
    """Byte offsets of the values of well-formed JSON text. A name that is repeated in an object has its last position.

    Args:
        text: well-formed.
        wanted: paths to keep, so that memory does not grow with the number of values; None for all.
    """

    def __init__(self, text: bytes, wanted: Collection[Path] | None = None) -> None:
        keep = None if wanted is None else {path[:length] for path in wanted for length in range(len(path) + 1)}
        self._positions = {
            path: (name_at, value_at) for path, name_at, value_at in walk_values(text) if keep is None or path in keep
        }

    def find(self, path: Path, *, name: bool = False) -> int:
        """Byte offset of the value at a path, or of its name; if there is none, of the nearest value above it."""
        found = path
        while found not in self._positions:
            found = found[:-1]
        name_at, value_at = self._positions[found]
        return name_at if name and found == path else value_at


def unique_position(text: bytes, path: Path) -> tuple[int, int] | None:
    """Byte offsets of the name and the value of an existing field, if they can be found without reading all others.

    Nearly always they can: no other name and no string in the text is the same.
    """
    name = path[-1] if path else None
    if not isinstance(name, str) or not (name.isascii() and name.isidentifier()) or b"\\u00" in text:
        # It may be spelled with escapes.
        return None
    token = b'"%b"' % name.encode()
    at = text.find(token)
    if at < 0 or text.find(token, at + 1) >= 0:
        return None
    colon = _COLON.match(text, at + len(token))
    # The end of a longer name that has a quote in it: `a\"name`.
    return (at, colon.end()) if colon and text[at - 1 : at] != b"\\" else None


def walk_values(text: bytes) -> Iterator[tuple[Path, int, int]]:
    """Every value of well-formed JSON text, from the root down.

    Yields:
        path, byte offset of the field's name (of the value itself for elements of arrays and the root), byte offset
        of the value.
    """
    path: list[str | int] = []
    name_at: int | None = None
    for token in _TOKEN.finditer(text):
        kind = token.lastindex
        at = token.start()
        if kind == _NAME:
            path[-1] = _name(token.group(_STRING))
            name_at = at
        elif kind == _CLOSING:
            path.pop()
        else:
            if name_at is None and path:
                path[-1] = int(path[-1]) + 1
            yield tuple(path), at if name_at is None else name_at, at
            name_at = None
            if kind == _OPENING:
                # The first element of an array adds one; a name takes the place of the number.
                path.append(-1)


def _name(token: bytes) -> str:
    # Few names have escapes; those that do may be lone surrogates, which only Python's own parser reads.
    name: str = json.loads(token) if b"\\" in token else token[1:-1].decode()
    return name
