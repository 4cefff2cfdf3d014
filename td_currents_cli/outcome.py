"""What a command returns: a frozen result that is rendered for people or as JSON and has the exit code."""

from collections import Counter
from collections.abc import Mapping, Sequence
from operator import add
from typing import ClassVar, Self

from msgspec import Struct, field, structs

from td_currents_cli import __version__
from td_currents_cli.errors import ExitCode, TdcurError
from td_currents_cli.model import UNREADABLE_CODES, Problem, Severity

SCHEMA = 1
"""Version of the JSON envelope. Fields are added, never renamed."""


class Problems(Struct, frozen=True, kw_only=True):
    """The problems of a run: all are counted, the first ones kept."""

    kept: tuple[Problem, ...] = ()  # in the order found
    by_severity: Counter[Severity] = field(default_factory=Counter)  # of all problems
    unreadable: int = 0  # inputs that could not be read to their end

    @property
    def total(self) -> int:
        return self.by_severity.total()

    @property
    def errors(self) -> int:
        return self.by_severity[Severity.ERROR]

    @property
    def exit_code(self) -> ExitCode:
        """Exit code of a run with these problems: unreadable inputs count more than bad records."""
        if self.unreadable:
            return ExitCode.IO
        return ExitCode.FINDINGS if self.errors else ExitCode.OK


class Balance(Struct, frozen=True):
    """What became of all rows and events of a run."""

    rows_read: int = 0  # payload documents and ingested rows
    rows_rejected: int = 0  # as a whole
    events_read: int = 0  # all elements of the other rows
    events_rejected: int = 0  # elements that are not events
    events_out: int = 0  # counted or written
    duplicates: int = 0  # dropped
    filtered: int = 0
    lost: int = 0  # one per truncated cell: its incomplete event; how many followed is unknown
    canaries: int = 0  # of the filtered: events of `tdcur watch --canary`

    def __add__(self, other: Self) -> Self:
        return type(self)(*map(add, structs.astuple(self), structs.astuple(other)))

    @property
    def rows_truncated(self) -> int:
        """Rows whose complete events were used: each has lost one event, or more."""
        return self.lost

    @property
    def rows_good(self) -> int:
        return self.rows_read - self.rows_rejected - self.rows_truncated

    @property
    def rejects(self) -> int:
        """Rows and events that could not be read, or not completely: each has a line in a rejects file."""
        return self.rows_rejected + self.rows_truncated + self.events_rejected

    @property
    def has_unread(self) -> bool:
        """Whether a row or an event could not be read."""
        return bool(self.rejects)

    @property
    def balanced(self) -> bool:
        """Whether every event that was read is accounted for. If not, this program has a defect."""
        used = self.events_out + self.duplicates + self.filtered
        return self.events_read == used + self.events_rejected + self.lost


def exit_code_of(problems: Problems, balance: Balance) -> ExitCode:
    """Exit code of a run that read everything it could: never 0 if an event is not accounted for."""
    return problems.exit_code if balance.balanced else max(problems.exit_code, ExitCode.FINDINGS)


class ProblemLog:
    """Collects problems during a run: counts all, and keeps up to `keep` (all if None), the most severe ones."""

    def __init__(self, keep: int | None = 1000) -> None:
        self._keep = keep
        self._kept: list[Problem] = []
        self._by_severity: Counter[Severity] = Counter()
        self._unreadable = 0

    def add(self, problem: Problem) -> None:
        """Count a problem, and keep it while there is room for its severity."""
        if self._keep is None or self._by_severity[problem.severity] < self._keep:
            # The raw record is only for rejects files: kept here, it would keep whole batches in memory.
            self._kept.append(structs.replace(problem, raw=None))
        self.count(problem)

    def count(self, problem: Problem) -> None:
        """Count a problem without keeping it."""
        self._by_severity[problem.severity] += 1
        self._unreadable += problem.code in UNREADABLE_CODES

    def merge(self, problems: Problems) -> None:
        """Add the problems of another log; of those that it kept, keep what there is room for."""
        for problem in problems.kept:
            self.add(problem)
        self._by_severity += problems.by_severity - Counter(problem.severity for problem in problems.kept)
        self._unreadable += problems.unreadable - sum(each.code in UNREADABLE_CODES for each in problems.kept)

    def result(self) -> Problems:
        """The problems; kept are the most severe, in the order found."""
        kept = most_severe(self._kept, self._keep)
        return Problems(kept=tuple(kept), by_severity=self._by_severity, unreadable=self._unreadable)


def most_severe(problems: Sequence[Problem], limit: int | None) -> Sequence[Problem]:
    """Up to `limit` problems (all if None), the most severe ones, in their order."""
    if limit is None or len(problems) <= limit:
        return problems
    rank = list(Severity).index
    ranked = sorted(range(len(problems)), key=lambda index: rank(problems[index].severity))
    return [problems[index] for index in sorted(ranked[:limit])]


class Outcome(Struct, frozen=True, kw_only=True):
    """The frozen result of a command, which has a subclass of its own."""

    command: ClassVar[str]
    unmasked: ClassVar[tuple[str, ...]] = ()  # fields of the envelope that show a secret if the user asks for it

    problems: Problems = field(default_factory=Problems)
    exit_code: ExitCode = ExitCode.OK
    scanned: Mapping[str, str | None] | None = None  # the rows of tables that were read, by their receive times

    def summary(self) -> dict[str, object]:
        """The numbers of the run; scripts rely on their names."""
        return {}

    def data(self) -> dict[str, object]:
        """Further fields of the JSON envelope."""
        return {}

    def as_dict(self) -> dict[str, object]:
        return {
            **_envelope(self.command, self.exit_code),
            "summary": self.summary(),
            **self.data(),
            **({} if self.scanned is None else {"scanned": self.scanned}),
            "problems": [problem.as_dict() for problem in self.problems.kept],
        }


def error_envelope(command: str, error: TdcurError) -> dict[str, object]:
    """The JSON envelope of a run that an error stopped."""
    return {
        **_envelope(command, error.exit_code),
        "summary": {},
        "error": {"message": error.message, "hint": error.hint},
        "problems": [],
    }


def _envelope(command: str, exit_code: ExitCode) -> dict[str, object]:
    return {
        "tool": "tdcur",
        "version": __version__,
        "command": command,
        "schema": SCHEMA,
        "exit_code": int(exit_code),
    }
