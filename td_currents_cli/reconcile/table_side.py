"""Tables of Treasure Data as a side: only ids, types, times and content digests of their events are fetched."""

from collections import Counter
from collections.abc import Collection, Generator, Iterator, Sequence
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from td_currents_cli.choices import Layout
from td_currents_cli.model import Severity
from td_currents_cli.outcome import Balance, Problems
from td_currents_cli.reconcile.content_hash import UNKNOWN
from td_currents_cli.reconcile.fingerprints import Bitmap, Fingerprinter, TimeScope
from td_currents_cli.reconcile.side import CompareMode, Depth, FetchedEvent, SideChunk
from td_currents_cli.treasure_data.address import TableAddress
from td_currents_cli.treasure_data.sql.events import REJECTED_EVENT, REJECTED_ROW, table_events
from td_currents_cli.treasure_data.sql.queries import ids_sql
from td_currents_cli.treasure_data.tables import Tables, has_receive_times
from td_currents_cli.treasure_data.totals import no_rows_problem, rejected_problem

if TYPE_CHECKING:
    from td_currents_cli.treasure_data.client import JobResult, TdClient


CHUNK_EVENTS: Final = 50_000

_KIND: Final = 3
_OUTLINE: Final = 4
"""Columns of `ids_sql`, the last of which is optional."""


class TableSide:
    exported: Final = False

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._results: list[tuple[TdClient, JobResult]] = []

    @cached_property
    def depth(self) -> Depth:
        """Flat tables contain only ids."""
        return Depth.OUTLINE if any(layout is Layout.BATCHES for _, _, layout, _ in self._opened) else Depth.IDS

    @property
    def streaming(self) -> bool:
        return any(has_receive_times(layout, columns) for _, _, layout, columns in self._opened)

    @cached_property
    def _opened(self) -> Sequence[tuple[TableAddress, "TdClient", Layout, Collection[str]]]:
        return list(self._tables.opened())

    def chunks(self, scope: TimeScope, mode: CompareMode) -> Generator[SideChunk]:
        with_outline = mode.depth is not Depth.IDS
        for number, (address, warehouse, layout, columns) in enumerate(self._opened):
            if number == len(self._results):  # else it is read again: Treasure Data keeps the results
                query = ids_sql(table_events(address, layout, self._tables.period, columns), with_outline=with_outline)
                self._results.append((warehouse, warehouse.query(query, address.database)))
            for rows in _many(warehouse.rows(self._results[number][1])):
                fingerprinter = Fingerprinter(scope, _content, mode.suspects, per_id=mode.per_id)
                yield _chunk(rows, str(address), fingerprinter, streaming=has_receive_times(layout, columns))

    def fetch_again(self, marked: Bitmap) -> Generator[FetchedEvent]:
        # The results are kept in one order.
        first = 0
        for warehouse, result in self._results:
            for rows in _many(warehouse.rows(result)):
                events = _events(rows)
                for offset in marked.within(first, len(events)):
                    yield FetchedEvent(first + offset, events[offset][0] or "")
                first += len(events)
                if marked.is_past(first):
                    return

    def reads(self, path: Path) -> bool:  # noqa: ARG002 -- no file is a table
        return False

    def close(self) -> None:
        pass


def _chunk(rows: Sequence[Sequence[Any]], table: str, fingerprinter: Fingerprinter, *, streaming: bool) -> SideChunk:
    fingerprinter.add([(row[0], row[1], row[2], row[_OUTLINE:]) for row in _events(rows)], received=streaming)
    kinds: Counter[str] = Counter(row[_KIND] for row in rows if row[_KIND] is not None)
    counts = fingerprinter.counts
    balance = Balance(
        rows_read=kinds[REJECTED_ROW],
        rows_rejected=kinds[REJECTED_ROW],
        events_read=len(rows) - kinds[REJECTED_ROW],
        events_rejected=kinds[REJECTED_EVENT],
        events_out=counts.in_scope,
        filtered=counts.left_out,
    )
    problems = [rejected_problem(kind, number, table) for kind, number in kinds.items()]
    numbers = {Severity.ERROR: kinds.total()}
    if not rows:
        problems, numbers = [no_rows_problem(table)], {Severity.WARNING: 1}
    found = Problems(kept=tuple(problems), by_severity=Counter(numbers))
    return SideChunk(fingerprinter.batches(), counts, balance, found)


def _events(rows: Sequence[Sequence[Any]]) -> Sequence[Sequence[Any]]:
    """The rows that are events; the others count rows and events that could not be read."""
    return [row for row in rows if row[_KIND] is None]


def _content(outline: Sequence[str | None]) -> int:
    """The digest in the last column of a row, which may be missing or null."""
    return next((int(digits, 16) for digits in outline if digits), UNKNOWN)


def _many(rows: Iterator[list[Any]]) -> Iterator[list[list[Any]]]:
    """Chunks of rows; a single empty one if there are no rows."""
    yield list(islice(rows, CHUNK_EVENTS))
    while some := list(islice(rows, CHUNK_EVENTS)):
        yield some
