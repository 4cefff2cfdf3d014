"""What came of an incremental flatten: the window, the batch, and what was inserted into each table."""

from typing import ClassVar

from msgspec import Struct

from td_currents_cli.outcome import Balance, Outcome
from td_currents_cli.treasure_data.address import Period
from td_currents_cli.treasure_data.sql.incremental import BatchCounts


class Window(Struct, frozen=True):
    """The receive times of the rows that a run reads, in UNIX seconds."""

    since: int
    watermark: int  # at its start: rows before it were read by an earlier run
    until: int  # excluded

    @property
    def next_watermark(self) -> int:
        return max(self.watermark, self.until)

    @property
    def rows(self) -> Period:
        return Period(self.since, self.until)

    def __str__(self) -> str:
        return str(self.rows)


class TableResult(Struct, frozen=True, kw_only=True):
    """What was inserted into one table."""

    table: str
    created: bool  # it was missing
    unique_events: int  # of the batch, including those that the table has; counted before the INSERT
    inserted: int | None = None  # None if Treasure Data does not return the number
    doubled_ids: int = 0
    doubled_rows: int = 0
    clean_up: tuple[str, ...] = ()  # statements that remove the doubles


class IncrementalOutcome(Outcome, frozen=True, kw_only=True):
    command: ClassVar[str] = "parse"

    source: str
    target: str  # all tables together, if several
    window: Window
    batch: BatchCounts
    results: tuple[TableResult, ...]
    dry_run: bool
    statements: tuple[str, ...]  # of a dry run: those that would have been issued

    @property
    def inserted(self) -> int | None:
        """Events inserted into all tables; None if Treasure Data does not return the number."""
        numbers = [each.inserted for each in self.results if each.inserted is not None]
        return sum(numbers) if len(numbers) == len(self.results) else None

    @property
    def already_there(self) -> int | None:
        """Events that the target has, and those without an id that an earlier run has read."""
        return None if self.inserted is None or self.dry_run else max(0, self.batch.unique_events - self.inserted)

    @property
    def doubled_ids(self) -> int:
        return sum(each.doubled_ids for each in self.results)

    @property
    def balance(self) -> Balance:
        batch, there = self.batch, self.already_there or 0
        return Balance(
            rows_read=batch.row_count,
            rows_rejected=batch.rejected_rows,
            events_read=batch.event_count,
            events_rejected=batch.rejected_events,
            events_out=batch.unique_events - there,
            duplicates=batch.duplicates + there,
            filtered=batch.filtered,
            canaries=batch.canaries,
        )

    def summary(self) -> dict[str, object]:
        batch = self.batch
        return {
            "rows_read": batch.row_count,
            "rows_rejected": batch.rejected_rows,
            "events_read": batch.event_count,
            "events_rejected": batch.rejected_events,
            "written": 0 if self.dry_run else self.inserted,
            "duplicates": batch.duplicates,
            "changed": batch.changed,
            "already_there": self.already_there,
            "filtered": batch.filtered,
            "canaries": batch.canaries,
            "late": batch.late,
            "late_since": batch.late_since,
            "doubled_ids": self.doubled_ids,
            "into": self.target,
            "created": [each.table for each in self.results if each.created],
            "received_since": self.window.since,
            "received_until": self.window.until,
            "watermark": self.window.next_watermark,
            "dry_run": self.dry_run,
        }

    def data(self) -> dict[str, object]:
        return {
            "tables": [
                {"table": each.table, "created": each.created, "written": each.inserted}
                | {"doubled_ids": each.doubled_ids, "clean_up": each.clean_up}
                for each in self.results
            ],
            "statements": self.statements,
        }
