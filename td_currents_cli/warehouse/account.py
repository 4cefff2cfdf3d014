"""Where every row and event of a table went, told by the engine that has looked at them."""

from collections import Counter
from collections.abc import Iterable
from typing import Any, Final

from msgspec import Struct

from td_currents_cli.codes import Code
from td_currents_cli.model import Location, Problem, Severity
from td_currents_cli.outcome import Balance, Problems
from td_currents_cli.warehouse.sql import count as sql
from td_currents_cli.warehouse.sql.events import REJECTED_EVENT, REJECTED_ROW


class CountRow(Struct, frozen=True):
    """A line of a result of `warehouse.sql.count.count_sql`, which says what each member is."""

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
        """The line of a row."""
        kind, *key, is_total, rows, events, first, last, unique_events, unique_users = row
        return cls(kind, tuple(key), bool(is_total), rows, events, first, last, unique_events, unique_users)


class TableTotals:
    """Lines of results, summed up.

    Args:
        tables: that are asked.
    """

    def __init__(self, tables: Iterable[str]) -> None:
        self._empty = dict.fromkeys(tables)
        self._rows: Counter[str] = Counter()
        self._events: Counter[str] = Counter()
        self._rejected: dict[tuple[str, str], int] = {}

    def add(self, line: CountRow, table: str) -> None:
        """Take a line about a table; not one about all groups together, which were taken by themselves."""
        self._empty.pop(table, None)
        self._rows[line.kind] += line.rows
        self._events[line.kind] += line.events
        if line.kind in _REJECTED:
            number = line.rows if line.kind == REJECTED_ROW else line.events
            self._rejected[table, line.kind] = self._rejected.get((table, line.kind), 0) + number

    @property
    def balance(self) -> Balance:
        """The sums."""
        return Balance(
            rows_read=self._rows.total(),
            rows_rejected=self._rows[REJECTED_ROW],
            events_read=self._events.total(),
            events_rejected=self._events[REJECTED_EVENT],
            events_out=self._events[sql.EVENT],
            duplicates=self._events[sql.DUPLICATE],
            filtered=self._events[sql.FILTERED],
        )

    @property
    def problems(self) -> Problems:
        """What nothing could be made of, and tables without a row."""
        kept = [rejected_problem(kind, number, table) for (table, kind), number in self._rejected.items()]
        # A result has no order.
        kept.sort(key=lambda each: (each.location.source, each.code))
        kept += map(no_rows_problem, self._empty)
        numbers = {Severity.ERROR: sum(self._rejected.values()), Severity.WARNING: len(self._empty)}
        return Problems(kept=tuple(kept), by_severity=Counter(numbers))


def rejected_problem(kind: str, number: int, table: str) -> Problem:
    """All rows, or all elements, of a table that nothing could be made of, as one problem: a count names none."""
    code, one, several = _REJECTED[kind]
    message = one if number == 1 else f"{number:,} {several}"
    return Problem(code=code, location=Location(source=table), message=message)


def no_rows_problem(table: str) -> Problem:
    """That a table has no row of the time it was asked about, which is no error."""
    return Problem(code=Code.EMPTY_INPUT, severity=Severity.WARNING, location=Location(source=table), message=NO_ROWS)


NO_ROWS: Final = "nothing was received in that time; an earlier --since looks further back"

_WHOLE: Final = "; `tdcur parse -o FILE` tells why, and saves the whole events of one that is cut off"

_REJECTED: Final = {
    REJECTED_ROW: (
        Code.BAD_ROW,
        f"a row has a cell that no events could be read from there{_WHOLE}",
        f"rows have cells that no events could be read from there{_WHOLE}",
    ),
    REJECTED_EVENT: (
        Code.EVENT_NOT_OBJECT,
        "an element of a batch is no event",
        "elements of batches are no events",
    ),
}
"""The code, and what is said of one and of several."""
