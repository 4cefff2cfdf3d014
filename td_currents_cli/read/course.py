"""How far a source has been read in stretches, and where in it what was read stands."""

from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from td_currents_cli.model import Location, Problem, Record
from td_currents_cli.read.options import DEFAULT, ReadOptions
from td_currents_cli.read.records import records_from
from td_currents_cli.read.sources import Source
from td_currents_cli.read.stretches import Reach, Stretch


class Before(Struct, frozen=True):
    """What a source has before a part of it, which is counted from its own beginning.

    Attributes:
        lines: line ends.
        rows: ingested rows.
    """

    lines: int = 0
    rows: int = 0

    def moved(self, place: Location) -> Location:
        """A place of the part as a place of the source."""
        if not self.lines and not self.rows:
            return place
        line = None if place.line is None else place.line + self.lines
        return replace(place, line=line, row=None if place.row is None else place.row + self.rows)

    def placed(self, problem: Problem) -> Problem:
        """A problem of the part with its place in the source."""
        return replace(problem, location=self.moved(problem.location))


class Course:
    """The way through one source, stretch by stretch.

    Attributes:
        ended: whether nothing comes after what was read.
    """

    def __init__(self, source: Source, options: ReadOptions = DEFAULT) -> None:
        self._source = source
        self._options = options
        self._before = Before()
        self._offset = 0
        self._header: tuple[str, ...] | None = None
        self.ended = False

    def leads_to(self, stretch: Stretch) -> bool:
        """Whether what was read ends where this stretch begins.

        Where it does not, the stretch before ended with something out of the ordinary, or with a document or a row
        that reaches into this one: what was made of this one is worth nothing.
        """
        return stretch.start == self._offset

    def take(self, stretch: Stretch, reach: Reach) -> Before:
        """Go on by what was read of the stretch that comes next; what the source has before it."""
        before = self._before
        self._before = Before(before.lines + reach.lines, before.rows + reach.rows)
        self._offset, self._header, self.ended = reach.end, stretch.header, reach.ended
        return before

    def rest(self) -> Iterator[Record]:
        """All records that come after what was read, with their places in the source."""
        place = Location(self._source.name, line=self._before.lines + 1, column=1, offset=self._offset)
        return records_from(self._source, place, self._before.rows, self._header, self._options)
