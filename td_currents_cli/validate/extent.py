"""A batch and where in its text its elements stand, from which every remark gets its place."""

import re
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Any, Final

from msgspec import Struct

from td_currents_cli.events.elements import Elements
from td_currents_cli.events.syntax import place_in
from td_currents_cli.model import Batch, Location, Problem
from td_currents_cli.validate.excerpt import excerpt
from td_currents_cli.validate.finding import Violation, pointer
from td_currents_cli.validate.rules import RULES

_BEFORE_ELEMENT: Final = re.compile(rb"[ \t\r\n]*[\[,][ \t\r\n]*")


class Extent:
    """The elements of a batch with the bytes they begin at.

    Attributes:
        batch: the batch.
        texts: of its elements.
        begins: byte of the batch that each element begins at.
        end: byte after the last element; of the array's own beginning where it is empty.
    """

    def __init__(self, elements: Elements) -> None:
        self.batch = elements.batch
        self.texts = elements.texts
        self._elements = elements
        self.begins = _begins(elements)
        self.end = self.begins[-1] + len(self.texts[-1]) if self.texts else elements.begin
        self._passed = 0
        self._here = self.batch.location

    def location(self, byte: int) -> Location:
        """The place of a byte in the source. Cheap where bytes are asked for in ascending order."""
        if byte < self._passed:
            return place_in(self.batch, byte)
        piece = Batch(self.batch.data[self._passed : byte], self._here)
        self._here, self._passed = place_in(piece, byte - self._passed), byte
        return self._here

    def problem(self, finding: Violation, byte: int) -> Problem:
        """A remark on the batch as a whole."""
        return Problem(
            code=finding.code,
            severity=RULES[finding.code].severity,
            location=self.location(byte),
            message=finding.message,
            pointer=pointer(finding.path),
            hint=finding.hint,
            excerpt=excerpt(self.batch.data, byte),
        )

    def problem_of_event(self, index: int, event: "Named", finding: Violation, byte: int) -> Problem:
        """A remark on an element, with the byte of the element that it is about."""
        begin = self.begins[index] + byte
        return Problem(
            code=finding.code,
            severity=RULES[finding.code].severity,
            location=self.location(begin),
            message=finding.message,
            pointer=self._elements.pointer_to(index) + pointer(finding.path),
            hint=finding.hint,
            event_index=index,
            event_id=event.id,
            event_type=event.event_type,
            excerpt=excerpt(self.batch.data, begin),
        )


class Named(Struct, frozen=True, gc=False):
    """What an event is called by, where it has it."""

    id: str | None = None
    event_type: str | None = None

    @classmethod
    def of(cls, event: dict[str, Any]) -> "Named":
        """The names of a decoded event."""
        return cls(_text_or_none(event.get("id")), _text_or_none(event.get("event_type")))


def in_text_order(problems: Iterable[Problem]) -> list[Problem]:
    """The problems of one batch, ordered by where they stand in it."""
    # Those of an ingested row all stand where the row begins.
    return sorted(
        problems, key=lambda each: (each.location.offset, -1 if each.event_index is None else each.event_index)
    )


def _text_or_none(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _begins(elements: Elements) -> Sequence[int]:
    if elements.pointer is None:
        return [0]
    data, texts, begin = elements.batch.data, elements.texts, elements.begin
    if data.startswith(b"[%b]" % b",".join(texts), begin):
        # Written without white space, as by most programs.
        return list(accumulate((len(text) + 1 for text in texts[:-1]), initial=begin + 1)) if texts else []
    begins: list[int] = []
    for text in texts:
        before = _BEFORE_ELEMENT.match(data, begin)
        begins.append(before.end() if before else begin)
        begin = begins[-1] + len(text)
    return begins
