"""All records of all sources, worked on over the cores, with what comes of them in their order and in bounded memory.

Large plain files are read by those who work on them, in stretches; all others by one process, which hands out chunks of
records. What comes of it is the same, taken together.
"""

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from itertools import groupby
from typing import Any, Final, TypeVar

from td_currents_cli.model import Batch, Record
from td_currents_cli.read.course import Course
from td_currents_cli.read.options import ReadOptions, Shape
from td_currents_cli.read.records import Note, records
from td_currents_cli.read.sources import Source
from td_currents_cli.read.spread import Part
from td_currents_cli.read.stretches import Form, Reach, Reading, Stretch, Stretches
from td_currents_cli.work import in_order

CHUNK: Final = 1 << 20
"""Bytes of batches that a process is given at a time."""

Result = TypeVar("Result")
Make = Callable[..., Callable[[Iterable[Record]], Result]]
"""Makes, in each process, what makes something of some records."""


def in_parts(
    make: Make[Result],
    arguments: tuple[Any, ...],
    sources: Sequence[Source],
    *,
    options: ReadOptions,
    note: Note,
    jobs: int,
) -> Generator[Part[Result]]:
    """What a function makes of all parts of all sources, in order.

    Args:
        make: makes the function.
        arguments: of `make`; they and the results are sent between processes.
        sources: where the bytes are.
        options: what is known of their form.
        note: told how each source of rows is read.
        jobs: number of processes.
    """

    def is_large(source: Source) -> bool:
        # A stretch is read as its form alone has it.
        return jobs > 1 and options.is_silent and next(iter(Stretches([source]))).form is not Form.WHOLE

    for in_stretches, group in groupby(sources, is_large):
        if not in_stretches:
            yield from _in_chunks(make, arguments, records(group, options, note), jobs)
            continue
        for source in group:
            yield from _in_stretches(make, arguments, source, note, options=options, jobs=jobs)


def _in_chunks(
    make: Make[Result], arguments: tuple[Any, ...], stream: Iterable[Record], jobs: int
) -> Iterator[Part[Result]]:
    with closing(in_order(make, arguments, chunks(stream), jobs)) as work:
        for _chunk, result in work:
            yield Part(result)


def _in_stretches(
    make: Make[Result], arguments: tuple[Any, ...], source: Source, note: Note, *, options: ReadOptions, jobs: int
) -> Iterator[Part[Result]]:
    course, is_noted = Course(source, options), False
    with closing(in_order(_reader, (make, arguments), Stretches([source], options), jobs)) as work:
        for stretch, (result, reach) in work:
            if not course.leads_to(stretch):
                break
            if not is_noted and (stretch.form is Form.CSV or reach.rows):
                _note_shape(source, options, note)
                is_noted = True
            yield Part(result, course.take(stretch, reach))
    if not course.ended:
        if not is_noted:
            _note_shape(source, options, note)
        yield from _in_chunks(make, arguments, course.rest(), jobs)


def _reader(make: Make[Result], arguments: tuple[Any, ...]) -> Callable[[Stretch], tuple[Result, Reach]]:
    use = make(*arguments)

    def read(stretch: Stretch) -> tuple[Result, Reach]:
        reading = Reading(stretch)
        return use(reading.records()), reading.reach

    return read


def _note_shape(source: Source, options: ReadOptions, note: Note) -> None:
    """Find out how the rows of a source are read, which is seen at the first of them."""
    shapes: list[Shape] = []
    with closing(records([source], options, shapes.append)) as stream:
        for _ in stream:
            if shapes:
                break
    for shape in shapes:
        note(shape)


def chunks(stream: Iterable[Record]) -> Iterator[list[Record]]:
    """Records, as many together as are worth sending to another process."""
    chunk: list[Record] = []
    size = 0
    for record in stream:
        chunk.append(record)
        size += len(record.data) if isinstance(record, Batch) else 1000
        if size >= CHUNK:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk
