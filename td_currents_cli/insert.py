"""Batches of a table into flat events of another one, where they are: no row is moved here."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from td_currents_cli.catalog import load
from td_currents_cli.catalog.columns import OTHER_FIELDS, TableColumn, flat_columns
from td_currents_cli.catalog.create_table import TIME, add_other_fields_sql, create_table_sql
from td_currents_cli.choices import Names
from td_currents_cli.errors import ExitCode, UsageError
from td_currents_cli.events.filter import Filter
from td_currents_cli.outcome import Balance, Outcome, exit_code_of
from td_currents_cli.warehouse.account import CountRow, TableTotals
from td_currents_cli.warehouse.address import TableAddress, check_into
from td_currents_cli.warehouse.failure import NoTableError
from td_currents_cli.warehouse.sql.count import EVENT, CountQuery, Expression, count_sql
from td_currents_cli.warehouse.sql.events import Events, table_events
from td_currents_cli.warehouse.sql.flatten import FlattenQuery, flatten_sql, other_fields
from td_currents_cli.warehouse.tables import Tables
from td_currents_cli.write.atomic import atomic_output
from td_currents_cli.write.json_text import json_document

if TYPE_CHECKING:
    from td_currents_cli.warehouse.client import TdClient


@dataclass(frozen=True, slots=True, kw_only=True)
class InsertRequest:
    """What to insert where.

    Attributes:
        tables: the one table with the batches. Its period has to have an end: rows that come while this runs are in
            none of its queries.
        into: the table that takes the events; it is made where it is not there.
        wanted: which events.
        dedupe: whether events are left out whose id came before.
        summary: the file of the run's JSON envelope; None for none.
    """

    tables: Tables
    into: TableAddress
    wanted: Filter
    dedupe: bool = False
    summary: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InsertOutcome(Outcome):
    """Where every row and event went.

    Attributes:
        balance: as the table told it before.
        others: events of which something is in the column for other fields, as it told then too.
        into: the table that took the events.
        inserted: as Treasure Data tells it; None where it does not.
        created: whether the table was made.
    """

    command: ClassVar[str] = "parse"

    balance: Balance
    others: int
    into: str
    inserted: int | None
    created: bool

    def summary(self) -> dict[str, object]:
        """The balance, by the names that `parse` has for it, and where the events are."""
        return {
            "rows_read": self.balance.rows_read,
            "rows_rejected": self.balance.rows_rejected,
            "events_read": self.balance.events_read,
            "events_rejected": self.balance.events_rejected,
            "written": self.balance.events_out if self.inserted is None else self.inserted,
            "duplicates": self.balance.duplicates,
            "filtered": self.balance.filtered,
            "lost": 0 if self.inserted is None else self.balance.events_out - self.inserted,
            "with_other_fields": self.others,
            "into": self.into,
            "created": self.created,
        }


def run(request: InsertRequest) -> InsertOutcome:
    """Count the events, so that nothing is left out without a word, then insert them. No query is issued twice.

    Raises:
        UsageError: more than one table, the same one, one of another account, or one that lacks columns.
        OutputError: the summary cannot be written; this is found before anything is inserted.
        TdcurError: a table cannot be asked; see `Warehouse.query`.
    """
    if request.summary is None:
        return _insert(request)
    with atomic_output(request.summary) as output:
        outcome = _insert(request)
        output.write(json_document(outcome.as_dict()))
    return outcome


def _insert(request: InsertRequest) -> InsertOutcome:
    _check_tables(request)
    ((source, warehouse, layout, there),) = request.tables.opened()
    columns = flat_columns(load().events.values(), Names.STREAMING)
    created = not _table_exists(warehouse, request.into, columns)
    events = table_events(source, layout, request.tables.period, there)
    account, others = _totals(request, warehouse, source, events, columns)
    if created:
        warehouse.query(create_table_sql((request.into.database, request.into.table), columns), request.into.database)
    query = FlattenQuery(
        events=events, columns=columns, filter=request.wanted, dedupe=request.dedupe, into=request.into
    )
    answer = warehouse.query(flatten_sql(query), request.into.database)
    inserted = next((int(row[0]) for row in warehouse.rows(answer) if row), None)
    balance, problems = account.balance, account.problems
    agreed = inserted is None or inserted == balance.events_out
    code = exit_code_of(problems, balance)
    return InsertOutcome(
        balance=balance,
        others=others,
        into=str(request.into),
        inserted=inserted,
        created=created,
        problems=problems,
        exit_code=code if agreed else max(code, ExitCode.FINDINGS),
    )


def _check_tables(request: InsertRequest) -> None:
    if len(request.tables.addresses) != 1:
        raise UsageError("--into takes the events of one table", hint="Run the command for each of them.")
    check_into(request.tables.addresses[0], request.into)


def _table_exists(warehouse: "TdClient", into: TableAddress, columns: tuple[TableColumn, ...]) -> bool:
    """Whether there is such a table yet; if so, it has all columns."""
    try:
        there = warehouse.columns(into.database, into.table)
    except NoTableError:
        return False
    missing = [column.name for column in columns if column.name not in there and column.name != TIME]
    if missing:
        raise UsageError(
            f"{into} lacks {len(missing)} of the {len(columns)} columns of flat events, such as `{missing[0]}`",
            hint="Name a table that is not there, to have it made, or make one with `tdcur sql create-table`.",
        )
    if OTHER_FIELDS not in there:
        raise UsageError(
            f"{into} has no column `{OTHER_FIELDS}`: what its other columns cannot take would be lost",
            hint=f"Add it: {add_other_fields_sql((into.database, into.table))}",
        )
    return True


def _totals(
    request: InsertRequest,
    warehouse: "TdClient",
    source: TableAddress,
    events: Events,
    columns: tuple[TableColumn, ...],
) -> tuple[TableTotals, int]:
    """Where the events will go, and of how many something will be in the column for other fields."""
    key = Expression(f"CASE WHEN {other_fields(events, columns)} IS NOT NULL THEN '{OTHER_FIELDS}' END")
    query = CountQuery(events=events, by=(key,), filter=request.wanted, unique=False, dedupe=request.dedupe, users=())
    account, others = TableTotals([str(source)]), 0
    for row in warehouse.rows(warehouse.query(count_sql(query), source.database)):
        line = CountRow.of(row)
        account.add(line, str(source))
        if line.kind == EVENT and line.key != (None,):
            others += line.events
    return account, others
