"""Positions of the elements of a batch, which give each problem its place in the source."""

import re
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Any, Final

from msgspec import Struct

from td_currents_cli.events.json import Elements, place_in
from td_currents_cli.model import Batch, Location, Problem
from td_currents_cli.validate.excerpt import excerpt
from td_currents_cli.validate.finding import Violation, pointer
from td_currents_cli.validate.rules import RULES

_BEFORE_ELEMENT: Final = re.compile(rb"[ \t\r\n]*[\[,][ \t\r\n]*")


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

    def problem(self, violation: Violation, byte: int) -> Problem:
        """A problem of the batch as a whole."""
        return self._problem(violation, byte, pointer(violation.path))

    def problem_of_event(self, index: int, label: EventLabel, violation: Violation, byte: int) -> Problem:
        """A problem of an element, at a byte of the element."""
        return self._problem(
            violation,
            self._starts[index] + byte,
            self._elements.pointer_to(index) + pointer(violation.path),
            event_index=index,
            event_id=label.id,
            event_type=label.event_type,
        )

    def _problem(self, violation: Violation, byte: int, pointer_to: str, **event: Any) -> Problem:  # noqa: ANN401 -- fields of a problem
        return Problem(
            code=violation.code,
            severity=RULES[violation.code].severity,
            location=self.location(byte),
            message=violation.message,
            pointer=pointer_to,
            hint=violation.hint,
            excerpt=excerpt(self.batch.data, byte),
            **event,
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
