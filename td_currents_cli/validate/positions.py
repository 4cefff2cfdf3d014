"""Violations of rules, and where they are: byte offsets of values, lines, columns, JSON pointers, and excerpts."""

import json
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import accumulate
from typing import Any, Final

from msgspec import Struct

from td_currents_cli.events.json import Elements, place_in
from td_currents_cli.model import Batch, Code, Excerpt, Location, Problem
from td_currents_cli.patterns import pattern
from td_currents_cli.validate.rules import RULES


class Violation(Struct, frozen=True, gc=False):
    """A rule broken by an event, or by the document around its events."""

    code: Code
    path: tuple[str | int, ...]  # down to the place; for a missing field, to the object that lacks it
    message: str  # with names of fields and types, never with their values
    hint: str = ""  # how to fix it, if more specific than the rule says
    at_name: bool = False  # the problem is the name of the field, not its value
    at: int | None = None  # byte offset of the place, if already known


def pointer(path: tuple[str | int, ...]) -> str:
    """The path as a JSON pointer (RFC 6901)."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)


_BEFORE: Final = 60  # characters shown before the position
_AFTER: Final = 100  # and after it
_MAX_CHARACTER: Final = 4  # bytes of the longest character in UTF-8


def excerpt(text: bytes, byte: int) -> Excerpt:
    """The line that contains a byte, or a part of it if it is long, as batches without line breaks are."""
    window = _BEFORE * _MAX_CHARACTER
    begin = text.rfind(b"\n", max(0, byte - window - _MAX_CHARACTER), byte) + 1 or max(0, byte - window)
    end = text.find(b"\n", byte, byte + _AFTER * _MAX_CHARACTER)
    end = end if end >= 0 else min(len(text), byte + _AFTER * _MAX_CHARACTER)
    before = text[begin:byte].decode(errors="replace")
    after = text[byte:end].decode(errors="replace").rstrip("\r")
    return Excerpt(
        text=before[-_BEFORE:] + after[:_AFTER],
        caret=len(before[-_BEFORE:]),
        cut_before=len(before) > _BEFORE or (begin > 0 and text[begin - 1 : begin] != b"\n"),
        cut_after=len(after) > _AFTER or (end < len(text) and text[end : end + 1] != b"\n"),
    )


_TOKEN: Final = pattern(
    rb"""
    (?P<string> "[^"\\]*+ (?: \\.[^"\\]*+ )*+" ) (?P<name> \s*+: )?+ |
    (?P<opening> [{\[] ) |
    (?P<closing> [}\]] ) |
    (?P<scalar> [^\s{}\[\],:"]++ )
    """,
    re.VERBOSE | re.DOTALL,
)
_COLON: Final = pattern(rb"\s*:\s*")
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
            name = token.group(_STRING)
            # Few names have escapes; those that do may be lone surrogates, which only Python's own parser reads.
            path[-1] = json.loads(name) if b"\\" in name else name[1:-1].decode()
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


_BEFORE_ELEMENT: Final = pattern(rb"[ \t\r\n]*[\[,][ \t\r\n]*")


class EventLabel(Struct, frozen=True, gc=False):
    """What identifies an event to people."""

    id: str | None = None
    event_type: str | None = None

    @classmethod
    def of(cls, event: dict[str, Any]) -> "EventLabel":
        found = (event.get("id"), event.get("event_type"))
        return cls(*(value if isinstance(value, str) and value else None for value in found))


class BatchPositions:
    """The elements of a batch with their byte offsets.

    Attributes:
        end: byte after the last element; if there is none, the start of the array.
    """

    def __init__(self, elements: Elements) -> None:
        self.batch = elements.batch
        self.texts = elements.texts
        self._elements = elements
        self._starts = _starts(elements)
        self.end = self._starts[-1] + len(self.texts[-1]) if self.texts else elements.begin
        self._passed = 0
        self._here = self.batch.location

    def location(self, byte: int) -> Location:
        """The location of a byte in the source. Cheap if called with ascending offsets."""
        if byte < self._passed:
            return place_in(self.batch, byte)
        passed = Batch(self.batch.data[self._passed : byte], self._here)
        self._here, self._passed = place_in(passed, byte - self._passed), byte
        return self._here

    def problem(
        self, violation: Violation, byte: int, index: int | None = None, label: EventLabel | None = None
    ) -> Problem:
        """A problem of the batch as a whole, or, given its index, of an element, at a byte of the element."""
        above = ""
        if index is not None:
            above = self._elements.pointer_to(index)
            byte += self._starts[index]
        return Problem(
            code=violation.code,
            severity=RULES[violation.code].severity,
            location=self.location(byte),
            message=violation.message,
            pointer=above + pointer(violation.path),
            event_index=index,
            event_id=label.id if label else None,
            event_type=label.event_type if label else None,
            hint=violation.hint,
            excerpt=excerpt(self.batch.data, byte),
        )


def in_source_order(problems: Iterable[Problem]) -> list[Problem]:
    # Those of an ingested row all have the location of the row.
    return sorted(
        problems, key=lambda each: (each.location.offset, -1 if each.event_index is None else each.event_index)
    )


def _starts(elements: Elements) -> Sequence[int]:
    if elements.pointer is None:
        return [0]
    data, texts, begin = elements.batch.data, elements.texts, elements.begin
    if data.startswith(b"[%b]" % b",".join(texts), begin):
        # Written without white space, as by most programs.
        return list(accumulate((len(text) + 1 for text in texts[:-1]), initial=begin + 1)) if texts else []
    starts: list[int] = []
    for text in texts:
        before = _BEFORE_ELEMENT.match(data, begin)
        starts.append(before.end() if before else begin)
        begin = starts[-1] + len(text)
    return starts
