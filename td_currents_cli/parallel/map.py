"""One map over the records of all sources: every core works, results come in the order of the input, memory is bounded.

Large plain files are read by the worker processes, in splits. All others are read by this process, which hands out
chunks of records, or, where results are small, are handed out as a whole; but never objects in object storage, whose
client does not survive a fork. The results are the same, taken together.
"""

import math
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing, suppress
from itertools import groupby, islice
from typing import Any, Final, Generic, Protocol, TypeAlias, TypeVar, runtime_checkable

from msgspec import Struct

from td_currents_cli.errors import InputError
from td_currents_cli.model import Batch, Location, Problem, Record
from td_currents_cli.parallel.pool import ordered_map
from td_currents_cli.parallel.splits import (
    FileSplit,
    SplitCursor,
    SplitEnd,
    SplitFormat,
    SplitOffset,
    SplitReader,
    file_splits,
    is_splittable,
)
from td_currents_cli.read.lines import IrregularError, LineChunk
from td_currents_cli.read.options import DEFAULT, FormatCallback, ReadOptions, Source, SourceFormat
from td_currents_cli.read.reader import records, records_from

CHUNK_SIZE: Final = 1 << 20  # bytes of batches that a process is given at a time

Result = TypeVar("Result")
Result_co = TypeVar("Result_co", covariant=True)
MakeWorker: TypeAlias = Callable[..., Callable[[Iterable[Record]], Result]]
"""Makes, once in each process, the function that is applied to the records of each split or chunk."""


@runtime_checkable
class FastWorker(Protocol[Result_co]):
    """A function of records that has a fast path for the lines of large files, which gives the same result."""

    def __call__(self, records: Iterable[Record], /) -> Result_co: ...

    def fast(self, chunks: Iterable[LineChunk], /) -> Result_co:
        """Raise IrregularError, without any other effect, if a batch is out of the ordinary."""


class RecordChunk(Struct, frozen=True):
    """Records that are read by one process and handed to another."""

    records: list[Record]
    formats: tuple[SourceFormat, ...] = ()  # of sources whose first row is among them


class ChunkResult(Struct, Generic[Result], frozen=True):
    result: Result
    chunk: FileSplit | RecordChunk = RecordChunk([])
    offset: SplitOffset = SplitOffset()

    def placed(self, problem: Problem) -> Problem:
        return self.offset.placed(problem)

    def record(self, index: int, place: Location) -> Record:
        """Return a record once more, by its index in the chunk and its place in the source.

        Raises:
            InputError: it is no longer in the file.
        """
        if isinstance(self.chunk, RecordChunk):
            return self.chunk.records[index]
        source = self.chunk.source
        if self.chunk.format is SplitFormat.WHOLE:
            record = next(islice(records([source], self.chunk.options), index, None), None)
        else:
            record = next(records_from(source, place, (place.row or 1) - 1, self.chunk.table), None)
        if not isinstance(record, Batch) or record.location != place:
            raise InputError(f"{source.name}: the file changed while it was being read")
        return record


def map_records(
    make: MakeWorker[Result],
    arguments: tuple[Any, ...],
    sources: Sequence[Source],
    *,
    options: ReadOptions = DEFAULT,
    jobs: int = 1,
    whole_sources: bool = False,
    on_format: FormatCallback | None = None,
) -> Generator[ChunkResult[Result]]:
    """Apply a function to all records of all sources; the results in their order.

    They are the same, taken together, for any number of processes, if results for the parts of a source can be
    combined into that for the source. A chunk may contain records of several sources.

    `make` makes the function, once in each process. Its arguments and the results are sent between processes. With
    `whole_sources`, for small results, a source that has no splits is handed out as a whole.
    """
    # A split is read as its contents say. Where whole sources give a result each, splits bound the memory it takes.
    may_split = options.is_automatic and (jobs > 1 or whole_sources)
    rest: Iterator[Record] = iter(())
    while True:
        tasks = _tasks(rest, sources, options, may_split=may_split, whole_sources=whole_sources)
        with closing(ordered_map(_task_worker, (make, arguments), tasks, jobs, is_large=_is_part)) as results:
            irregular = yield from _until_irregular(results, on_format)
        if irregular is None:
            return
        rest, sources = irregular.rest(), sources[irregular.split.number + 1 :]


