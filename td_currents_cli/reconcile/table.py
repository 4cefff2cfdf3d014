"""A side that is a table of Treasure Data: only ids, types, times and digests of its events are fetched."""

from collections import Counter
from collections.abc import Collection, Generator, Iterator, Sequence
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from td_currents_cli.choices import Layout
from td_currents_cli.model import Severity
from td_currents_cli.outcome import Balance, Problems
from td_currents_cli.reconcile.content import UNKNOWN
from td_currents_cli.reconcile.marks import Marks
from td_currents_cli.reconcile.scope import Scope
from td_currents_cli.reconcile.sheaf import Binder
from td_currents_cli.reconcile.side import Bundle, Depth, Found, Look
from td_currents_cli.warehouse.account import no_rows_problem, rejected_problem
from td_currents_cli.warehouse.address import TableAddress
from td_currents_cli.warehouse.sql.events import REJECTED_EVENT, REJECTED_ROW, table_events
from td_currents_cli.warehouse.sql.ids import ids_sql
from td_currents_cli.warehouse.tables import Tables

if TYPE_CHECKING:
    from td_currents_cli.warehouse.client import TdClient
    from td_currents_cli.warehouse.job import JobResult

AT_ONCE: Final = 50_000
"""Events of a bundle."""

_KIND: Final = 3
_OUTLINE: Final = 4
"""Columns of `warehouse.sql.ids`, the last of which is not always there."""


class TableSide:
    """Tables of Treasure Data.

    Args:
        tables: which, and which of their rows are looked at.
    """

    has_events: Final = False

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._answers: list[tuple[TdClient, JobResult]] = []

    @cached_property
    def depth(self) -> Depth:
        """As Side: of flat tables only ids."""
        return Depth.OUTLINE if any(layout is Layout.BATCHES for _, _, layout, _ in self._opened) else Depth.IDS

    @cached_property
    def _opened(self) -> Sequence[tuple[TableAddress, "TdClient", Layout, Collection[str]]]:
        return list(self._tables.opened())

    def bundles(self, scope: Scope, look: Look) -> Generator[Bundle]:
        """As Side. The period of the scope is looked at once more here, event by event.

        Raises:
            TdcurError: a table cannot be asked; see `Warehouse.query`.
        """
        with_outline = look.depth is not Depth.IDS
        for address, warehouse, layout, columns in self._opened:
            query = ids_sql(table_events(address, layout, self._tables.period, columns), with_outline=with_outline)
            answer = warehouse.query(query, address.database)
            self._answers.append((warehouse, answer))
            empty = True
            for rows in _many(warehouse.rows(answer)):
                empty = False
                yield _bundle(rows, str(address), Binder(scope, _content, look.suspects))
            if empty:
                yield _empty(str(address), Binder(scope, _content, look.suspects))

    def again(self, marks: Marks) -> Generator[Found]:
        """As Side. The results are kept by Treasure Data, in one order: they are fetched once more."""
        place = 0
        for warehouse, answer in self._answers:
            for rows in _many(warehouse.rows(answer)):
                events = _events(rows)
                for marked in marks.within(place, len(events)):
                    yield Found(place + marked, events[marked][0] or "")
                place += len(events)
                if marks.is_past(place):
                    return

    def reads(self, path: Path) -> bool:  # noqa: ARG002 -- no file is a table
        """As Side."""
        return False

    def close(self) -> None:
        """As Side."""


def _bundle(rows: Sequence[Sequence[Any]], table: str, binder: Binder) -> Bundle:
    binder.add([(row[0], row[1], row[2], row[_OUTLINE:]) for row in _events(rows)])
    kinds: Counter[str] = Counter(row[_KIND] for row in rows if row[_KIND] is not None)
    tally = binder.tally
    balance = Balance(
        rows_read=kinds[REJECTED_ROW],
        rows_rejected=kinds[REJECTED_ROW],
        events_read=len(rows) - kinds[REJECTED_ROW],
        events_rejected=kinds[REJECTED_EVENT],
        events_out=tally.by_type.total() + tally.without_id.total(),
        filtered=tally.filtered + tally.too_young,
    )
    kept = tuple(rejected_problem(kind, number, table) for kind, number in kinds.items())
    problems = Problems(kept=kept, by_severity=Counter({Severity.ERROR: kinds.total()}))
    return Bundle(binder.sheaves(), tally, balance, problems)


def _empty(table: str, binder: Binder) -> Bundle:
    problems = Problems(kept=(no_rows_problem(table),), by_severity=Counter({Severity.WARNING: 1}))
    return Bundle(binder.sheaves(), binder.tally, Balance(), problems)


def _events(rows: Sequence[Sequence[Any]]) -> Sequence[Sequence[Any]]:
    """The rows that are events; the others tell of what nothing could be made of."""
    return [row for row in rows if row[_KIND] is None]


def _content(outline: Sequence[str | None]) -> int:
    """The digest in what a row has of it, which may be nothing."""
    return next((int(digits, 16) for digits in outline if digits), UNKNOWN)


def _many(rows: Iterator[list[Any]]) -> Iterator[list[list[Any]]]:
    while some := list(islice(rows, AT_ONCE)):
        yield some
