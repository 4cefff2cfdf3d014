"""Ids that came before in the run: delivery is at least once."""

from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, cast

from td_currents_cli.codes import Code
from td_currents_cli.events.decode import part_of, split
from td_currents_cli.events.elements import elements_of
from td_currents_cli.events.lenient import loads
from td_currents_cli.events.seen import SeenIds
from td_currents_cli.model import Batch, Location, Problem, Record
from td_currents_cli.validate.extent import Extent, Named
from td_currents_cli.validate.finding import Finding
from td_currents_cli.validate.locate import Places
from td_currents_cli.validate.rules import RULES

if TYPE_CHECKING:
    from td_currents_cli.events.elements import Elements


class Repeats:
    """Finds ids that came before, and says where."""

    def __init__(self) -> None:
        self._seen = SeenIds()
        self._events = 0
        self._sources: list[str] = []
        # One entry a batch: ordinal of its first event, index of its source, its line.
        self._firsts = array("Q")
        self._of_source = array("L")
        self._lines = array("Q")

    def of(self, location: Location, ids: Sequence[str | None]) -> list[tuple[int, str]]:
        """Take the ids of a batch; the index of each that came before, and where that was."""
        if not self._sources or self._sources[-1] != location.source:
            self._sources.append(location.source)
        self._firsts.append(self._events)
        self._of_source.append(len(self._sources) - 1)
        self._lines.append(location.line or 0)
        repeated = self._seen.add(ids, self._events)
        self._events += len(ids)
        return [(index, self._place(ordinal)) for index, ordinal in repeated]

    def _place(self, ordinal: int) -> str:
        batch = bisect_right(self._firsts, ordinal) - 1
        # Batches without events have the same first ordinal as the one after them, which is the one meant.
        return f"{self._sources[self._of_source[batch]]}:{self._lines[batch]}, event {ordinal - self._firsts[batch]}"


def repeat_remarks(
    again: Callable[[], Record], location: Location, repeated: Sequence[tuple[int, str]], *, exact: bool
) -> Iterator[Problem]:
    """A remark on each id that came before.

    Args:
        again: gives the batch, or the line that holds it among others; only asked where it is needed.
        location: of the batch.
        repeated: as `Repeats.of` gives them.
        exact: whether their places matter; to find them takes a hundred times as long as to count them.
    """
    if not exact:
        remark = Problem(
            code=Code.REPEATED_ID, severity=RULES[Code.REPEATED_ID].severity, location=location, message=""
        )
        yield from [remark] * len(repeated)
        return
    extent = _extent(again(), location)
    for index, place in repeated:
        text = extent.texts[index]
        finding = Finding(Code.REPEATED_ID, ("id",), f"the id came before, at {place}")
        byte = Places(text, [finding.path]).find(finding.path)
        yield extent.problem_of_event(index, Named.of(loads(text)), finding, byte)


def _extent(record: Record, location: Location) -> Extent:
    """The elements of the batch at that place, which has been read before."""
    decoded = split(record) if isinstance(record, Batch) else None
    whole = part_of(decoded, location) if decoded and decoded.lost else record
    documents = decoded.documents if decoded else ()
    batch = next(each for each in (*documents, whole) if isinstance(each, Batch) and each.location == location)
    # A batch that has given ids has elements.
    return Extent(cast("Elements", elements_of(batch)))
