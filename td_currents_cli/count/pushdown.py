"""Counts events inside Treasure Data: one query per table, whose result equals counting its rows here."""

from datetime import UTC, datetime, tzinfo

from td_currents_cli.catalog import load
from td_currents_cli.count.aggregate import USERS, GroupCounts, PartialCount
from td_currents_cli.count.dimensions import (
    Dimension,
    DimensionKind,
    Key,
    TimeBuckets,
    TimeUnit,
    category_of,
    dimensions,
)
from td_currents_cli.count.distinct import DistinctStats
from td_currents_cli.count.result import CountRequest
from td_currents_cli.errors import UsageError
from td_currents_cli.treasure_data.address import TableAddress
from td_currents_cli.treasure_data.sql import count as sql
from td_currents_cli.treasure_data.sql.events import Events, table_events
from td_currents_cli.treasure_data.sql.text import case_lookup, string_literal
from td_currents_cli.treasure_data.tables import Tables, has_receive_times
from td_currents_cli.treasure_data.totals import CountRow, TableTotals


def count_tables(request: CountRequest, tables: Tables) -> tuple[PartialCount, DistinctStats | None]:
    """Count all tables. Raises UsageError if what is asked for cannot be added up over several tables."""
    distinct = None
    if request.unique or request.dedupe:
        if len(tables.addresses) > 1:
            raise UsageError("--unique and --dedupe take one table at a time", hint="Run the command once per table.")
        distinct = DistinctStats(request.unique, request.dedupe)
    groups, totals = GroupCounts(), TableTotals(map(str, tables.addresses))
    hours = [place for place, each in enumerate(dimensions(request.by)) if each.name == TimeUnit.HOUR]
    streaming = False
    for address, warehouse, layout, columns in tables.opened():
        streaming |= has_receive_times(layout, columns)
        query = count_query(request, address, table_events(address, layout, tables.period, columns))
        for row in warehouse.rows(warehouse.query(sql.count_sql(query), address.database)):
            line = CountRow.of(row)
            key = line.key
            if hours and not line.is_total:
                key = tuple(_hour(name, request.zone) if at in hours else name for at, name in enumerate(key))
            if not line.is_total:
                totals.add(line, str(address))
                if line.kind == sql.EVENT:
                    groups.groups[key].add(line.events, line.first, line.last)
            if distinct is not None:
                _add_distinct(distinct, line, key)
    return PartialCount(groups, totals.balance, totals.problems, streaming), distinct


def _hour(name: str | None, zone: tzinfo) -> str | None:
    """The name of an hour, with its UTC offset if it occurs for the second time."""
    if name is None or not name.endswith(sql.SECOND_HOUR):
        return name
    moment = datetime.fromisoformat(name.removesuffix(sql.SECOND_HOUR)).replace(minute=59, tzinfo=zone, fold=1)
    return TimeBuckets(TimeUnit.HOUR, zone).names([moment.timestamp()])[0]


def _add_distinct(distinct: DistinctStats, line: CountRow, key: Key) -> None:
    events, users = distinct.events, distinct.users
    if line.kind == sql.DUPLICATE and not line.is_total:
        distinct.duplicates[key] = line.events
    elif line.kind == sql.EVENT and distinct.unique:
        if line.is_total:
            events.total, users.total = line.unique_events, line.unique_users
        else:
            events.in_groups[key], users.in_groups[key] = line.unique_events, line.unique_users


def count_query(request: CountRequest, address: TableAddress, events: Events) -> sql.CountQuery:
    """The query of one table. Raises UsageError for invalid dimensions."""
    return sql.CountQuery(
        events=events,
        by=[_sql_key(each, request.zone, address) for each in dimensions(request.by)],
        filter=request.wanted,
        unique=request.unique,
        dedupe=request.dedupe,
        users=USERS,
    )


def _sql_key(dimension: Dimension, zone: tzinfo, address: TableAddress) -> sql.Key:
    if dimension.kind is DimensionKind.TYPE:
        return sql.TYPE_KEY
    if dimension.kind is DimensionKind.TIME:
        return sql.bucket_key(dimension.name, "UTC" if zone is UTC else str(zone))
    if dimension.kind is DimensionKind.SOURCE:
        return string_literal(str(address))
    if dimension.kind is DimensionKind.FIELD:
        return sql.FieldKey(dimension.paths)
    if dimension.name == "channel":
        return sql.CHANNEL_KEY
    return case_lookup(sql.TYPE_KEY, [(name, category_of(name) or "") for name in load().events])
