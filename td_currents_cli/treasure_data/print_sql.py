"""`tdcur sql`: print the queries of other commands, for the console, a workflow, or a dbt model."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import ClassVar

from td_currents_cli.braze import CUSTOM_FIELDS, ENVELOPE, USER_FIELDS
from td_currents_cli.catalog import load
from td_currents_cli.catalog.ddl import OTHER_FIELDS, TableColumn, create_table_sql, flat_columns
from td_currents_cli.choices import Dialect, Layout, Names, Query, RunBy
from td_currents_cli.count import CountRequest
from td_currents_cli.count.aggregate import USERS
from td_currents_cli.count.dimensions import EVENT_TYPE, Dimension, DimensionKind, TimeUnit, category_of, dimensions
from td_currents_cli.count.pushdown import count_query
from td_currents_cli.errors import UsageError
from td_currents_cli.outcome import Outcome
from td_currents_cli.treasure_data.address import Period, TableAddress, check_into
from td_currents_cli.treasure_data.sql.count import count_sql
from td_currents_cli.treasure_data.sql.events import BatchEvents, table_events
from td_currents_cli.treasure_data.sql.queries import FlattenQuery, dedupe_batches_sql, dedupe_flat_sql, flatten_sql
from td_currents_cli.treasure_data.sql.scheduled import ScheduledTime, for_dbt, for_workflow, period_in_words
from td_currents_cli.treasure_data.sql.short_count import short_count_sql
from td_currents_cli.treasure_data.sql.spark import (
    SPARK_CHANNEL,
    SparkBatches,
    SparkExport,
    SparkSource,
    spark_bucket,
    spark_count,
    spark_dedupe,
    spark_parse,
)
from td_currents_cli.treasure_data.sql.text import case_lookup, receive_time_condition


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlRequest:
    query: Query
    table: TableAddress | str  # a string is the path of an Avro export
    layout: Layout
    period: Period
    counted: CountRequest  # its filter also applies to `parse` and `dedupe`, its `dedupe` to `parse`
    into: TableAddress | None = None  # INSERT into this table instead of SELECT
    dialect: Dialect = Dialect.TRINO
    run_by: RunBy = RunBy.CONSOLE
    exact: bool = False  # of `count`: the query that `count` itself runs


class SqlOutcome(Outcome, frozen=True, kw_only=True):
    command: ClassVar[str] = "sql"

    query: Query
    dialect: Dialect
    sql: str  # without a trailing semicolon
    rows: str | None  # the period, for people
    layout: Layout = Layout.BATCHES
    run_by: RunBy = RunBy.CONSOLE
    notes: tuple[str, ...] = ()  # what to know before it is run

    def summary(self) -> dict[str, object]:
        return {"query": self.query, "dialect": self.dialect, "for": self.run_by, "rows": self.rows}

    def data(self) -> dict[str, object]:
        return {"sql": self.sql, "notes": list(self.notes)}


def run(request: SqlRequest) -> SqlOutcome:
    """Write a query. Runs offline.

    Raises:
        UsageError: the dialect does not support the query, a dimension is invalid, or source and target are the same.
    """
    if isinstance(request.table, str):
        sql, rows = _export_sql(request, request.table), None
    else:
        if request.into is not None:
            check_into(request.table, request.into)
        sql = _query_sql(request, request.table)
        rows = None if request.query is Query.CREATE_TABLE else period_in_words(request.period)
    run_by, query, dialect = request.run_by, request.query, request.dialect
    return SqlOutcome(
        query=query, dialect=dialect, sql=_template(request, sql), rows=rows, layout=request.layout, run_by=run_by
    )


def _template(request: SqlRequest, sql: str) -> str:
    match request.run_by:
        case RunBy.CONSOLE:
            return sql
        case RunBy.WORKFLOW:
            return for_workflow(sql)
        case RunBy.DBT:
            rows, wanted = request.period, request.counted.wanted
            # Counts are made again, and so are events of a period.
            if request.query is Query.COUNT or wanted.timed or not isinstance(rows.since, ScheduledTime):
                return for_dbt(sql)
            return for_dbt(sql, receive_time_condition(rows), receive_time_condition(Period(0.0, rows.until)))


def _export_sql(request: SqlRequest, path: str) -> str:
    if request.query is Query.CREATE_TABLE or request.into is not None or request.layout is Layout.FLAT:
        raise UsageError("an export can only be counted, parsed, and deduplicated", hint="Name a table: td://…/….")
    columns = flat_columns(load().events.values(), Names.SHORT)
    fields = {column.field: column.type for column in columns if column.field not in {EVENT_TYPE, *CUSTOM_FIELDS}}
    if request.query is Query.COUNT:
        used = {path[-1] for each in dimensions(request.counted.by) for path in each.paths}
        fields = {name: kind for name, kind in fields.items() if name in {*used, *ENVELOPE, *USER_FIELDS}}
    return _spark_sql(request, SparkExport(path, fields, request.counted.wanted))


def _spark_sql(request: SqlRequest, source: SparkSource) -> str:
    counted = request.counted
    if request.query is Query.DEDUPE:
        statements = spark_dedupe(source, counted.wanted)
    elif request.query is Query.PARSE:
        columns = flat_columns(load().events.values(), Names.STREAMING)
        statements = spark_parse(source, columns, OTHER_FIELDS, counted.wanted, dedupe=counted.dedupe)
    else:
        keys = [(each.name, _spark_key(each, source, request)) for each in dimensions(counted.by)]
        statements = spark_count(source, keys, USERS, counted.wanted, dedupe=counted.dedupe)
    return ";\n\n".join(statements)


def _spark_key(dimension: Dimension, source: SparkSource, request: SqlRequest) -> str:
    zone = _zone_name(request)
    match dimension.kind:
        case DimensionKind.TYPE:
            return "event_type"
        case DimensionKind.TIME if dimension.name == TimeUnit.HOUR and zone != "UTC":
            raise UsageError("Spark has no names for the hours when clocks go back", hint="Omit --timezone.")
        case DimensionKind.TIME:
            return spark_bucket(dimension.name, zone)
        case DimensionKind.SOURCE:
            return Dialect.SPARK.literal(str(request.table))
        case DimensionKind.FIELD:
            return source.value(dimension.paths)
        case _ if dimension.name == "channel":
            return SPARK_CHANNEL
        case _:
            return case_lookup("event_type", [(name, category_of(name) or "") for name in load().events], Dialect.SPARK)


def _zone_name(request: SqlRequest) -> str:
    return "UTC" if request.counted.zone is UTC else str(request.counted.zone)


def _query_sql(request: SqlRequest, table: TableAddress) -> str:
    period, dialect = request.period, request.dialect
    columns = flat_columns(load().events.values(), Names.STREAMING)
    if request.query is Query.CREATE_TABLE:
        return create_table_sql((table.database, table.table), columns, dialect)
    if request.query is Query.DEDUPE and request.layout is Layout.FLAT:
        return dedupe_flat_sql(table, period, dialect, request.counted.wanted)
    if dialect is Dialect.SPARK and request.layout is Layout.BATCHES and request.into is None:
        return _spark_sql(request, SparkBatches(table, period))
    if dialect is not Dialect.TRINO:
        raise UsageError(
            f"`{request.query}` is not supported for {dialect.title()}",
            hint="Omit --dialect. Hive has create-table, and dedupe of flat rows; Spark also all queries of batches.",
        )
    if request.query is Query.DEDUPE:
        return dedupe_batches_sql(BatchEvents(table, period), request.counted.wanted)
    counted = request.counted
    events = table_events(table, request.layout, period, _flat_table_columns(columns, counted))
    if request.query is Query.COUNT:
        query = count_query(counted, table, events)
        return count_sql(query) if request.exact else short_count_sql(query, counted.by, _zone_name(request))
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
