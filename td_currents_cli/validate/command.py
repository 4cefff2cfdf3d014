"""`tdcur validate`: checks all batches of all sources."""

import time
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import ClassVar

from msgspec import Struct, field, structs

from td_currents_cli import catalog as catalogs
from td_currents_cli.catalog import Catalog
from td_currents_cli.errors import ExitCode, UsageError
from td_currents_cli.model import UNREADABLE_CODES, Code, Location, Problem, Record, Severity
from td_currents_cli.outcome import Balance, Outcome, ProblemLog, exit_code_of
from td_currents_cli.parallel.map import map_records
from td_currents_cli.parallel.splits import SplitOffset
from td_currents_cli.read import Source
from td_currents_cli.validate.baseline import ProblemKind, problem_kind, read_baseline, write_baseline
from td_currents_cli.validate.checker import Checker, CheckResult, bare_array_problem
from td_currents_cli.validate.duplicate_ids import DuplicateIds, duplicate_id_problems
from td_currents_cli.validate.groups import DUPLICATE_IDS, ExampleCounter, ProblemGroup
from td_currents_cli.validate.positions import in_source_order
from td_currents_cli.validate.rules import RULES


class Selection(Struct, frozen=True):
    """The codes that are reported. An input that cannot be read is always reported."""

    codes: frozenset[Code]

    @classmethod
    def of(cls, select: Sequence[str], ignore: Sequence[str]) -> "Selection":
        """Select codes by prefix (all, if `select` is empty); the longest matching prefix of both lists decides.

        Each element may contain several prefixes, separated by commas.

        Raises:
            UsageError: no code starts with a prefix.
        """
        selected, ignored = _prefixes(select, "--select"), _prefixes(ignore, "--ignore")
        return cls(
            frozenset(code for code in Code if _match_length(code, selected or [""]) > _match_length(code, ignored))
        )

    def __contains__(self, code: object) -> bool:
        return code in self.codes or code in UNREADABLE_CODES


def _match_length(code: Code, prefixes: Sequence[str]) -> int:
    """Length of the longest of the prefixes that the code starts with; -1 for none."""
    return max((len(prefix) for prefix in prefixes if code.startswith(prefix)), default=-1)


def _prefixes(lists: Sequence[str], option: str) -> list[str]:
    prefixes = [prefix.strip().upper() for each in lists for prefix in each.split(",") if prefix.strip()]
    for prefix in prefixes:
        if not any(code.startswith(prefix) for code in Code):
            raise UsageError(
                f"{option}: no rule starts with `{prefix}`", hint="Run `tdcur rules` for a list; TDC2 selects a family."
            )
    return prefixes


class ValidateRequest(Struct, frozen=True, kw_only=True):
    """What to validate, and which problems count."""

    sources: Sequence[Source]
    selection: Selection
    strict: bool = False  # warnings count as errors for the exit code
    catalog: Catalog = field(default_factory=catalogs.load)
    baseline: Path | None = None  # problems to accept
    write_baseline: Path | None = None  # where to write the problems of this run as a baseline
    keep: int | None = None  # maximum number of problems to keep; all are counted
    examples: int | None = None  # maximum number to keep of a rule and event type, instead of `keep`
    statistics: bool = False  # show how often each rule was broken, not the problems
    jobs: int = 1
    now: int = field(default_factory=lambda: int(time.time()))  # UNIX seconds
    fast: bool = True


