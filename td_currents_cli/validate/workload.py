"""All records of all sources, checked over the cores, in their order.

Large plain files are read by those who check them, in stretches; all others by one process, which hands out chunks of
batches. What comes of it is the same.
"""

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from functools import partial
from itertools import groupby
from typing import TypeAlias

from msgspec.structs import replace

from td_currents_cli.catalog import Catalog
from td_currents_cli.errors import InputError
from td_currents_cli.model import Batch, Location, Record
from td_currents_cli.read import Source, records
from td_currents_cli.read.course import Before, Course
from td_currents_cli.read.parts import chunks
from td_currents_cli.read.records import records_from
from td_currents_cli.read.stretches import Form, Reach, Reading, Stretch, Stretches
from td_currents_cli.validate.check import Checked, Checker
from td_currents_cli.work import in_order

Checking: TypeAlias = tuple[Catalog, int, bool]
"""The arguments of a `Checker`: catalogue, now, fast. They are sent to other processes."""

Again: TypeAlias = Callable[[], Record]
"""Gives the record that something was found in, once more."""


def checked(sources: Sequence[Source], checking: Checking, jobs: int) -> Generator[tuple[Again, Checked]]:
    """What was found in each record of all sources, and a way to the record itself.

    Args:
        sources: read in their order.
        checking: how to check them.
        jobs: number of processes.
    """
    for in_stretches, group in groupby(sources, lambda source: jobs > 1 and _worth_stretches(source)):
        if not in_stretches:
            yield from _in_chunks(records(group), checking, jobs)
            continue
        for source in group:
            yield from _in_stretches(source, checking, jobs)


def _worth_stretches(source: Source) -> bool:
    first = next(iter(Stretches([source])))
    return first.form is not Form.WHOLE


def _in_stretches(source: Source, checking: Checking, jobs: int) -> Iterator[tuple[Again, Checked]]:
    course = Course(source)
    with closing(in_order(_stretch_checker, checking, Stretches([source]), jobs)) as work:
        for stretch, (results, reach) in work:
            if not course.leads_to(stretch):
                break
            before = course.take(stretch, reach)
            for result in results:
                moved = _moved(result, before)
                yield partial(_read_again, source, moved.location, stretch.header), moved
    if not course.ended:
        yield from _in_chunks(course.rest(), checking, jobs)


def _stretch_checker(
    catalog: Catalog,
    now: int,
    fast: bool,  # noqa: FBT001 -- sent to other processes as it is
) -> Callable[[Stretch], tuple[list[Checked], Reach]]:
    checker = Checker(catalog, now, fast=fast)

    def check(stretch: Stretch) -> tuple[list[Checked], Reach]:
        reading = Reading(stretch)
        results = [result for record in reading.records() for result in checker(record)]
        return results, reading.reach

    return check


def _moved(result: Checked, before: Before) -> Checked:
    """What was found in a stretch, with its places in the source."""
    problems = list(map(before.placed, result.problems))
    return replace(result, location=before.moved(result.location), problems=problems)


def _read_again(source: Source, place: Location, header: Sequence[str] | None) -> Record:
    """The batch at a place of a plain file.

    Raises:
        InputError: it is no longer there.
    """
    record = next(records_from(source, place, (place.row or 1) - 1, header), None)
    if not isinstance(record, Batch) or record.location != place:
        raise InputError(f"{source.name}: the file was changed while it was read")
    return record


def _in_chunks(stream: Iterable[Record], checking: Checking, jobs: int) -> Iterator[tuple[Again, Checked]]:
    with closing(in_order(_chunk_checker, checking, chunks(stream), jobs)) as work:
        for chunk, results in work:
            for record, of_record in zip(chunk, results, strict=True):
                for result in of_record:
                    yield partial(_itself, record), result


def _itself(record: Record) -> Record:
    return record


def _chunk_checker(
    catalog: Catalog,
    now: int,
    fast: bool,  # noqa: FBT001 -- as above
) -> Callable[[list[Record]], list[list[Checked]]]:
    checker = Checker(catalog, now, fast=fast)
    return lambda chunk: [list(checker(record)) for record in chunk]
