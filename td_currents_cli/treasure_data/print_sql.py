"""`tdcur sql`: print the queries of other commands, for the console, a workflow, or a dbt model."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from td_currents_cli.catalog import load
from td_currents_cli.catalog.ddl import OTHER_FIELDS, TableColumn, create_table_sql, flat_columns
from td_currents_cli.choices import Dialect, Layout, Names, Query
from td_currents_cli.count import CountRequest
from td_currents_cli.count.dimensions import DimensionKind, dimensions
from td_currents_cli.count.pushdown import count_query
from td_currents_cli.errors import UsageError
from td_currents_cli.outcome import Outcome
from td_currents_cli.treasure_data.address import Period, TableAddress, check_into
from td_currents_cli.treasure_data.sql.count import count_sql
from td_currents_cli.treasure_data.sql.events import BatchEvents, table_events
from td_currents_cli.treasure_data.sql.queries import FlattenQuery, dedupe_batches_sql, dedupe_flat_sql, flatten_sql


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlRequest:
    query: Query
    table: TableAddress
    layout: Layout
    period: Period
    counted: CountRequest  # its filter also applies to `parse` and `dedupe`, its `dedupe` to `parse`
    into: TableAddress | None = None  # INSERT into this table instead of SELECT
    dialect: Dialect = Dialect.TRINO


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlOutcome(Outcome):
    command: ClassVar[str] = "sql"

    query: Query
    dialect: Dialect
    sql: str  # without a trailing semicolon
    rows: str | None  # the period, for people

    def summary(self) -> dict[str, object]:
        return {"query": self.query, "dialect": self.dialect, "rows": self.rows}

    def data(self) -> dict[str, object]:
        return {"sql": self.sql}


def run(request: SqlRequest) -> SqlOutcome:
    """Write a query. Runs offline.

    Raises:
        UsageError: the dialect does not support the query, a dimension is invalid, or source and target are the same.
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
            f"`{request.query}` is not supported for {dialect.title()}",
            hint="Omit --dialect. Other dialects support create-table, and dedupe of flat events (--rows flat).",
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
    """List the columns that a flat table is assumed to have: those it is created with, and those counted by."""
    known = {column.name: None for column in columns} | {OTHER_FIELDS: None}
    for dimension in dimensions(counted.by):
        if dimension.kind is DimensionKind.FIELD and not any(
            len(path) == 1 and path[0] in known for path in dimension.paths
        ):
            known[dimension.name.replace(".", "_")] = None
    return list(known)
