"""The run of `tdcur validate`: all batches of all sources, checked."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from td_currents_cli.events.decode import split
from td_currents_cli.events.stream import Intake
from td_currents_cli.model import Severity
from td_currents_cli.outcome import Balance, Outcome, ProblemLog, exit_code_of
from td_currents_cli.read import Source, records
from td_currents_cli.validate.check import check_empty, check_events


@dataclass(frozen=True, slots=True)
class ValidateRequest:
    """What to validate."""

    sources: Sequence[Source]


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidateOutcome(Outcome):
    """The findings and what they were found in."""

    command: ClassVar[str] = "validate"

    files: int
    balance: Balance

    def summary(self) -> dict[str, object]:
        """How much was checked and how much was found."""
        return {
            "files": self.files,
            "batches": self.balance.rows_read,
            "events": self.balance.events_read,
            "errors": self.problems.by_severity[Severity.ERROR],
            "warnings": self.problems.by_severity[Severity.WARNING],
            "infos": self.problems.by_severity[Severity.INFO],
        }


def run(request: ValidateRequest) -> ValidateOutcome:
    """Check every event of all sources."""
    # A linter shows what it found, all of it.
    intake = Intake(log=ProblemLog(keep=None))
    checked = 0
    for batch, events in intake.events(records(request.sources), split):
        if not events:
            intake.log.add(check_empty(batch))
        for problem in check_events(batch, events):
            intake.log.add(problem)
        checked += len(events)
    balance = intake.balance(events_out=checked)
    problems = intake.log.result()
    return ValidateOutcome(
        files=len(request.sources),
        balance=balance,
        problems=problems,
        exit_code=exit_code_of(problems, balance),
    )
