"""Counts events where they are: one query a table, whose small result becomes what counting here would have come to."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, tzinfo
from typing import Any, Final

from msgspec import Struct, field

from td_currents_cli.catalog import load
from td_currents_cli.codes import Code
from td_currents_cli.count.bins import Key
from td_currents_cli.count.counting import USERS, Counted
from td_currents_cli.count.dimension import Dimension, Kind, category_of, dimensions
from td_currents_cli.count.request import CountRequest
from td_currents_cli.count.tally import Tally
from td_currents_cli.errors import UsageError
from td_currents_cli.model import Location, Problem, Severity
from td_currents_cli.outcome import Balance, Problems
from td_currents_cli.warehouse.address import Address
from td_currents_cli.warehouse.sql import count as sql
from td_currents_cli.warehouse.sql.events import REJECTED_EVENT, REJECTED_ROW, events_of
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


class Line(Struct, frozen=True):
    """A line of the result; see `warehouse.sql.count.count_sql`."""

    kind: str
    key: Key
    is_total: bool
    rows: int
    events: int
    first: float | None
    last: float | None
    unique_events: int
    unique_users: int

    @classmethod
    def of(cls, row: list[Any]) -> "Line":
        """The line of a row."""
        kind, *key, is_total, rows, events, first, last, unique_events, unique_users = row
        return cls(kind, tuple(key), bool(is_total), rows, events, first, last, unique_events, unique_users)


def asked(request: CountRequest, tables: Tables) -> tuple[Counted, RemoteDiffering | None]:
    """The counts of all tables.

    Raises:
        UsageError: what is asked for cannot be put together from several tables.
        TdcurError: a table cannot be asked; see `Warehouse.query`.
    """
    distinct = _distinct(request)
    if distinct is not None and len(tables.addresses) > 1:
        raise UsageError("--unique and --dedupe take one table at a time", hint="Run the command for each of them.")
    gathered = _Gathered(distinct)
    for address, lines in _lines(request, tables):
        for line in lines:
            gathered.add(line, address)
    return gathered.counted(), distinct


def _distinct(request: CountRequest) -> RemoteDiffering | None:
    if not (request.unique or request.dedupe):
        return None
    events, users = (RemoteNumbers(), RemoteNumbers()) if request.unique else (None, None)
    return RemoteDiffering(request.dedupe, events, users)


def _lines(request: CountRequest, tables: Tables) -> Iterator[tuple[Address, Iterable[Line]]]:
    by = dimensions(request.by)
    for address, warehouse, layout, columns in tables.opened():
        query = sql.CountQuery(
            events=events_of(address, layout, tables.period, columns),
            by=[_key(each, request.zone, address) for each in by],
            filter=request.wanted,
            unique=request.unique,
            dedupe=request.dedupe,
            users=USERS,
        )
        rows = warehouse.rows(warehouse.query(sql.count_sql(query), address.database))
        yield address, map(Line.of, rows)


def _key(dimension: Dimension, zone: tzinfo, address: Address) -> sql.Key:
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

    def __init__(self, distinct: RemoteDiffering | None) -> None:
        self._distinct = distinct
        self._tally = Tally()
        self._rows: Counter[str] = Counter()
        self._events: Counter[str] = Counter()
        self._problems: list[Problem] = []
        self._by_severity: Counter[Severity] = Counter()

    def add(self, line: Line, address: Address) -> None:
        """Take a line."""
        distinct = self._distinct
        if line.is_total:
            if line.kind == sql.EVENT and distinct and distinct.events and distinct.users:
                distinct.events.total, distinct.users.total = line.unique_events, line.unique_users
            return
        self._rows[line.kind] += line.rows
        self._events[line.kind] += line.events
        if line.kind == sql.EVENT:
            self._tally.groups[line.key].add(line.events, line.first, line.last)
            if distinct and distinct.events and distinct.users:
                distinct.events.in_groups[line.key] = line.unique_events
                distinct.users.in_groups[line.key] = line.unique_users
        elif line.kind == sql.DUPLICATE and distinct:
            distinct.duplicates[line.key] = line.events
        elif line.kind in _REJECTED:
            self._reject(line, address)

    def counted(self) -> Counted:
        """All of them."""
        rejected = self._rows[REJECTED_ROW]
        balance = Balance(
            rows_read=self._rows.total(),
            rows_rejected=rejected,
            events_read=self._events.total(),
            events_rejected=self._events[REJECTED_EVENT],
            events_out=self._events[sql.EVENT],
            duplicates=self._events[sql.DUPLICATE],
            filtered=self._events[sql.FILTERED],
        )
        # A result has no order.
        kept = sorted(self._problems, key=lambda each: (each.location.source, each.code))
        problems = Problems(kept=tuple(kept), by_severity=self._by_severity)
        return Counted(self._tally, balance, problems)

    def _reject(self, line: Line, address: Address) -> None:
        """All rows, or all events, that nothing could be made of are one problem: which ones, a count does not tell."""
        code, one, several = _REJECTED[line.kind]
        number = line.rows if line.kind == REJECTED_ROW else line.events
        message = one if number == 1 else f"{number:,} {several}"
        self._problems.append(Problem(code=code, location=Location(source=str(address)), message=message))
        self._by_severity[Severity.ERROR] += number


_REJECTED: Final = {
    REJECTED_ROW: (
        Code.BAD_ROW,
        "a row has a cell that no events could be read from",
        "rows have cells that no events could be read from",
    ),
    REJECTED_EVENT: (
        Code.EVENT_NOT_OBJECT,
        "an element of a batch is no event",
        "elements of batches are no events",
    ),
}
"""What is said of each kind of line."""
