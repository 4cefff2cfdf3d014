"""Queries as text: what commands ask tables of Treasure Data, for the console, a workflow or a dbt model."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from td_currents_cli.catalog import load
from td_currents_cli.catalog.columns import OTHER_FIELDS, TableColumn, flat_columns
from td_currents_cli.catalog.create_table import create_table_sql
from td_currents_cli.choices import Dialect, Layout, Names, Query
from td_currents_cli.count import CountRequest
from td_currents_cli.count.dimension import DimensionKind, dimensions
from td_currents_cli.count.pushdown import count_query
from td_currents_cli.errors import UsageError
from td_currents_cli.outcome import Outcome
from td_currents_cli.warehouse.address import TableAddress, check_into
from td_currents_cli.warehouse.period import Period
from td_currents_cli.warehouse.sql.count import count_sql
from td_currents_cli.warehouse.sql.dedupe import dedupe_batches_sql, dedupe_flat_sql
from td_currents_cli.warehouse.sql.events import BatchEvents, table_events
from td_currents_cli.warehouse.sql.flatten import FlattenQuery, flatten_sql


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlRequest:
    """Which query.

    Attributes:
        query: what it does.
        table: which table it is about.
        layout: what a row of it is.
        period: when the rows were received that it looks at.
        counted: what is to be counted, and how; its filter holds for `parse` and `dedupe` too, and whether duplicates
            are left out for `parse`.
        into: the table that the events are inserted into; None to select them.
        dialect: to say it in.
    """

    query: Query
    table: TableAddress
    layout: Layout
    period: Period
    counted: CountRequest
    into: TableAddress | None = None
    dialect: Dialect = Dialect.TRINO


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlOutcome(Outcome):
    """The text of a query.

    Attributes:
        query: what it does.
        dialect: that it is in.
        sql: its text, without a semicolon at its end.
        rows: when the rows were received that it looks at, as text; None where it looks at none.
    """

    command: ClassVar[str] = "sql"

    query: Query
    dialect: Dialect
    sql: str
    rows: str | None

    def summary(self) -> dict[str, object]:
        """What it is."""
        return {"query": self.query, "dialect": self.dialect, "rows": self.rows}

    def data(self) -> dict[str, object]:
        """The text."""
        return {"sql": self.sql}


def run(request: SqlRequest) -> SqlOutcome:
    """Put a query into words. Nobody is asked.

    Raises:
        UsageError: it cannot be said in that dialect, what is to be counted by makes no sense, or a table would take
            its own events.
    """
    if request.into is not None:
        check_into(request.table, request.into)
    rows = None if request.query is Query.CREATE_TABLE else str(request.period)
    return SqlOutcome(query=request.query, dialect=request.dialect, sql=_query_sql(request), rows=rows)


def _query_sql(request: SqlRequest) -> str:
    table, period, dialect = request.table, request.period, request.dialect
    columns = flat_columns(load().events.values(), Names.STREAMING)
    if request.query is Query.CREATE_TABLE:
        return create_table_sql((table.database, table.table), columns, dialect)
    if request.query is Query.DEDUPE and request.layout is Layout.FLAT:
        return dedupe_flat_sql(table, period, dialect, request.counted.wanted)
    if dialect is not Dialect.TRINO:
        raise UsageError(
            f"`{request.query}` cannot be said in {dialect.title()}",
            hint="Leave --dialect out. create-table can be, and dedupe of flat events (--rows flat).",
        )
    if request.query is Query.DEDUPE:
        return dedupe_batches_sql(BatchEvents(table, period), request.counted.wanted)
    counted = request.counted
    events = table_events(table, request.layout, period, _flat_table_columns(columns, counted))
    if request.query is Query.COUNT:
        return count_sql(count_query(counted, table, events))
    return flatten_sql(
        FlattenQuery(events=events, columns=columns, filter=counted.wanted, dedupe=counted.dedupe, into=request.into)
    )


def _flat_table_columns(columns: Sequence[TableColumn], counted: CountRequest) -> list[str]:
    """The columns that a flat table is taken to have: those it would be made with, and what is counted by."""
    known = {column.name: None for column in columns} | {OTHER_FIELDS: None}
    for dimension in dimensions(counted.by):
        if dimension.kind is DimensionKind.FIELD and not any(
            len(path) == 1 and path[0] in known for path in dimension.paths
        ):
            known[dimension.name.replace(".", "_")] = None
    return list(known)
