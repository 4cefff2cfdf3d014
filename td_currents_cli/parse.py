"""Ingested rows back into flat events, one JSON object a line."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from td_currents_cli.errors import UsageError
from td_currents_cli.events.decode import split
from td_currents_cli.events.flatten import flatten
from td_currents_cli.events.stream import Intake
from td_currents_cli.model import Problem
from td_currents_cli.outcome import Balance, Outcome, exit_code_of
from td_currents_cli.read import Source, records
from td_currents_cli.write.atomic import atomic_output
from td_currents_cli.write.json_text import json_line


@dataclass(frozen=True, slots=True, kw_only=True)
class ParseRequest:
    """What to parse, and where to.

    Attributes:
        output: the file of flat events; None for standard output.
        rejects: the file of rejected rows and events, one JSON object a line; None for none.
    """

    sources: Sequence[Source]
    output: Path | None = None
    rejects: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ParseOutcome(Outcome):
    """Where every row and event went."""

    command: ClassVar[str] = "parse"

    balance: Balance

    def summary(self) -> dict[str, object]:
        """The balance."""
        return {
            "rows_read": self.balance.rows_read,
            "rows_rejected": self.balance.rows_rejected,
            "events_read": self.balance.events_read,
            "events_rejected": self.balance.events_rejected,
            "written": self.balance.events_out,
            "duplicates": self.balance.duplicates,
            "filtered": self.balance.filtered,
            "lost": 0,
        }


def run(request: ParseRequest) -> ParseOutcome:
    """Write every event of all sources in its flat form.

    Raises:
        OutputError: the output or the rejects file cannot be written.
        UsageError: both are the same file.
    """
    _refuse_one_file_for_both(request)
    intake = Intake()
    written = 0
    with atomic_output(request.output) as output, _rejects(request.rejects, intake):
        for _batch, events in intake.events(records(request.sources), split):
            if events:
                output.write(b"\n".join(map(flatten, events)) + b"\n")
            written += len(events)
    balance = intake.balance(events_out=written)
    problems = intake.log.result()
    return ParseOutcome(
        balance=balance,
        problems=problems,
        exit_code=exit_code_of(problems, balance),
    )


def _refuse_one_file_for_both(request: ParseRequest) -> None:
    output, rejects = request.output, request.rejects
    if output is None or rejects is None or os.path.realpath(output) != os.path.realpath(rejects):
        return
    if output.is_file() or not output.exists():
        message = f"events and rejects cannot go to the same file, {output}"
        raise UsageError(message, hint="Give --rejects another name.")


@contextmanager
def _rejects(path: Path | None, intake: Intake) -> Iterator[None]:
    """Have rejected records written to a file, which is there even when nothing was rejected."""
    if path is None:
        yield
        return
    with atomic_output(path) as output:

        def write(problem: Problem) -> None:
            output.write(reject_line(problem))

        intake.on_reject = write
        yield


def reject_line(problem: Problem) -> bytes:
    """A rejected record with the reason, as one line of a rejects file. Bytes that are not UTF-8 are escaped."""
    place = problem.location
    line = {
        "source": place.source,
        "row": place.row,
        "line": place.line,
        "column": place.column,
        "offset": place.offset,
        "code": problem.code,
        "reason": problem.message,
        "raw": (problem.raw or b"").decode(errors="backslashreplace"),
    }
    return json_line(line)
