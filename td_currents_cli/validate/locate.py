"""Where in JSON text a member stands. Only ever asked about what has a finding."""

import re
from collections.abc import Iterator
from typing import Final

import orjson

_TOKEN: Final = re.compile(rb'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+')

Path = tuple[str | int, ...]


def members(text: bytes) -> Iterator[tuple[Path, int, int]]:
    """Every value of well-formed JSON text, from the root down: its path, where its name and where itself begins.

    Yields:
        path, byte offset of the member's name (of the value itself for elements of arrays and the root), byte offset
        of the value.
    """
    path: list[str | int] = []
    in_array: list[bool] = []
    name_at: int | None = None
    naming = False
    for token in _TOKEN.finditer(text):
        mark = token.group()
        at = token.start()
        if mark in {b"}", b"]"}:
            in_array.pop()
            path.pop()
            naming = False
        elif mark == b",":
            naming = not in_array[-1]
            if in_array[-1]:
                path[-1] = int(path[-1]) + 1
        elif mark == b":":
            naming = False
        elif naming:
            path[-1] = _name(mark)
            name_at = at
        else:
            yield tuple(path), at if name_at is None else name_at, at
            name_at = None
            if mark in {b"{", b"["}:
                in_array.append(mark == b"[")
                path.append(0)
                naming = mark == b"{"


def _name(token: bytes) -> str:
    try:
        name: str = orjson.loads(token)
    except orjson.JSONDecodeError:
        # A lone surrogate: no member that a finding names has one.
        return token.decode(errors="replace")
    return name


def find(text: bytes, path: Path, *, name: bool = False) -> int:
    """Byte offset of the value at that path, or of its name; of the nearest object above where it is not there."""
    best, depth = 0, -1
    for each, name_at, value_at in members(text):
        if each == path[: len(each)] and len(each) > depth:
            best, depth = (name_at if name and len(each) == len(path) else value_at), len(each)
            if depth == len(path):
                break
    return best
