"""Insert flat events into a table inside Treasure Data, without downloading rows."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from td_currents_cli.catalog import load
from td_currents_cli.catalog.ddl import OTHER_FIELDS, TableColumn
from td_currents_cli.errors import ExitCode
from td_currents_cli.events.filter import Filter
from td_currents_cli.outcome import Balance, Outcome, exit_code_of
from td_currents_cli.treasure_data.address import TableAddress
from td_currents_cli.treasure_data.flat_table import target_table
from td_currents_cli.treasure_data.sql.count import EVENT, CountQuery, Expression, count_sql
from td_currents_cli.treasure_data.sql.events import Events, table_events
from td_currents_cli.treasure_data.sql.queries import FlattenQuery, flatten_sql, other_fields
from td_currents_cli.treasure_data.tables import Tables
from td_currents_cli.treasure_data.totals import CountRow, TableTotals, inserted_rows
from td_currents_cli.write.files import atomic_output
from td_currents_cli.write.formats import json_document

if TYPE_CHECKING:
    from td_currents_cli.treasure_data.client import TdClient


@dataclass(frozen=True, slots=True, kw_only=True)
class InsertRequest:
    tables: Tables  # one table; its period must have an end, so that all queries cover the same rows
    into: TableAddress  # created if missing
    wanted: Filter
    dedupe: bool = False
    summary: Path | None = None  # file for the JSON envelope


class InsertOutcome(Outcome, frozen=True, kw_only=True):
    command: ClassVar[str] = "parse"

    balance: Balance  # counted before the INSERT
    others: int  # events with a value in OTHER_FIELDS, counted before the INSERT
    into: str
    inserted: int | None  # None if Treasure Data does not return the number
    created: bool  # the table was missing

    def summary(self) -> dict[str, object]:
        return {
            "rows_read": self.balance.rows_read,
            "rows_rejected": self.balance.rows_rejected,
            "events_read": self.balance.events_read,
            "events_rejected": self.balance.events_rejected,
            "written": self.balance.events_out if self.inserted is None else self.inserted,
            "duplicates": self.balance.duplicates,
            "filtered": self.balance.filtered,
            "canaries": self.balance.canaries,
            "lost": 0 if self.inserted is None else self.balance.events_out - self.inserted,
            "with_other_fields": self.others,
            "into": self.into,
            "created": self.created,
        }


def run(request: InsertRequest) -> InsertOutcome:
    """Count the events, so that every one is accounted for, then insert them. No query is issued twice.

    Raises:
        UsageError: more than one table, the same table, one at another site, or one that lacks columns.
        OutputError: the summary cannot be written; raised before anything is inserted.
        TdcurError: a query failed; see `TdClient.query`.
    """
    if request.summary is None:
        return _insert(request)
    with atomic_output(request.summary) as output:
        outcome = _insert(request)
        output.write(json_document(outcome.as_dict()))
    return outcome


def _insert(request: InsertRequest) -> InsertOutcome:
    source, client, layout, source_columns = request.tables.only(request.into)
    existing = client.tables(request.into.database).get(request.into.table)
    target = target_table(request.into, existing, load().events.values())
    columns = target.columns
    events = table_events(source, layout, request.tables.period, source_columns)
    totals, others = _totals(request, client, source, events, columns)
    if existing is None:
        client.query(target.create_sql, request.into.database)
    query = FlattenQuery(
        events=events,
        columns=columns,
        filter=request.wanted,
        dedupe=request.dedupe,
        received_time=target.has_received_time,
        into=request.into,
    )
    result = client.query(flatten_sql(query), request.into.database)
    inserted = inserted_rows(client.rows(result))
    balance, problems = totals.balance, totals.problems
    agreed = inserted is None or inserted == balance.events_out
    code = exit_code_of(problems, balance)
    return InsertOutcome(
        balance=balance,
        others=others,
        into=str(request.into),
        inserted=inserted,
        created=existing is None,
        scanned=request.tables.period.as_dict(),
        problems=problems,
        exit_code=code if agreed else max(code, ExitCode.FINDINGS),
    )


def _totals(
    request: InsertRequest, client: "TdClient", source: TableAddress, events: Events, columns: tuple[TableColumn, ...]
) -> tuple[TableTotals, int]:
    """Count the events by outcome, and those with a value in OTHER_FIELDS."""
    key = Expression(f"CASE WHEN {other_fields(events, columns)} IS NOT NULL THEN '{OTHER_FIELDS}' END")
    query = CountQuery(events=events, by=(key,), filter=request.wanted, unique=False, dedupe=request.dedupe, users=())
    totals, others = TableTotals([str(source)]), 0
    for row in client.rows(client.query(count_sql(query), source.database)):
        counted = CountRow.of(row)
        totals.add(counted, str(source))
        if counted.kind == EVENT and counted.key != (None,):
            others += counted.events
    return totals, others
