"""`tdcur parse`: the flat events of all sources, in order, to the requested output."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, nullcontext
from itertools import compress
from pathlib import Path
from typing import ClassVar, TypeAlias

from msgspec.structs import replace

from td_currents_cli.choices import To
from td_currents_cli.events.dedupe import LIMIT, IdSet
from td_currents_cli.outcome import Balance, Outcome, ProblemLog, error_envelope, exit_code_of
from td_currents_cli.parallel.map import ChunkResult, map_records
from td_currents_cli.parallel.pool import SharedBytes
from td_currents_cli.parse.columns import unknown_fields
from td_currents_cli.parse.request import ParseRequest
from td_currents_cli.parse.transform import TransformedChunk, Transformer
from td_currents_cli.parse.writers import (
    Losses,
    SpooledTable,
    TooManyRejectsError,
    TypeFiles,
    appearing_together,
    check_rejects,
    reject_line,
    rejects_file,
)
from td_currents_cli.read.options import SourceFormat
from td_currents_cli.write.files import atomic_output, compressed, write_all
from td_currents_cli.write.formats import json_document


class ParseOutcome(Outcome, frozen=True, kw_only=True):
    """What `parse` read and wrote."""

    command: ClassVar[str] = "parse"

    balance: Balance
    formats: tuple[SourceFormat, ...] = ()  # in which sources of rows were read, each once
    output: Path | None = None  # file of the events, or folder of a file per event type; None for standard output
    files: tuple[str, ...] = ()  # names, with a file per event type
    rejects: Path | None = None
    summary_file: Path | None = None
    spilled: int = 0  # ids that did not fit into memory
    unknown: Mapping[str, str | None] = {}  # requested fields, each with a similar one
    notes: tuple[str, ...] = ()  # what the output format does not hold

    def summary(self) -> dict[str, object]:
        return {
            "rows_read": self.balance.rows_read,
            "rows_rejected": self.balance.rows_rejected,
            "rows_truncated": self.balance.rows_truncated,
            "events_read": self.balance.events_read,
            "events_rejected": self.balance.events_rejected,
            "written": self.balance.events_out,
            "duplicates": self.balance.duplicates,
            "filtered": self.balance.filtered,
            "lost": self.balance.lost,
            "read_as": [str(each) for each in self.formats],
            **({"files": list(self.files)} if self.files else {}),
        }

    def data(self) -> dict[str, object]:
        return {"notes": list(self.notes)} if self.notes else {}


_Write: TypeAlias = Callable[[TransformedChunk], object]


def run(request: ParseRequest) -> ParseOutcome:
    """Write every event of all sources in its flat form.

    Raises:
        OutputError: an output cannot be written.
        TooManyRejectsError: more was rejected than is allowed.
        UsageError: options conflict, or pyarrow is missing.
    """
    request.check()
    if request.to is To.PARQUET:
        from td_currents_cli.write.formats import require_pyarrow  # noqa: PLC0415 -- an extra

        require_pyarrow()
    key, files, losses = request.key(), list[str](), Losses()
    totals, formats = _Totals(request), dict[SourceFormat, None]()
    with (
        _summary_when_stopped(request, lambda: totals.outcome(tuple(formats), (), 0)),
        rejects_file(request.rejects) as write_rejects,
        IdSet[bytes](request.limit or LIMIT) if request.dedupe else nullcontext() as seen,
        _output(request, files, losses) as write,
    ):
        work = map_records(
            Transformer,
            (replace(request, sources=()), key),
            request.sources,
            options=replace(request.reading, flat=request.names),
            jobs=request.jobs,
            on_format=formats.setdefault,
        )
        with closing(work) as results:
            for result in results:
                chunk = _placed(result)
                write_rejects(b"".join([reject_line(problem) for problem in chunk.rejects]))
                duplicates = 0 if seen is None else _drop_duplicates(chunk, seen)
                totals.add(chunk, duplicates)
                write(chunk)
        check_rejects(request.max_rejects, totals.balance, finished=True)
    outcome = replace(
        totals.outcome(tuple(formats), tuple(files), 0 if seen is None else seen.spilled),
        notes=tuple(losses.notes(request.to)),
    )
    _write_summary(request, outcome.as_dict())
    return outcome


def _write_summary(request: ParseRequest, summary: Mapping[str, object]) -> None:
    if request.summary is not None:
        with atomic_output(request.summary) as output:
            output.write(json_document(summary))


@contextmanager
def _summary_when_stopped(request: ParseRequest, outcome: Callable[[], ParseOutcome]) -> Iterator[None]:
    """Write the summary of a run that `--max-rejects` stops: what was read until then, and the error."""
    try:
        yield
    except TooManyRejectsError as error:
        envelope = error_envelope(ParseOutcome.command, error)
        _write_summary(request, {**envelope, **outcome().as_dict(), "exit_code": envelope["exit_code"]})
        raise


def _placed(result: ChunkResult[TransformedChunk]) -> TransformedChunk:
    """The chunk, with its problems where they are in the source."""
    chunk = result.result
    chunk.rejects = [result.placed(problem) for problem in chunk.rejects]
    chunk.problems = replace(chunk.problems, kept=tuple(result.placed(problem) for problem in chunk.problems.kept))
    return chunk


def _drop_duplicates(chunk: TransformedChunk, seen: IdSet[bytes]) -> int:
    """Remove the events with a known id; returns their number."""
    duplicates = seen.add(chunk.digests)
    if duplicates:
        is_first = [index not in duplicates for index in range(len(chunk.digests))]
        chunk.lines = SharedBytes(b"\n".join([*compress(chunk.split_lines(), is_first), b""]))
        chunk.types = list(compress(chunk.types, is_first))
    return len(duplicates)


@contextmanager
def _output(request: ParseRequest, files: list[str], losses: Losses) -> Iterator[_Write]:
    """What writes the events of a chunk."""
    if request.out_dir is not None:
        with appearing_together(request.out_dir) as (folder, publish):
            with TypeFiles(folder) as type_files:
                yield lambda chunk: _write_by_type(chunk, type_files)
            for stem in sorted(type_files.stem_of_type.values()):
                files.append(f"{stem}.{request.to}")
                publish(_formatted(type_files.path(stem), request, losses), files[-1])
        return
    with ExitStack() as stack:
        output = stack.enter_context(atomic_output(request.output))
        if request.to is not To.PARQUET:
            # Parquet has a compression of its own.
            output = stack.enter_context(compressed(output, request.output))
        if not request.is_table:
            yield lambda chunk: write_all(output, *chunk.lines.pieces)
            return
        table = stack.enter_context(SpooledTable())
        yield table.add
        table.write(output, request, losses)


def _write_by_type(chunk: TransformedChunk, files: TypeFiles) -> None:
    by_type: dict[str, list[bytes]] = {}
    for line, event_type in zip(chunk.split_lines(), chunk.types, strict=True):
        by_type.setdefault(event_type, []).append(line)
    for event_type, lines in by_type.items():
        files.write(event_type, b"\n".join([*lines, b""]))


def _formatted(part: Path, request: ParseRequest, losses: Losses) -> Path:
    """The finished file of one event type, made from its JSON Lines."""
    if not request.is_table:
        return part
    finished = part.with_suffix(".made")
    with part.open("rb") as lines, SpooledTable(lines) as table, finished.open("wb") as output:
        table.write(output, request, losses)
    part.unlink()
    return finished


class _Totals:
    """Adds up the balance and the problems of all chunks."""

    def __init__(self, request: ParseRequest) -> None:
        self._request = request
        self._log = ProblemLog()
        self.balance = Balance()

    def add(self, chunk: TransformedChunk, duplicates: int) -> None:
        """Raises TooManyRejectsError."""
        self.balance += replace(chunk.balance, duplicates=duplicates, events_out=chunk.balance.events_out - duplicates)
        self._log.merge(chunk.problems)
        check_rejects(self._request.max_rejects, self.balance, finished=False)

    def outcome(self, formats: tuple[SourceFormat, ...], files: tuple[str, ...], spilled: int) -> ParseOutcome:
        problems = self._log.result()
        return ParseOutcome(
            balance=self.balance,
            formats=formats,
            output=None if self._request.to_standard_output else self._request.out_dir or self._request.output,
            files=files,
            rejects=self._request.rejects,
            summary_file=self._request.summary,
            spilled=spilled,
            unknown=unknown_fields(self._request.fields or (), self._request.names),
            problems=problems,
            exit_code=exit_code_of(problems, self.balance),
            scanned=self._request.scanned,
        )
