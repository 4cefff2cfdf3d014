"""Duplicate ids in the whole run: Currents delivers at least once."""

from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Final, cast

from td_currents_cli.events.decode import split
from td_currents_cli.events.dedupe import IdSet
from td_currents_cli.events.json import elements_of, loads
from td_currents_cli.model import Batch, Code, Location, Problem, Record
from td_currents_cli.validate.checker import complete_elements
from td_currents_cli.validate.positions import BatchPositions, EventLabel, ValuePositions, Violation
from td_currents_cli.validate.rules import RULES

if TYPE_CHECKING:
    from td_currents_cli.events.json import Elements


_LIMIT: Final = 1_398_101
"""Ids in memory: as many as a dict of 2**21 slots holds, so that 1 GB of events is validated within 200 MB."""


class DuplicateIds:
    """Finds the ids that came before, and where. Close it in the end.

    Ids are compared by their 64-bit hash: among a million ids, the odds that any two have the same are one in thirty
    million.
    """

    def __init__(self, limit: int = _LIMIT) -> None:
        self._ids: IdSet[int] = IdSet(limit)
        self._hashes = array("q")  # of all events, in order; 0 without an id
        self._sources: list[str] = []
        # One entry per batch: number of its first event, index of its source, its line (or, below 0, its row).
        self._firsts = array("Q")
        self._source_indexes = array("L")
        self._lines = array("q")

    def close(self) -> None:
        self._ids.close()

    def add(self, location: Location, ids: Sequence[str | None]) -> list[tuple[int, str]]:
        """Add the ids of a batch; returns the index of each duplicate and the place where its id came first."""
        if not self._sources or self._sources[-1] != location.source:
            self._sources.append(location.source)
        first = len(self._hashes)
        self._firsts.append(first)
        self._source_indexes.append(len(self._sources) - 1)
        self._lines.append(location.line or -(location.row or 0))
        hashes = list(map(hash, ids)) if all(ids) else [0 if each is None else hash(each) or 1 for each in ids]
        self._hashes.extend(hashes)
        # All ids of a batch have one number, which takes less memory than one each; the event is found from there.
        repeated = self._ids.add(hashes if 0 not in hashes else [each or None for each in hashes], first)
        return [(index, self._place(self._hashes.index(hashes[index], start))) for index, start in repeated.items()]

    def _place(self, event: int) -> str:
        batch = bisect_right(self._firsts, event) - 1
        # Batches without events have the same first number as the one after them, which is the one meant.
        source, line = self._sources[self._source_indexes[batch]], self._lines[batch]
        place = Location(source, line=line) if line > 0 else Location(source, row=-line)
        return f"{place}, event {event - self._firsts[batch]}"


def duplicate_id_problems(
    again: Callable[[], Record], location: Location, duplicates: Sequence[tuple[int, str]], *, exact: bool
) -> Iterator[Problem]:
    """A problem for each duplicate id that `DuplicateIds.add` found in a batch.

    If their places matter (`exact`), which takes a hundred times as long as counting, `again` reads the batch again.
    """
    if not exact:
        problem = Problem(
            code=Code.REPEATED_ID, severity=RULES[Code.REPEATED_ID].severity, location=location, message=""
        )
        yield from [problem] * len(duplicates)
        return
    positions = _positions(again(), location)
    for index, place in duplicates:
        text = positions.texts[index]
        violation = Violation(Code.REPEATED_ID, ("id",), f"duplicate id, first at {place}")
        byte = ValuePositions(text, [violation.path]).find(violation.path)
        yield positions.problem(violation, byte, index, EventLabel.of(loads(text)))


def _positions(record: Record, location: Location) -> BatchPositions:
    """The elements of the batch at this location, which was read before."""
    # Only batches have given ids, and only those with elements.
    decoded = split(cast("Batch", record))
    batch = next(each for each in (*decoded.documents, record) if isinstance(each, Batch) and each.location == location)
    if decoded.lost:
        batch = complete_elements(batch)
    return BatchPositions(cast("Elements", elements_of(batch)))
