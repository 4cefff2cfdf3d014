"""Totals of the rows and events of tables, from the results of `sql.count.count_sql`."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Final

from msgspec import Struct

from td_currents_cli.model import Code, Location, Problem, Severity
from td_currents_cli.outcome import Balance, Problems
from td_currents_cli.treasure_data.sql import count as sql
from td_currents_cli.treasure_data.sql.events import REJECTED_EVENT, REJECTED_ROW


class CountRow(Struct, frozen=True):
    """A row of a result of `sql.count.count_sql`, which documents the columns."""

    kind: str
    key: tuple[str | None, ...]
    is_total: bool
    rows: int
    events: int
    first: float | None
    last: float | None
    unique_events: int
    unique_users: int

    @classmethod
    def of(cls, row: list[Any]) -> "CountRow":
        kind, *key, is_total, rows, events, first, last, unique_events, unique_users = row
        return cls(kind, tuple(key), bool(is_total), rows, events, first, last, unique_events, unique_users)


class TableTotals:
    """Sums of `CountRow`s."""

    def __init__(self, tables: Iterable[str]) -> None:
        self._empty = dict.fromkeys(tables)
        self._rows: Counter[str] = Counter()
        self._events: Counter[str] = Counter()
        self._rejected: dict[tuple[str, str], int] = {}

    def add(self, row: CountRow, table: str) -> None:
        """Add a row that is not a total of other rows."""
        self._empty.pop(table, None)
        self._rows[row.kind] += row.rows
        self._events[row.kind] += row.events
        if row.kind in _REJECTED:
            number = row.rows if row.kind == REJECTED_ROW else row.events
            self._rejected[table, row.kind] = self._rejected.get((table, row.kind), 0) + number

    @property
    def balance(self) -> Balance:
        return Balance(
            rows_read=self._rows.total(),
            rows_rejected=self._rows[REJECTED_ROW],
            events_read=self._events.total(),
            events_rejected=self._events[REJECTED_EVENT],
            events_out=self._events[sql.EVENT],
            duplicates=self._events[sql.DUPLICATE],
            filtered=self._events[sql.FILTERED] + self._events[sql.CANARY_EVENT],
            canaries=self._events[sql.CANARY_EVENT],
        )

    @property
    def problems(self) -> Problems:
        """Rejected rows and events, and tables without a row in the period."""
        problems = [rejected_problem(kind, number, table) for (table, kind), number in self._rejected.items()]
        # The rows of a result have no order.
        problems.sort(key=lambda each: (each.location.source, each.code))
        problems += map(no_rows_problem, self._empty)
        numbers = {Severity.ERROR: sum(self._rejected.values()), Severity.WARNING: len(self._empty)}
        return Problems(kept=tuple(problems), by_severity=Counter(numbers))


def inserted_rows(result: Iterable[Sequence[Any]]) -> int | None:
    """Read the number of rows from the result of an INSERT; None if it was not returned."""
    return next((int(row[0]) for row in result if row), None)


def rejected_problem(kind: str, number: int, table: str) -> Problem:
    """Report all rejected rows, or all rejected events, of a table as one problem: a count does not identify them."""
    code, one, several = _REJECTED[kind]
    message = one if number == 1 else f"{number:,} {several}"
    return Problem(code=code, location=Location(source=table), message=message)


def no_rows_problem(table: str) -> Problem:
    return Problem(code=Code.EMPTY_INPUT, severity=Severity.WARNING, location=Location(source=table), message=NO_ROWS)


NO_ROWS: Final = "no rows were received in this period; use an earlier --received-since to look further back"

_HOW_TO_SEE: Final = "; `tdcur parse -o FILE` tells why, and recovers the events of truncated cells"

_REJECTED: Final = {
    REJECTED_ROW: (
        Code.BAD_ROW,
        f"a row has a cell without readable events{_HOW_TO_SEE}",
        f"rows have cells without readable events{_HOW_TO_SEE}",
    ),
    REJECTED_EVENT: (
        Code.EVENT_NOT_OBJECT,
        "an element of a batch is not an event",
        "elements of batches are not events",
    ),
}
