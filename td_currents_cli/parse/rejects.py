"""Rejected rows and events: the file of them, and the maximum number of them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from td_currents_cli.errors import ExitCode, TdcurError
from td_currents_cli.model import Problem
from td_currents_cli.outcome import Balance
from td_currents_cli.parse.request import Rejects
from td_currents_cli.write.files import atomic_output
from td_currents_cli.write.formats import json_line

_MIN_ROWS: Final = 1000
"""Rows after which a percentage is checked before all rows are read."""


class TooManyRejectsError(TdcurError):
    """More was rejected than `--max-rejects` allows: the data has problems, and no events are written."""

    exit_code = ExitCode.FINDINGS


def check_rejects(limit: Rejects | None, balance: Balance, *, finished: bool) -> None:
    """Raises TooManyRejectsError if more has been rejected than is allowed."""
    if limit is None:
        return
    rejected, read = balance.rows_rejected + balance.events_rejected, balance.rows_read + balance.events_rejected
    over_number = limit.number is not None and rejected > limit.number
    over_share = limit.share is not None and rejected > limit.share * read and (finished or read >= _MIN_ROWS)
    if over_number or over_share:
        allowed = f"{limit.number:,}" if limit.share is None else f"{limit.share * 100:g} %"
        raise TooManyRejectsError(
            f"stopped after {balance.rows_read:,} rows: {rejected:,} rejected, but --max-rejects is {allowed}",
            hint="No events were written to a file. Use --rejects FILE to save what was rejected, with the reasons.",
        )


@contextmanager
def rejects_file(path: Path | None) -> Iterator[Callable[[bytes], object]]:
    """What writes lines to the rejects file. The file is created even if nothing is rejected.

    It is kept if TooManyRejectsError stops the run.
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
    """A rejected record with the reason, as a line of the rejects file. Bytes that are not UTF-8 are escaped."""
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
