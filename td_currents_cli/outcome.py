"""What a verb returns: a frozen result that the command line renders as text or JSON and exits with."""

from collections import Counter
from dataclasses import dataclass, field
from typing import ClassVar, Final

from msgspec.structs import replace

from td_currents_cli import __version__
from td_currents_cli.codes import Code
from td_currents_cli.errors import ExitCode, TdcurError
from td_currents_cli.model import Problem, Severity

SCHEMA = 1
"""Version of the JSON envelope. Fields are added, never renamed."""


GRAVITY: Final = {severity: rank for rank, severity in enumerate(Severity)}
"""The gravest severity first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problems:
    """The problems of a run: all of them counted, the first ones kept.

    Attributes:
        kept: in the order met, at most as many as the run asked to keep.
        by_severity: how many of each severity, kept or not.
        unreadable: how many inputs could not be read to their end.
    """

    kept: tuple[Problem, ...] = ()
    by_severity: Counter[Severity] = field(default_factory=Counter)
    unreadable: int = 0

    @property
    def total(self) -> int:
        """All problems, kept or not."""
        return self.by_severity.total()

    @property
    def errors(self) -> int:
        """Problems of severity error, kept or not."""
        return self.by_severity[Severity.ERROR]

    @property
    def exit_code(self) -> ExitCode:
        """What these problems alone make a run exit with: unreadable inputs weigh more than bad records."""
        if self.unreadable:
            return ExitCode.IO
        return ExitCode.FINDINGS if self.errors else ExitCode.OK


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """Where every row and every event of a run went.

    Attributes:
        rows_read: payload documents and ingested rows.
        rows_rejected: those of which nothing could be used.
        events_read: all elements of the rows that are good.
        events_rejected: those that are not events at all.
        events_out: those that were used: counted, written.
        duplicates: those left out because their id came before.
        filtered: those left out because they were not asked for.
        lost: one for each cell that is cut off: the event that is torn. How many came after it, nobody knows.
    """

    rows_read: int
    rows_rejected: int
    events_read: int
    events_rejected: int
    events_out: int
    duplicates: int = 0
    filtered: int = 0
    lost: int = 0

    @property
    def rows_good(self) -> int:
        """Rows of which the events were used."""
        return self.rows_read - self.rows_rejected

    @property
    def balanced(self) -> bool:
        """Whether every event that was read is accounted for. If not, this program is wrong."""
        used = self.events_out + self.duplicates + self.filtered
        return self.events_read == used + self.events_rejected + self.lost


def exit_code_of(problems: Problems, balance: Balance) -> ExitCode:
    """What a run ends with that read everything it could: never 0 when something is missing."""
    return problems.exit_code if balance.balanced else max(problems.exit_code, ExitCode.FINDINGS)


class ProblemLog:
    """Collects problems during a run: counts all, keeps some (all, where `keep` is None).

    Of each severity the first ones are kept until the end, so that many notes do not push errors out.
    """

    def __init__(self, keep: int | None = 1000) -> None:
        self._keep = keep
        self._kept: list[Problem] = []
        self._by_severity: Counter[Severity] = Counter()
        self._unreadable = 0

    def add(self, problem: Problem) -> None:
        """Count one problem, and keep it while there is room."""
        if self._keep is None or self._by_severity[problem.severity] < self._keep:
            # The record itself is for whoever handles rejects: kept here, it would hold whole batches in memory.
            self._kept.append(replace(problem, raw=None))
        self._by_severity[problem.severity] += 1
        self._unreadable += problem.code is Code.UNREADABLE

    def take(self, problems: Problems) -> None:
        """Count what another log has collected, and keep of it what that one kept, while there is room."""
        for problem in problems.kept:
            self.add(problem)
        self._by_severity += problems.by_severity - Counter(problem.severity for problem in problems.kept)
        self._unreadable += problems.unreadable - sum(each.code is Code.UNREADABLE for each in problems.kept)

    def result(self) -> Problems:
        """What has been collected: of the problems kept, the gravest, in the order met."""
        kept = self._kept
        if self._keep is not None and len(kept) > self._keep:
            gravest = sorted(range(len(kept)), key=lambda index: (GRAVITY[kept[index].severity], index))
            kept = [kept[index] for index in sorted(gravest[: self._keep])]
        return Problems(kept=tuple(kept), by_severity=self._by_severity, unreadable=self._unreadable)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The frozen result of a verb. Each verb has a subclass with its own figures.

    Attributes:
        problems: what was wrong with the data.
        exit_code: what the process ends with.
    """

    command: ClassVar[str]

    problems: Problems = field(default_factory=Problems)
    exit_code: ExitCode = ExitCode.OK

    def summary(self) -> dict[str, object]:
        """The figures of the run, by the names scripts rely on."""
        return {}

    def data(self) -> dict[str, object]:
        """Members of the JSON envelope beside the common ones."""
        return {}

    def as_dict(self) -> dict[str, object]:
        """The JSON envelope."""
        return {
            **_envelope(self.command, self.exit_code),
            "summary": self.summary(),
            **self.data(),
            "problems": [problem.as_dict() for problem in self.problems.kept],
        }


def error_envelope(command: str, error: TdcurError) -> dict[str, object]:
    """The JSON envelope of a run that could not go on."""
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
