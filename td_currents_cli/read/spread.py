"""Reading spread over the cores, with what comes of it in the order of the sources."""

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any, Generic, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from td_currents_cli.model import Location, Problem, Records
from td_currents_cli.read.records import records_from
from td_currents_cli.read.stretches import Reach, Reading, Stretch, Stretches
from td_currents_cli.work import in_order

Result = TypeVar("Result")
Use = Callable[[Records, str], Result]
"""Makes something of the records of a source, or of a part of one, and of the source's name."""


class Part(Struct, Generic[Result], frozen=True):
    """What was made of a part of the input.

    Attributes:
        result: by the function.
        lines: line ends of the source before the part.
        rows: ingested rows of the source before the part.
    """

    result: Result
    lines: int = 0
    rows: int = 0

    def placed(self, problem: Problem) -> Problem:
        """A problem of this part with its place in the source."""
        if not self.lines and not self.rows:
            return problem
        place = problem.location
        line = None if place.line is None else place.line + self.lines
        row = None if place.row is None else place.row + self.rows
        return replace(problem, location=replace(place, line=line, row=row))


def spread(
    make: Callable[..., Use[Result]], arguments: tuple[Any, ...], stretches: Stretches, jobs: int
) -> Iterator[Part[Result]]:
    """What a function makes of all parts of all sources, in their order.

    It is the same, taken together, for any number of processes, if what the function makes of the records of a source
    can be put together from what it makes of any of its parts.

    Args:
        make: makes the function; called in each process.
        arguments: of `make`; they and the results are sent between processes.
        stretches: the sources.
        jobs: number of processes.
    """
    use = make(*arguments)
    place, row = Location(""), 0
    with closing(in_order(_reader, (make, arguments), stretches, jobs)) as parts:
        for stretch, (result, reach) in parts:
            if stretch.start == 0:
                place, row = Location(stretch.source.name, line=1, column=1), 0
            elif stretch.start != place.offset:
                # What the stretch before it ended with reaches into this one; or the rest has been read already.
                if place.offset >= 0:
                    stretches.abandon(stretch.number)
                    yield _rest(use, stretch, place, row)
                    place = replace(place, offset=-1)
                continue
            lines = (place.line or 1) - 1
            yield Part(result, lines, row)
            place, row = replace(place, line=lines + reach.lines + 1, offset=reach.end), row + reach.rows
            if not reach.ended and stretch.is_last:
                yield _rest(use, stretch, place, row)


def _rest(use: Use[Result], stretch: Stretch, place: Location, row: int) -> Part[Result]:
    """What the function makes of all that follows a place in a source."""
    return Part(use(records_from(stretch.source, place, row, stretch.header, stretch.options), stretch.source.name))


def _reader(make: Callable[..., Use[Result]], arguments: tuple[Any, ...]) -> Callable[[Stretch], tuple[Result, Reach]]:
    use = make(*arguments)

    def read(stretch: Stretch) -> tuple[Result, Reach]:
        reading = Reading(stretch)
        result = use(reading.records(), stretch.source.name)
        return result, reading.reach

    return read
