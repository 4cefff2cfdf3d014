"""Reading spread over the cores, with what comes of it in the order of the sources."""

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any, Generic, TypeVar

from msgspec import Struct

from td_currents_cli.model import Problem, Records
from td_currents_cli.read.course import Before, Course
from td_currents_cli.read.stretches import Reach, Reading, Stretch, Stretches
from td_currents_cli.work import in_order

Result = TypeVar("Result")
Use = Callable[[Records, str], Result]
"""Makes something of the records of a source, or of a part of one, and of the source's name."""


class Part(Struct, Generic[Result], frozen=True):
    """What was made of a part of the input.

    Attributes:
        result: by the function.
        before: what the source has before the part.
    """

    result: Result
    before: Before = Before()

    def placed(self, problem: Problem) -> Problem:
        """A problem of this part with its place in the source."""
        return self.before.placed(problem)


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
    course: Course | None = None
    with closing(in_order(_reader, (make, arguments), stretches, jobs)) as parts:
        for stretch, (result, reach) in parts:
            if stretch.start == 0:
                course = Course(stretch.source, stretch.options)
            if course is None:
                # It was among the rest of its source.
                continue
            is_next = course.leads_to(stretch)
            if is_next:
                yield Part(result, course.take(stretch, reach))
            if not is_next or (stretch.is_last and not course.ended):
                stretches.abandon(stretch.number)
                yield Part(use(course.rest(), stretch.source.name))
                course = None


def _reader(make: Callable[..., Use[Result]], arguments: tuple[Any, ...]) -> Callable[[Stretch], tuple[Result, Reach]]:
    use = make(*arguments)

    def read(stretch: Stretch) -> tuple[Result, Reach]:
        reading = Reading(stretch)
        result = use(reading.records(), stretch.source.name)
        return result, reading.reach

    return read