class ValidateOutcome(Outcome, frozen=True, kw_only=True):
    """The problems, and what was checked."""

    command: ClassVar[str] = "validate"

    files: int  # number of sources
    balance: Balance
    by_code: Counter[Code]
    by_group: Counter[ProblemGroup]
    selection: Selection
    limit: int | None = None  # maximum number of problems to show; in `examples`, more may be kept
    examples: int | None = None  # maximum number that was kept of each group
    suppressed: int = 0  # problems that the baseline accepts
    strict: bool = False
    statistics: bool = False
    seconds: float = 0.0

    @property
    def failing(self) -> set[Severity]:
        """Severities of the problems that make the run fail."""
        return {Severity.ERROR, Severity.WARNING} if self.strict else {Severity.ERROR}

    def summary(self) -> dict[str, object]:
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
        UsageError: the file is not a baseline.
        OutputError: the baseline cannot be written.
    """
    begin = time.monotonic()
    collector = _Collector(request)
    with closing(collector), closing(_checked(request)) as results:
        for again, result in results:
            collector.add(again, result)
    if request.write_baseline is not None:
        write_baseline(request.write_baseline, collector.kinds)
    return collector.outcome(time.monotonic() - begin)


def _checked(request: ValidateRequest) -> Generator[tuple[Callable[[], Record], CheckResult]]:
    """Yield the results for each record, with their places, and a way to read the record again."""
    checking = (request.catalog, request.now, request.fast)
    with closing(map_records(_chunk_checker, checking, request.sources, jobs=request.jobs)) as chunks:
        for chunk in chunks:
            is_moved = chunk.offset != SplitOffset()
            for index, results in enumerate(chunk.result):
                for result in results:
                    if is_moved:
                        place, problems = chunk.offset.moved(result.location), list(map(chunk.placed, result.problems))
                        result = structs.replace(result, location=place, problems=problems)  # noqa: PLW2901
                    yield partial(chunk.record, index, result.location), result


def _chunk_checker(
    catalog: Catalog,
    now: int,
    fast: bool,  # noqa: FBT001 -- sent to other processes as it is
) -> Callable[[Iterable[Record]], list[list[CheckResult]]]:
    checker = Checker(catalog, now, fast=fast)
    return lambda records: [list(checker(record)) for record in records]


class _Collector:
    """Counts what was checked, and decides which problems count."""

    def __init__(self, request: ValidateRequest) -> None:
        self._request = request
        # The examples are few: which of them are shown is decided when all groups are known.
        self._log = ProblemLog(keep=request.keep if request.examples is None else None)
        self._groups = ExampleCounter(request.examples)
        self._duplicate_ids = DuplicateIds() if Code.REPEATED_ID in request.selection else None
        self._accepted = read_baseline(request.baseline) if request.baseline else Counter[ProblemKind]()
        self._by_code: Counter[Code] = Counter()
        self._suppressed = 0
        self._rows = self._rejected = self._events = 0
        self._array: Location | None = None  # the last one with events without a batch
        self._array_events = Counter[Location]()  # of those arrays whose problem is kept
        self.kinds: Counter[ProblemKind] = Counter()

    def close(self) -> None:
        if self._duplicate_ids is not None:
            self._duplicate_ids.close()

    def add(self, again: Callable[[], Record], result: CheckResult) -> None:
        """Count the result of one record, which `again` reads once more."""
        self._rows += result.is_row
        self._rejected += result.rejected
        self._events += result.events
        problems = result.problems
        if self._duplicate_ids is not None and result.ids:
            duplicates = self._duplicate_ids.add(result.location, result.ids)
            if duplicates:
                found = duplicate_id_problems(again, result.location, duplicates, exact=self._shows_more())
                problems = in_source_order([*problems, *found])
        for problem in problems:
            if problem.code not in self._request.selection or self._is_of_same_array(problem, result):
                continue
            if self._request.write_baseline is not None and problem.code not in UNREADABLE_CODES:
                self.kinds[problem_kind(problem)] += 1
                self._suppressed += 1
            elif self._accepted and self._accepted[kind := problem_kind(problem)] > 0:
                self._accepted[kind] -= 1
                self._suppressed += 1
            else:
                self._by_code[problem.code] += 1
                (self._log.add if self._groups.add(problem) else self._log.count)(problem)

    def _is_of_same_array(self, problem: Problem, result: CheckResult) -> bool:
        """Whether a problem is that of an array, one of whose events had it before."""
        # That of a single event is where the event is.
        if problem.code is not Code.BARE_EVENT or problem.location == result.location:
            return False
        is_same, self._array = problem.location == self._array, problem.location
        limit = self._request.keep
        if is_same and problem.location in self._array_events:
            self._array_events[problem.location] += 1
        elif not is_same and (limit is None or len(self._array_events) < limit):
            self._array_events[problem.location] = 1
        return is_same

    def _finished(self, problem: Problem) -> Problem:
        """The problem with the number of events of its array, or with the fix of its rule if it has no hint."""
        if problem.code is Code.BARE_EVENT and (events := self._array_events[problem.location]):
            return bare_array_problem(problem.location, events)
        return problem if problem.hint else structs.replace(problem, hint=RULES[problem.code].fix)

    def outcome(self, seconds: float) -> ValidateOutcome:
        balance = Balance(
            rows_read=self._rows,
            rows_rejected=self._rejected,
            events_read=self._events,
            events_rejected=0,
            events_out=self._events,
        )
        problems = self._log.result()
        code = exit_code_of(problems, balance)
        if self._request.strict and problems.by_severity[Severity.WARNING]:
            code = max(code, ExitCode.FINDINGS)
        return ValidateOutcome(
            files=sum(source.note is None for source in self._request.sources),
            balance=balance,
            problems=structs.replace(problems, kept=tuple(map(self._finished, problems.kept))),
            exit_code=code,
            by_code=self._by_code,
            by_group=self._groups.counts,
            limit=self._request.keep,
            examples=self._request.examples,
            selection=self._request.selection,
            suppressed=self._suppressed,
            strict=self._request.strict,
            statistics=self._request.statistics,
            seconds=seconds,
        )

    def _shows_more(self) -> bool:
        """Whether more than the code of the next problem may be needed."""
        request = self._request
        if request.baseline is not None or request.write_baseline is not None:
            return True
        if request.examples is not None:
            return self._groups.needs(DUPLICATE_IDS)
        return request.keep is None or self._by_code.total() < request.keep
