"""Which rows are read, by the time at which Treasure Data received them."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from td_currents_cli.braze import LATEST
from td_currents_cli.model import Batch, Code, Location, Problem, Record, Severity

TIME: Final = "time"
"""The column with the receive time of a row; in flat events not from the streaming connector, with the event time."""


class ReceiveTimes(Struct, frozen=True):
    """A range of receive times in UNIX seconds."""

    since: float | None = None  # inclusive
    until: float | None = None  # exclusive

    def covers(self, seconds: float) -> bool:
        return (self.since is None or seconds >= self.since) and (self.until is None or seconds < self.until)

    def select(self, records: Iterable[Record], source: str) -> Iterator[Record]:
        """Yield the records of a source without the rows that were received outside the range; how many, at the end.

        A row without a receive time is rejected. If already the first row has none, the others are not read.
        """
        skipped, is_timed = 0, False
        for record in records:
            if isinstance(record, Problem):
                yield record
            elif record.received is None:
                yield _untimed(record, is_first=not is_timed)
                if not is_timed:
                    return
            else:
                is_timed = True
                if self.covers(record.received):
                    yield record
                else:
                    skipped += 1
        if skipped:
            message = f"{skipped:,} row{'s' if skipped > 1 else ''} skipped: received outside the period asked for"
            place = Location(source=source)
            yield Problem(code=Code.SKIPPED, severity=Severity.INFO, location=place, message=message)


def _untimed(batch: Batch, *, is_first: bool) -> Problem:
    if not is_first:
        message = "the row has no receive time: its column `time` is empty or not in UNIX seconds"
        return Problem(code=Code.BAD_ROW, location=batch.location, message=message, raw=batch.data)
    return Problem(
        code=Code.UNKNOWN_FORM,
        location=batch.location,
        message="the input is not read: rows are selected by receive time, and it has none",
        hint="Export rows with their column `time` and its name. The `time` of payloads and flat events is the event "
        "time: use --since and --until.",
    )


def received(record: Record, cell: object) -> Record:
    """Return the record of a row with its receive time, given the cell with it."""
    return replace(record, received=_seconds(cell)) if isinstance(record, Batch) else record


def _seconds(cell: object) -> float | None:
    if isinstance(cell, datetime):
        return (cell if cell.tzinfo else cell.replace(tzinfo=UTC)).timestamp()
    if isinstance(cell, str | bytes | int | float):
        text = cell.decode(errors="replace") if isinstance(cell, bytes) else str(cell)
        digits, _, fraction = text.strip(' "\r').partition(".")
        if digits.isdecimal() and (fraction or "0").isdecimal():
            seconds = float(f"{digits}.{fraction}")
            return seconds if seconds <= LATEST else None
    return None