def _is_part(task: FileSplit | RecordChunk) -> bool:
    """Whether this is part of a large file, most of which comes after it."""
    return isinstance(task, FileSplit) and task.format is not SplitFormat.WHOLE


def _until_irregular(
    results: Iterator[tuple[FileSplit | RecordChunk, tuple[Result, SplitEnd]]], on_format: FormatCallback | None
) -> Generator[ChunkResult[Result], None, SplitCursor | None]:
    """Yield results up to a split that does not end where the next one begins; the place where it ended."""
    cursor, pending = None, on_format
    for task, (result, end) in results:
        if isinstance(task, RecordChunk):
            for source_format in task.formats:
                if on_format:
                    on_format(source_format)
            yield ChunkResult(result, task)
            continue
        if cursor is None or task.start == 0:
            cursor, pending = SplitCursor(task), on_format
        # If not, the previous split ended irregularly, or its last document or row extends into this one.
        is_next = task.start == cursor.end.offset
        is_irregular = not is_next or (task.limit == math.inf and not end.is_last)
        if pending and (is_irregular or task.format is SplitFormat.CSV or end.rows):
            _report_format(task.source, task.options, pending)
            pending = None
        if is_next:
            if task.source.progress is not None:
                # A source that is read as a whole ends nowhere else.
                is_whole = task.format is SplitFormat.WHOLE
                task.source.progress.reach(task.source, math.inf if is_whole else end.offset)
            yield ChunkResult(result, task, cursor.advance(end))
        if is_irregular:
            return cursor
    return None


def _tasks(
    rest: Iterator[Record], sources: Sequence[Source], options: ReadOptions, *, may_split: bool, whole_sources: bool
) -> Iterator[FileSplit | RecordChunk]:
    formats: list[SourceFormat] = []
    yield from _chunks(rest, formats)
    kinds = groupby(enumerate(sources), lambda each: (may_split and is_splittable(each[1]), each[1].stored is not None))
    for (is_split, is_stored), group in kinds:
        if is_split:
            for number, source in group:
                yield from file_splits(source, options, number=number)
        elif whole_sources and not is_stored:
            yield from (FileSplit(source=source, number=number, options=options) for number, source in group)
        elif whole_sources:
            for _, source in group:
                yield from _chunks(records([source], options, formats.append), formats)
        else:
            yield from _chunks(records((source for _, source in group), options, formats.append), formats)


def _chunks(stream: Iterable[Record], formats: list[SourceFormat]) -> Iterator[RecordChunk]:
    """Group as many records as are worth sending to another process, and the formats found meanwhile."""
    chunk: list[Record] = []
    size = 0
    for record in stream:
        chunk.append(record)
        size += len(record.data) if isinstance(record, Batch) else 1000
        if size >= CHUNK_SIZE:
            yield RecordChunk(chunk, tuple(formats))
            formats.clear()
            chunk, size = [], 0
    if chunk or formats:
        yield RecordChunk(chunk, tuple(formats))
        formats.clear()


def _task_worker(
    make: MakeWorker[Result], arguments: tuple[Any, ...]
) -> Callable[[FileSplit | RecordChunk], tuple[Result, SplitEnd]]:
    use = make(*arguments)

    def work(task: FileSplit | RecordChunk) -> tuple[Result, SplitEnd]:
        if isinstance(task, RecordChunk):
            return use(task.records), SplitEnd()
        if isinstance(use, FastWorker):
            with suppress(IrregularError, OSError):
                reader = SplitReader(task)
                return use.fast(reader.chunks()), reader.end
        reader = SplitReader(task)
        return use(reader.records()), reader.end

    return work


def _report_format(source: Source, options: ReadOptions, on_format: FormatCallback) -> None:
    """Read a source up to its first row, which shows its format."""
    formats: list[SourceFormat] = []
    with closing(records([source], options, formats.append)) as stream:
        next((record for record in stream if formats), None)
    for source_format in formats:
        on_format(source_format)
