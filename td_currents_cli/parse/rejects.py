"""Rows and events that could not be used, with the reason; and how many of them are too many."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from td_currents_cli.errors import ExitCode, TdcurError
from td_currents_cli.model import Problem
from td_currents_cli.outcome import Balance
from td_currents_cli.parse.request import Rejects
from td_currents_cli.write.atomic import atomic_output
from td_currents_cli.write.json_text import json_line

ENOUGH: Final = 1000
"""Rows from which on a percentage means something before all have been read."""


class TooManyRejectsError(TdcurError):
    """More was rejected than `--max-rejects` allows: the data has findings, and nothing is written."""

    exit_code = ExitCode.FINDINGS


def check_rejects(limit: Rejects | None, balance: Balance, *, finished: bool) -> None:
    """Stop the run when too much has been rejected so far.

    Raises:
        TooManyRejectsError: it has.
    """
    if limit is None:
        return
    rejected, read = balance.rows_rejected + balance.events_rejected, balance.rows_read + balance.events_rejected
    many = limit.number is not None and rejected > limit.number
    large = limit.part is not None and rejected > limit.part * read and (finished or read >= ENOUGH)
    if many or large:
        allowed = f"{limit.number:,}" if limit.part is None else f"{limit.part * 100:g} % of all"
        raise TooManyRejectsError(
            f"stopped after {balance.rows_read:,} rows: {rejected:,} rejected, --max-rejects allows {allowed}",
            hint="No events were written to a file. --rejects FILE keeps what was rejected, with the reasons.",
        )


@contextmanager
def rejects_file(path: Path | None) -> Iterator[Callable[[bytes], object]]:
    """Where lines of rejected records go; the file is there even when nothing was rejected.

    It is kept when the run stops because of what is in it.
    """
    if path is None:
        yield lambda _lines: None
        return
    stopped = None
    with atomic_output(path) as output:
        try:
            yield output.write
        except TooManyRejectsError as error:
            stopped = error
    if stopped is not None:
        raise stopped


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
