"""The run of `tdcur parse`: all events of all sources, in order, to where they are wanted."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from itertools import compress
from pathlib import Path
from typing import TypeAlias

from td_currents_cli.choices import Mask, Nested, To
from td_currents_cli.events.dedupe import LIMIT, IdSet
from td_currents_cli.outcome import Balance, ProblemLog, error_envelope, exit_code_of
from td_currents_cli.parallel.map import ChunkResult, map_records
from td_currents_cli.parallel.pool import SharedBytes
from td_currents_cli.parse.columns import unknown_of
from td_currents_cli.parse.files import TypeFiles, appearing_together
from td_currents_cli.parse.outcome import ParseOutcome
from td_currents_cli.parse.rejects import TooManyRejectsError, check_rejects, reject_line, rejects_file
from td_currents_cli.parse.request import ParseRequest
from td_currents_cli.parse.shape import Plan, Shaped, Shaping
from td_currents_cli.parse.table import Spool
from td_currents_cli.read.options import SourceFormat
from td_currents_cli.write.atomic import atomic_output, write_all
from td_currents_cli.write.json_text import json_document

Take: TypeAlias = Callable[[Shaped], object]
"""Writes what came of a part of the input."""


def run(request: ParseRequest) -> ParseOutcome:
    """Write every event of all sources in its flat form.

    Raises:
        OutputError: an output cannot be written.
        TooManyRejectsError: more was rejected than is allowed.
        UsageError: the request makes no sense.
    """
    request.check()
    if request.to is To.PARQUET:
        from td_currents_cli.write.parquet import require_pyarrow  # noqa: PLC0415 -- an extra

        require_pyarrow()
    plan, files = _plan(request), list[str]()
    tally, shapes = _Tally(request), dict[SourceFormat, None]()
    with (
        _told_when_stopped(request, lambda: tally.outcome(tuple(shapes), (), 0)),
        rejects_file(request.rejects) as reject,
        _seen(request) as seen,
        _output(request, files) as take,
    ):
        work = map_records(
            Shaping, (plan,), request.sources, options=request.reading, jobs=request.jobs, on_format=shapes.setdefault
        )
        with closing(work) as parts:
            for part in parts:
                shaped = _placed(part)
                reject(b"".join([reject_line(problem) for problem in shaped.rejects]))
                duplicates = 0 if seen is None else _drop_duplicates(shaped, seen)
                tally.take(shaped, duplicates)
                take(shaped)
        check_rejects(request.max_rejects, tally.balance, finished=True)
    outcome = tally.outcome(tuple(shapes), tuple(files), 0 if seen is None else seen.spilled)
    _summarize(request, outcome.as_dict())
    return outcome


def _summarize(request: ParseRequest, summary: Mapping[str, object]) -> None:
    if request.summary is not None:
        with atomic_output(request.summary) as output:
            output.write(json_document(summary))


@contextmanager
def _told_when_stopped(request: ParseRequest, outcome: Callable[[], ParseOutcome]) -> Iterator[None]:
    """The summary of a run that `--max-rejects` stops: what was read until then, and that it was for nothing."""
    try:
        yield
    except TooManyRejectsError as error:
        envelope = error_envelope(ParseOutcome.command, error)
        _summarize(request, {**envelope, **outcome().as_dict(), "exit_code": envelope["exit_code"]})
        raise


def _plan(request: ParseRequest) -> Plan:
    return Plan(
        wanted=request.wanted,
        names=request.names,
        texts=request.nested is Nested.JSON and not request.is_table,
        fields=None if request.is_table else request.fields,
        mask=request.mask is not Mask.KEEP,
        key=request.key(),
        ids=request.dedupe,
        types=request.split,
        meet=request.is_table and not request.split and (request.fields is None or request.to is To.PARQUET),
        rejects=request.rejects is not None,
    )


def _placed(part: ChunkResult[Shaped]) -> Shaped:
    """What came of a part of the input, with its problems where they stand in the source."""
    shaped = part.result
    shaped.rejects = [part.placed(problem) for problem in shaped.rejects]
    shaped.problems = replace(shaped.problems, kept=tuple(part.placed(problem) for problem in shaped.problems.kept))
    return shaped


@contextmanager
def _seen(request: ParseRequest) -> Iterator[IdSet[bytes] | None]:
    if not request.dedupe:
        yield None
        return
    with IdSet[bytes](request.limit or LIMIT) as seen:
        yield seen


def _drop_duplicates(shaped: Shaped, seen: IdSet[bytes]) -> int:
    """Take events out whose id came before; how many they were."""
    repeated = seen.add(shaped.digests)
    if repeated:
        first = [index not in repeated for index in range(len(shaped.digests))]
        shaped.bulk = SharedBytes(b"\n".join([*compress(shaped.lines(), first), b""]))
        shaped.types = list(compress(shaped.types, first))
    return len(repeated)


@contextmanager
def _output(request: ParseRequest, files: list[str]) -> Iterator[Take]:
    """Where the events go."""
    if request.out_dir is not None:
        with appearing_together(request.out_dir) as (folder, publish):
            parts = TypeFiles(folder)
            yield lambda shaped: _split(shaped, parts)
            parts.close()
            for stem in sorted(parts.stems):
                files.append(f"{stem}.{request.to}")
                publish(_laid_out(parts.path(stem), request), files[-1])
        return
    with ExitStack() as stack:
        output = stack.enter_context(atomic_output(request.output))
        if not request.is_table:
            yield lambda shaped: write_all(output, shaped.bulk.data)
            return
        spool = stack.enter_context(Spool())
        yield spool.take
        spool.lay_out(output, request)


def _split(shaped: Shaped, parts: TypeFiles) -> None:
    of_stem: dict[str, list[bytes]] = {}
    for line, event_type in zip(shaped.lines(), shaped.types, strict=True):
        of_stem.setdefault(event_type, []).append(line)
    for event_type, lines in of_stem.items():
        parts.write(event_type, b"\n".join([*lines, b""]))


def _laid_out(part: Path, request: ParseRequest) -> Path:
    """The file that is to appear, made of the JSON Lines of one event type."""
    if not request.is_table:
        return part
    made = part.with_suffix(".made")
    with part.open("rb") as lines, Spool(lines) as spool, made.open("wb") as output:
        spool.meet()
        spool.lay_out(output, request)
    part.unlink()
    return made


class _Tally:
    """Adds up where everything went."""

    def __init__(self, request: ParseRequest) -> None:
        self._request = request
        self._log = ProblemLog()
        self.balance = Balance()

    def take(self, shaped: Shaped, duplicates: int) -> None:
        """Count what came of a part of the input. Raises TooManyRejectsError."""
        some = replace(shaped.balance, duplicates=duplicates, events_out=shaped.balance.events_out - duplicates)
        self.balance += some
        self._log.take(shaped.problems)
        check_rejects(self._request.max_rejects, self.balance, finished=False)

    def outcome(self, shapes: tuple[SourceFormat, ...], files: tuple[str, ...], spilled: int) -> ParseOutcome:
        """The frozen result."""
        problems = self._log.result()
        return ParseOutcome(
            balance=self.balance,
            shapes=shapes,
            files=files,
            spilled=spilled,
            unknown=unknown_of(self._request.fields or (), self._request.names),
            problems=problems,
            exit_code=exit_code_of(problems, self.balance),
        )
