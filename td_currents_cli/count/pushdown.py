"""Counts events where they are: one query a table, whose small result becomes what counting here would have come to."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, tzinfo

from msgspec import Struct, field

from td_currents_cli.catalog import load
from td_currents_cli.count.bins import Key
from td_currents_cli.count.counting import USERS, Counted
from td_currents_cli.count.dimension import Dimension, Kind, category_of, dimensions
from td_currents_cli.count.request import CountRequest
from td_currents_cli.count.tally import Tally
from td_currents_cli.errors import UsageError
from td_currents_cli.warehouse.account import CountRow, TableTotals
from td_currents_cli.warehouse.address import TableAddress
from td_currents_cli.warehouse.sql import count as sql
from td_currents_cli.warehouse.sql.events import Events, table_events
from td_currents_cli.warehouse.tables import Tables


class RemoteNumbers(Struct):
    """How many different things an engine has found."""

    total: int = 0
    in_groups: Counter[Key] = field(default_factory=Counter)


class RemoteDiffering(Struct):
    """What an engine has found to differ; see `Differing`."""

    dedupes: bool
    events: RemoteNumbers | None
    users: RemoteNumbers | None
    duplicates: Counter[Key] = field(default_factory=Counter)
    spilled: int = 0


def asked(request: CountRequest, tables: Tables) -> tuple[Counted, RemoteDiffering | None]:
    """The counts of all tables.

    Raises:
        UsageError: what is asked for cannot be put together from several tables.
        TdcurError: a table cannot be asked; see `Warehouse.query`.
    """
    distinct = _distinct(request)
    if distinct is not None and len(tables.addresses) > 1:
        raise UsageError("--unique and --dedupe take one table at a time", hint="Run the command for each of them.")
    gathered = _Gathered(distinct, tables)
    for address, lines in _lines(request, tables):
        for line in lines:
            gathered.add(line, address)
    return gathered.counted(), distinct


def _distinct(request: CountRequest) -> RemoteDiffering | None:
    if not (request.unique or request.dedupe):
        return None
    events, users = (RemoteNumbers(), RemoteNumbers()) if request.unique else (None, None)
    return RemoteDiffering(request.dedupe, events, users)


def _lines(request: CountRequest, tables: Tables) -> Iterator[tuple[TableAddress, Iterable[CountRow]]]:
    for address, warehouse, layout, columns in tables.opened():
        query = count_query(request, address, table_events(address, layout, tables.period, columns))
        rows = warehouse.rows(warehouse.query(sql.count_sql(query), address.database))
        yield address, map(CountRow.of, rows)


def count_query(request: CountRequest, address: TableAddress, events: Events) -> sql.CountQuery:
    """What is asked of one table.

    Raises:
        UsageError: what is to be counted by makes no sense.
    """
    return sql.CountQuery(
        events=events,
        by=[_key(each, request.zone, address) for each in dimensions(request.by)],
        filter=request.wanted,
        unique=request.unique,
        dedupe=request.dedupe,
        users=USERS,
    )


def _key(dimension: Dimension, zone: tzinfo, address: TableAddress) -> sql.Key:
    if dimension.kind is Kind.TYPE:
        return sql.TypeKey()
    if dimension.kind is Kind.TIME:
        return sql.Bucket(dimension.name, "UTC" if zone is UTC else str(zone))
    if dimension.kind is Kind.SOURCE:
        return sql.Constant(str(address))
    if dimension.kind is Kind.FIELD:
        return sql.FieldKey(dimension.paths)
    if dimension.name == "channel":
        return sql.ChannelKey()
    return sql.OfType({name: category_of(name) or "" for name in load().events})


class _Gathered:
    """Lines of results, put together."""

    def __init__(self, distinct: RemoteDiffering | None, tables: Tables) -> None:
        self._distinct = distinct
        self._tally = Tally()
        self._account = TableTotals(map(str, tables.addresses))

    def add(self, line: CountRow, address: TableAddress) -> None:
        """Take a line."""
        distinct = self._distinct
        if line.is_total:
            if line.kind == sql.EVENT and distinct and distinct.events and distinct.users:
                distinct.events.total, distinct.users.total = line.unique_events, line.unique_users
            return
        self._account.add(line, str(address))
        if line.kind == sql.EVENT:
            self._tally.groups[line.key].add(line.events, line.first, line.last)
            if distinct and distinct.events and distinct.users:
                distinct.events.in_groups[line.key] = line.unique_events
                distinct.users.in_groups[line.key] = line.unique_users
        elif line.kind == sql.DUPLICATE and distinct:
            distinct.duplicates[line.key] = line.events

    def counted(self) -> Counted:
        """All of them."""
        return Counted(self._tally, self._account.balance, self._account.problems)
