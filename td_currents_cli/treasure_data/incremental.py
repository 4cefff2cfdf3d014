"""Flatten the rows that arrived since the last run into a table, each event id once, inside Treasure Data."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from msgspec import Struct, structs

from td_currents_cli.braze import table_name
from td_currents_cli.catalog import load
from td_currents_cli.catalog.ddl import OTHER_FIELDS, RECEIVED_TIME
from td_currents_cli.catalog.model import EventType, Where
from td_currents_cli.choices import Layout
from td_currents_cli.errors import ExitCode, InputError, UsageError
from td_currents_cli.events.filter import Filter
from td_currents_cli.model import Severity
from td_currents_cli.outcome import Problems
from td_currents_cli.treasure_data.address import Period, TableAddress, check_into, format_time
from td_currents_cli.treasure_data.errors import ConflictError, JobRunningError
from td_currents_cli.treasure_data.flat_table import Target, target_table
from td_currents_cli.treasure_data.incremental_outcome import IncrementalOutcome, TableResult, Window
from td_currents_cli.treasure_data.sql.events import REJECTED_EVENT, REJECTED_ROW, table_events
from td_currents_cli.treasure_data.sql.incremental import (
    STATE_TABLE,
    BatchCounts,
    IncrementalQuery,
    TimeSpan,
    batch_sql,
    create_state_sql,
    doubles_sql,
    insert_new_sql,
    record_run_sql,
    remove_doubles_sql,
    source_name,
    sum_batches,
    watermark_sql,
)
from td_currents_cli.treasure_data.sql.text import TimeRange
from td_currents_cli.treasure_data.tables import Tables, has_receive_times
from td_currents_cli.treasure_data.totals import inserted_rows, rejected_problem
from td_currents_cli.write.files import atomic_output
from td_currents_cli.write.formats import json_document

if TYPE_CHECKING:
    from td_currents_cli.treasure_data.client import JobResult


@dataclass(frozen=True, slots=True, kw_only=True)
class IncrementalRequest:
    tables: Tables  # one table; its period is not used
    into: TableAddress  # created if missing; with `split_tables`, its table is a prefix of their names, or empty
    wanted: Filter
    now: float
    overlap: float = 3600.0  # seconds before the watermark from which rows are read again
    settle: float = 600.0  # seconds before now, in which rows may still appear
    received_since: float | None = None  # the beginning of the window; None: the watermark less the overlap
    received_until: float | None = None  # its end, if it is earlier than what settles; then later runs take the rest
    split_tables: bool = False
    dry_run: bool = False
    summary: Path | None = None  # file for the JSON envelope


def run(request: IncrementalRequest) -> IncrementalOutcome:
    """Count the batch, insert what the target lacks, look for ids that it has twice, and record the run.

    Raises:
        UsageError: more than one table, one without receive times, a target that lacks columns, or no place to begin.
        InputError: the table of watermarks is damaged.
        JobRunningError: another run from the same watermark is inserting.
        OutputError: the summary cannot be written; raised before anything is inserted.
        TdcurError: a query failed; see `TdClient.query`. The same run can be repeated.
    """
    if request.summary is None:
        return _Run(request).outcome()
    with atomic_output(request.summary) as output:
        outcome = _Run(request).outcome()
        output.write(json_document(outcome.as_dict()))
    return outcome


class _Part(Struct, frozen=True):
    """The events of a batch that go into one table."""

    target: Target
    event_types: tuple[str | None, ...] | None  # None: all
    batch: BatchCounts


class _Run:
    """One run, which has opened the source and determined its window."""

    def __init__(self, request: IncrementalRequest) -> None:
        self._source, self._client, layout, columns = request.tables.only(request.into)
        if layout is Layout.FLAT and not has_receive_times(layout, columns):
            raise UsageError(
                f"{self._source} has event times in `time`, but --incremental goes by receive times",
                hint="Name a table of batches, or one that the streaming connector fills.",
            )
        self._request = request
        self._into = request.into
        self._database = request.into.database
        self._existing = self._client.tables(self._database)
        self._names = source_name(self._source), _target_name(request)
        self._window = self._find_window()
        since, until = str(self._window.since), str(self._window.until)
        self._query = IncrementalQuery(
            events=table_events(self._source, layout, TimeRange(since, until), columns),
            since=since,
            watermark=str(self._window.watermark),
            filter=request.wanted,
        )

    def outcome(self) -> IncrementalOutcome:
        batch, parts = self._parts()
        results: list[TableResult] = []
        statements: list[str] = []
        if self._request.dry_run:
            results = [_result(part) for part in parts]
            statements = list(self._statements(parts))
        else:
            if STATE_TABLE not in self._existing:
                self._client.query(create_state_sql(self._database), self._database)
            results = list(map(self._insert, parts))
            self._client.query(self._record_sql(), self._database)
        problems = _rejected(batch, str(self._source))
        has_doubles = any(each.doubled_ids for each in results)
        return IncrementalOutcome(
            source=str(self._source),
            target=self._names[1],
            window=self._window,
            scanned=self._window.rows.as_dict(),
            batch=batch,
            results=tuple(results),
            dry_run=self._request.dry_run,
            statements=tuple(statements),
            problems=problems,
            exit_code=max(problems.exit_code, ExitCode.FINDINGS if has_doubles else ExitCode.OK),
        )

    def _find_window(self) -> Window:
        request, given, recorded = self._request, self._request.received_since, self._watermark()
        if recorded is None and given is None:
            raise UsageError(
                f"no earlier run from {self._source} into {self._names[1]} is recorded",
                hint="For the first run, add --from-beginning, or --received-since TIME.",
            )
        if recorded is not None and recorded > request.now:
            raise UsageError(
                f"the watermark, {format_time(recorded)} (UTC), is in the future: a clock was or is wrong",
                hint=f"If this clock is right, delete the row from {self._database}.{STATE_TABLE}.",
            )
        if recorded is not None and given is not None and given > recorded:
            raise UsageError(
                f"--received-since is after the watermark, {format_time(recorded)} (UTC): rows would be left out",
                hint="Remove --received-since, or use an earlier time.",
            )
        since = int(max(0.0, (recorded or 0) - request.overlap if given is None else given))
        until = max(recorded or 0, int(request.now - request.settle))
        if request.received_until is not None:
            until = min(until, int(request.received_until))
        if since > until:
            raise UsageError(
                f"no rows to read: from {Period(since, until)} (UTC)",
                hint="Rows younger than --settle are left to a later run. Change --received-since or --received-until.",
            )
        return Window(since=since, watermark=since if recorded is None else recorded, until=until)

    def _watermark(self) -> int | None:
        if STATE_TABLE not in self._existing:
            return None
        found = self._client.query(watermark_sql(self._database, *self._names), self._database)
        cell = next((cell for (cell,) in self._client.rows(found)), None)
        if cell is None or isinstance(cell, int):
            return cell
        raise InputError(
            f"the column watermark of {self._database}.{STATE_TABLE} is not an integer",
            hint="Rename the table, and begin again with --from-beginning: no event id is inserted twice.",
        )

    def _parts(self) -> tuple[BatchCounts, list[_Part]]:
        """Count the batch. Tables without events for them are left out."""
        is_split = self._request.split_tables
        rows = self._client.rows(self._client.query(batch_sql(self._query, by_type=is_split), self._source.database))
        if not is_split:
            batch = sum_batches(BatchCounts(*row) for row in rows)
            target = self._target(self._into, load().events.values())
            return batch, [_Part(target, None, batch)] if batch.unique_events else []
        batches = {event_type: BatchCounts(*numbers) for event_type, *numbers in rows}
        parts = []
        for name in sorted({table_name(each or "") for each in batches}):
            types = tuple(each for each in batches if table_name(each or "") == name)
            batch = sum_batches(batches[each] for each in types)
            if batch.unique_events:
                address = replace(self._into, table="_".join(filter(None, [self._into.table, name])))
                parts.append(_Part(self._target(address, map(_fields_of, types)), types, batch))
        return sum_batches(batches.values()), parts

    def _target(self, address: TableAddress, events: Iterable[EventType]) -> Target:
        check_into(self._source, address)
        return target_table(address, self._existing.get(address.table), events, _REQUIRED)

    def _insert(self, part: _Part) -> TableResult:
        target = part.target
        if target.existing is None:
            self._client.query(target.create_sql, self._database)
        inserted = self._only_once(self._insert_sql(part), target.address)
        found = self._client.query(self._doubles_sql(part), self._database)
        ((doubled_ids, doubled_rows),) = self._client.rows(found)
        result = _result(part, inserted_rows(self._client.rows(inserted)))
        if not doubled_ids:
            return result
        columns = target.existing or self._client.columns(self._database, target.address.table)
        statements = remove_doubles_sql(target.address, tuple(columns), str(self._window.since), _span(part.batch))
        return structs.replace(result, doubled_ids=doubled_ids, doubled_rows=doubled_rows, clean_up=tuple(statements))

    def _only_once(self, sql: str, table: TableAddress) -> "JobResult":
        """Run the INSERT, unless another run from the same watermark is running its own.

        Whatever became of one that has ended: this one finds its events in the table.
        """
        # The client recognizes its own job by the text.
        text = f"{sql}\n-- run {uuid4().hex}"
        for attempt in count(1):
            try:
                return self._client.query(text, self._database, self._domain_key(table, attempt))
            except ConflictError as conflict:
                if conflict.job is None:
                    raise JobRunningError(
                        f"another run inserts, or has inserted, into {table} from the same watermark",
                        hint="If no such job is running, add --received-since with a time before the watermark.",
                    ) from None
                if self._client.is_unfinished(conflict.job):
                    raise JobRunningError(
                        f"another run is inserting into {table} from the same watermark: job {conflict.job}",
                        hint="Run the command again when it has ended.",
                    ) from None
        raise AssertionError

    def _domain_key(self, table: TableAddress, attempt: int) -> str:
        beginning = "" if self._request.received_since is None else self._window.since
        parts = (*self._names, table.table, self._window.watermark, beginning, attempt)
        return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()

    def _statements(self, parts: Iterable[_Part]) -> Iterator[str]:
        """Yield the statements that `outcome` issues, except for those that only read the source and the state."""
        if STATE_TABLE not in self._existing:
            yield create_state_sql(self._database)
        for part in parts:
            if part.target.existing is None:
                yield part.target.create_sql
            yield self._insert_sql(part)
            yield self._doubles_sql(part)
        yield self._record_sql()

    def _insert_sql(self, part: _Part) -> str:
        target = part.target
        return insert_new_sql(self._query, target.address, target.columns, _span(part.batch), part.event_types)

    def _doubles_sql(self, part: _Part) -> str:
        return doubles_sql(part.target.address, str(self._window.since), _span(part.batch))

    def _record_sql(self) -> str:
        window = self._window
        return record_run_sql(
            self._database,
            *self._names,
            now=str(int(self._request.now)),
            since=str(window.since),
            watermark=str(window.until),
        )


_REQUIRED: Final = ("id", RECEIVED_TIME, OTHER_FIELDS)


def _target_name(request: IncrementalRequest) -> str:
    if not request.split_tables:
        return str(request.into)
    return f"{request.into}_*" if request.into.table else f"{request.into}/*"


def _span(batch: BatchCounts) -> TimeSpan:
    return TimeSpan(str(batch.oldest), str(batch.newest))


def _result(part: _Part, inserted: int | None = None) -> TableResult:
    return TableResult(
        table=str(part.target.address),
        created=part.target.existing is None,
        unique_events=part.batch.unique_events,
        inserted=inserted,
    )


def _rejected(batch: BatchCounts, source: str) -> Problems:
    numbers = {REJECTED_ROW: batch.rejected_rows, REJECTED_EVENT: batch.rejected_events}
    kept = tuple(rejected_problem(kind, number, source) for kind, number in numbers.items() if number)
    return Problems(kept=kept, by_severity=Counter({Severity.ERROR: sum(numbers.values())}))


def _fields_of(name: str | None) -> EventType:
    """Return an event type; one that the catalog does not have has the fields that every event may have."""
    catalog = load()
    found = catalog.get(name) if name else None
    if found is not None:
        return found
    one = next(iter(catalog.events.values()))
    fields = {each.name: each for event in catalog.events.values() for each in event.fields if each.where in _COMMON}
    return structs.replace(one, name=name or "", fields=tuple(fields.values()))


_COMMON: Final = (Where.EVENT, Where.USER)
