"""The run of `tdcur validate`: all batches of all sources, checked."""

import time
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import ClassVar, TypeAlias

from msgspec import structs

from td_currents_cli import catalog as catalogs
from td_currents_cli.catalog import Catalog
from td_currents_cli.codes import Code
from td_currents_cli.errors import ExitCode
from td_currents_cli.model import Problem, Record, Severity
from td_currents_cli.outcome import Balance, Outcome, ProblemLog, Problems, exit_code_of
from td_currents_cli.parallel.map import ChunkResult, map_records
from td_currents_cli.read import Source
from td_currents_cli.validate.baseline import Baseline, Kind, kind_of, read_baseline, write_baseline
from td_currents_cli.validate.check import Checked, Checker
from td_currents_cli.validate.extent import in_text_order
from td_currents_cli.validate.repeats import DuplicateIds, duplicate_id_problems
from td_currents_cli.validate.rules import RULES
from td_currents_cli.validate.selection import Selection

Again: TypeAlias = Callable[[], Record]
"""Gives the record that something was found in, once more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidateRequest:
    """What to validate, and what counts.

    Attributes:
        selection: codes that are reported.
        strict: warnings count as errors for the exit code.
        catalog: event types and fields.
        baseline: file of findings that are known and accepted.
        write_baseline: where to write the findings of this run as the baseline of later ones.
        keep: how many findings to keep for showing; None for all. All are counted.
        statistics: what is wanted is how often each rule was broken.
        jobs: number of processes.
        now: UNIX seconds; later times are in the future.
    """

    sources: Sequence[Source]
    selection: Selection
    strict: bool = False
    catalog: Catalog = field(default_factory=catalogs.load)
    baseline: Path | None = None
    write_baseline: Path | None = None
    keep: int | None = None
    statistics: bool = False
    jobs: int = 1
    now: int = field(default_factory=lambda: int(time.time()))
    fast: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidateOutcome(Outcome):
    """The findings and what they were found in.

    Attributes:
        files: number of sources.
        by_code: how often each rule was broken.
        selection: the rules that were checked.
        suppressed: findings that the baseline accepts.
        strict: warnings count as errors.
        statistics: `by_code` is to be shown, not the findings.
        seconds: the run took.
    """

    command: ClassVar[str] = "validate"

    files: int
    balance: Balance
    by_code: Counter[Code]
    selection: Selection
    suppressed: int = 0
    strict: bool = False
    statistics: bool = False
    seconds: float = 0.0

    def summary(self) -> dict[str, object]:
        """How much was checked and how much was found."""
        return {
            "files": self.files,
            "batches": self.balance.rows_read,
            "events": self.balance.events_read,
            "errors": self.problems.by_severity[Severity.ERROR],
            "warnings": self.problems.by_severity[Severity.WARNING],
            "infos": self.problems.by_severity[Severity.INFO],
            "shown": len(self.problems.kept),
            "suppressed": self.suppressed,
            "by_code": {code.value: self.by_code[code] for code in sorted(self.by_code)},
            "seconds": round(self.seconds, 3),
        }


def run(request: ValidateRequest) -> ValidateOutcome:
    """Check every event of all sources.

    Raises:
        InputError: the baseline cannot be read.
        UsageError: the baseline is none.
        OutputError: the baseline cannot be written.
    """
    begin = time.monotonic()
    tally = _Tally(request)
    with closing(tally), closing(_checked(request)) as results:
        for again, result in results:
            tally.take(again, result)
    if request.write_baseline is not None:
        write_baseline(request.write_baseline, tally.kinds)
    return tally.outcome(time.monotonic() - begin)


def _checked(request: ValidateRequest) -> Generator[tuple[Again, Checked]]:
    """Yield the results for each record of all sources, with their places, and a way to get the record again."""
    checking = (request.catalog, request.now, request.fast)
    with closing(map_records(_chunk_checker, checking, request.sources, jobs=request.jobs)) as chunks:
        for chunk in chunks:
            for index, results in enumerate(chunk.result):
                for result in results:
                    placed = _placed(chunk, result)
                    yield partial(chunk.record, index, placed.location), placed


def _chunk_checker(
    catalog: Catalog,
    now: int,
    fast: bool,  # noqa: FBT001 -- sent to other processes as it is
) -> Callable[[Iterable[Record]], list[list[Checked]]]:
    checker = Checker(catalog, now, fast=fast)
    return lambda records: [list(checker(record)) for record in records]


def _placed(chunk: ChunkResult[list[list[Checked]]], result: Checked) -> Checked:
    place = chunk.offset.moved(result.location)
    if place is result.location:
        return result
    return structs.replace(result, location=place, problems=list(map(chunk.placed, result.problems)))


class _Tally:
    """Counts what was checked, and decides which findings count."""

    def __init__(self, request: ValidateRequest) -> None:
        self._request = request
        self._log = ProblemLog(keep=request.keep)
        self._duplicate_ids = DuplicateIds() if Code.REPEATED_ID in request.selection else None
        self._baseline = read_baseline(request.baseline) if request.baseline else Baseline({})
        self._by_code: Counter[Code] = Counter()
        self._suppressed = 0
        self._rows = self._rejected = self._events = 0
        self.kinds: Counter[Kind] = Counter()

    def close(self) -> None:
        if self._duplicate_ids is not None:
            self._duplicate_ids.close()

    def take(self, again: Again, result: Checked) -> None:
        """Count one checked batch, which can be had again, and its findings."""
        self._rows += result.is_row
        self._rejected += result.rejected
        self._events += result.events
        problems = result.problems
        if self._duplicate_ids is not None and result.ids:
            repeated = self._duplicate_ids.add(result.location, result.ids)
            if repeated:
                remarks = duplicate_id_problems(again, result.location, repeated, exact=self._shows_more())
                problems = in_text_order([*problems, *remarks])
        for problem in problems:
            self._note(problem)

    def outcome(self, seconds: float) -> ValidateOutcome:
        """The frozen result."""
        balance = Balance(
            rows_read=self._rows,
            rows_rejected=self._rejected,
            events_read=self._events,
            events_rejected=0,
            events_out=self._events,
        )
        problems = _with_hints(self._log.result())
        code = exit_code_of(problems, balance)
        if self._request.strict and problems.by_severity[Severity.WARNING]:
            code = max(code, ExitCode.FINDINGS)
        return ValidateOutcome(
            files=len(self._request.sources),
            balance=balance,
            problems=problems,
            exit_code=code,
            by_code=self._by_code,
            selection=self._request.selection,
            suppressed=self._suppressed,
            strict=self._request.strict,
            statistics=self._request.statistics,
            seconds=seconds,
        )

    def _shows_more(self) -> bool:
        """Whether the next finding may matter for more than its code."""
        request = self._request
        if request.keep is None or request.baseline is not None or request.write_baseline is not None:
            return True
        return self._by_code.total() < request.keep

    def _note(self, problem: Problem) -> None:
        if problem.code not in self._request.selection:
            return
        if self._request.write_baseline is not None and problem.code is not Code.UNREADABLE:
            self.kinds[kind_of(problem)] += 1
            self._suppressed += 1
        elif self._baseline.accepts(problem):
            self._suppressed += 1
        else:
            self._by_code[problem.code] += 1
            self._log.add(problem)


def _with_hints(problems: Problems) -> Problems:
    """The same, each with what to do: what its rule says, where the finding has nothing of its own."""
    kept = (each if each.hint else structs.replace(each, hint=RULES[each.code].fix) for each in problems.kept)
    return replace(problems, kept=tuple(kept))
