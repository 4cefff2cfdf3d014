"""The options and the result of `tdcur count`."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final

from msgspec import Struct

from td_currents_cli.braze import CANARY
from td_currents_cli.catalog import load
from td_currents_cli.choices import Sort
from td_currents_cli.count.aggregate import GroupCounts, GroupStats, TimeHistogram
from td_currents_cli.count.dimensions import BY_NAME, DERIVED, EVENT_TYPE, Dimension, DimensionKind, Key
from td_currents_cli.errors import UsageError
from td_currents_cli.events.filter import EVERYTHING, Filter, TypeGlobs, iso, moment_of
from td_currents_cli.outcome import Balance, Outcome
from td_currents_cli.read import Source
from td_currents_cli.read.options import INGESTED, ReadOptions
from td_currents_cli.suggestions import nearest

if TYPE_CHECKING:
    from td_currents_cli.count.baseline import CheckedCounts, CountComparison
    from td_currents_cli.count.distinct import DistinctStats
    from td_currents_cli.treasure_data.tables import Tables


OPTIONAL_FIGURES: Final = ("duplicates", "unique_events", "unique_users")


class Count(Struct, frozen=True, kw_only=True, gc=False):
    key: Key
    count: int
    share: float  # of all events, 0 to 1
    first: datetime | None = None  # earliest usable `time` of its events
    last: datetime | None = None
    duplicates: int | None = None  # left out because their id occurred before; None without --dedupe
    unique_events: int | None = None  # different ids; None without --unique, as the next one
    unique_users: int | None = None

    def as_dict(self, by: Sequence[str]) -> dict[str, object]:
        """The machine form: a field per dimension, then the figures."""
        return {**dict(zip(by, self.key, strict=True)), **self.figures()}

    def figures(self) -> dict[str, object]:
        """The machine form without the key; times in UTC with the suffix Z."""
        return {
            "count": self.count,
            "share": round(self.share, 6),
            "first": iso(self.first),
            "last": iso(self.last),
            **{name: figure for name in OPTIONAL_FIGURES if (figure := getattr(self, name)) is not None},
        }


class PivotRow(Struct, frozen=True):
    """The numbers of events of one row, a cell per column."""

    key: Key
    cells: tuple[int, ...]

    @property
    def total(self) -> int:
        return sum(self.cells)


class Pivot(Struct, frozen=True, kw_only=True):
    name: str  # of the dimension whose values are columns
    by: tuple[str, ...]  # the other dimensions
    columns: tuple[str | None, ...]  # in order, a missing value last
    rows: tuple[PivotRow, ...]
    others: int  # number of rows that are not shown
    rest: PivotRow | None  # their sum; None if there are none
    total: PivotRow


class CountRequest(Struct, frozen=True):
    sources: Sequence[Source]
    by: tuple[str, ...] = (EVENT_TYPE,)
    also: tuple[str, ...] = ()  # names that files are also counted by, each on its own, in the same pass
    zone: tzinfo = UTC  # of hours, days, weeks and months
    wanted: Filter = EVERYTHING
    unique: bool = False  # also count different events and users
    dedupe: bool = False  # leave out events whose id occurred before
    all_types: bool = False  # include types of the catalog that have no events
    sort: Sort | None = None  # None for the default of the dimensions
    top: int | None = None  # number of groups that are shown; None for all
    pivot: str | None = None  # the dimension whose values become columns
    over_time: bool = False  # count by time too, for sparklines
    wide: bool = False  # show whole names and all columns, even if the terminal is narrower
    expect: Path | None = None
    compare: Path | None = None
    fail_on_drop: float | None = None  # 0 to 1; see CountComparison
    reading: ReadOptions = INGESTED
    jobs: int = 1
    limit: int | None = None  # digests of ids that are kept in memory; None for the default
    tables: "Tables | None" = None  # counted inside Treasure Data, instead of the sources


class CountOutcome(Outcome, frozen=True, kw_only=True):
    command: ClassVar[str] = "count"

    by: tuple[str, ...] = (EVENT_TYPE,)
    counts: tuple[Count, ...]  # the groups that are shown
    others: int = 0  # number of groups that are not shown
    rest: Count | None = None  # their sum; None if there are none
    total: Count
    balance: Balance
    zone: tzinfo = UTC  # of hours, days, weeks and months
    streaming: bool = False  # rows of the streaming connector are among the events: their times are receive times
    also: Mapping[str, Sequence[Count]] = {}  # all groups by each of the names that were counted on their own
    pivot: Pivot | None = None
    histogram: TimeHistogram | None = None
    unknown_types: tuple[str, ...] = ()  # not in the catalog, in the order shown
    absent_fields: tuple[str, ...] = ()  # in `by`, but in no event
    spilled: int = 0  # digests of ids that did not fit into memory
    top: int | None = None  # number of groups that are shown, also of those that changed; None for all
    wide: bool = False  # as requested
    checks: "CheckedCounts | None" = None
    changes: "CountComparison | None" = None

    @property
    def complete(self) -> bool:
        """Whether everything could be read."""
        return not self.problems.errors and not self.balance.has_unread

    @property
    def fields(self) -> tuple[str, ...]:
        """The names of a record's fields, in order."""
        return (*self.by, *self.total.figures())

    def summary(self) -> dict[str, object]:
        groups = len(self.counts) + self.others
        return {
            "total": self.balance.events_out,
            "groups": groups,
            **({"types": groups} if self.by == (EVENT_TYPE,) else {}),
            "first": iso(self.total.first),
            "last": iso(self.total.last),
            "rows": self.balance.rows_read,
            "rows_rejected": self.balance.rows_rejected,
            "rows_truncated": self.balance.rows_truncated,
            "events_read": self.balance.events_read,
            "events_rejected": self.balance.events_rejected,
            "duplicates": self.balance.duplicates,
            "filtered": self.balance.filtered,
            "canaries": self.balance.canaries,
            "lost": self.balance.lost,
            **{name: self.total.figures()[name] for name in OPTIONAL_FIGURES[1:] if name in self.fields},
            "problems": self.problems.total,
            "by": self.by,
            "timezone": str(self.zone),
            "receive_times": self.streaming,
            "complete": self.complete,
            "unknown_types": self.unknown_types,
        }

    def data(self) -> dict[str, object]:
        rest = {"groups": self.others, **self.rest.figures()} if self.rest else None
        return {
            "counts": [count.as_dict(self.by) for count in self.counts],
            **({"rest": rest} if rest else {}),
            **({"expectations": self.checks.as_dict(self.by)} if self.checks else {}),
            **({"comparison": self.changes.as_dict(self.by, self.top)} if self.changes else {}),
        }


_NO_TIME: Final = float("inf")

_ORDERS: Final[dict[Sort, Callable[[Count], Any]]] = {
    Sort.COUNT: lambda count: -count.count,
    Sort.NAME: lambda _count: 0,
    Sort.FIRST: lambda count: count.first.timestamp() if count.first else _NO_TIME,
    Sort.LAST: lambda count: -count.last.timestamp() if count.last else _NO_TIME,
}


def in_order(counts: Iterable[Count], sort: Sort) -> list[Count]:
    """Sort groups; equal ones by name, those without a name last."""
    counts = list(counts)
    # Keys without a missing value are compared as they are, with no list for each.
    has_missing = any(None in count.key for count in counts)
    counts.sort(key=lambda count: by_name(count.key) if has_missing else count.key)
    counts.sort(key=_ORDERS[sort])
    return counts


def by_name(key: Key) -> list[tuple[bool, str]]:
    return [(value is None, value or "") for value in key]


def together(counts: Iterable[Count], key: Key, total: int) -> Count:
    """Add up groups, of `total` events in all; how many different events and users they have together is unknown."""
    counts = tuple(counts)
    count = sum(each.count for each in counts)
    dropped = [each.duplicates for each in counts if each.duplicates is not None]
    return Count(
        key=key,
        count=count,
        share=count / total if total else 0.0,
        first=min((each.first for each in counts if each.first), default=None),
        last=max((each.last for each in counts if each.last), default=None),
        duplicates=sum(dropped) if dropped else None,
    )


def first_counts(counts: Sequence[Count], top: int | None, total: int) -> tuple[tuple[Count, ...], int, Count | None]:
    """The first groups (all if None), the number of the others, and their sum; `total` is the number of all events."""
    shown = tuple(counts[:top])
    others = counts[len(shown) :]
    return shown, len(others), together(others, (None,) * len(others[0].key), total) if others else None


def add_all_types(groups: GroupCounts, by: Sequence[Dimension], wanted: TypeGlobs) -> None:
    """Add an empty group for each type in the catalog that arrives over HTTP and has no events."""
    place = _place_of_type(by)
    found = {key[place] for key in groups.groups}
    for event_type in load().events.values():
        name = event_type.name
        if event_type.http and wanted(name) and name not in found:
            values = {EVENT_TYPE: name} | {derived: derive(name) for derived, derive in DERIVED.items()}
            groups.groups[tuple(values.get(each.name) for each in by)] = GroupStats()


def check_all_types(by: Sequence[Dimension], pivot: str | None) -> None:
    """Raise UsageError if a type without events cannot be a group of its own."""
    if all(each.kind is not DimensionKind.TYPE for each in by):
        raise UsageError("--all-types needs event_type in --by", hint="Add event_type to --by.")
    kinds = {DimensionKind.TYPE, DimensionKind.DERIVED}
    others = [each.name for each in by if each.kind not in kinds and each.name != pivot]
    if others:
        raise UsageError(
            f"--all-types and --by {others[0]} cannot be used together: a type without events has no {others[0]}",
            hint=f"Remove {others[0]} from --by, or --pivot it.",
        )


def _place_of_type(by: Sequence[Dimension]) -> int:
    return next(place for place, each in enumerate(by) if each.kind is DimensionKind.TYPE)


_NO_EVENTS: Final = GroupStats()


def counts_of(groups: GroupCounts, distinct: "DistinctStats | None") -> list[Count]:
    total, counts = groups.total, []
    for key in dict.fromkeys((*groups.groups, *distinct.duplicates)) if distinct else groups.groups:
        group = groups.groups.get(key, _NO_EVENTS)
        first = moment_of(group.first)
        count = Count(
            key=key,
            count=group.count,
            share=group.count / total if total else 0.0,
            first=first,
            last=first if group.last == group.first else moment_of(group.last),
            duplicates=distinct.duplicates[key] if distinct and distinct.dedupe else None,
            unique_events=distinct.events.in_groups[key] if distinct and distinct.unique else None,
            unique_users=distinct.users.in_groups[key] if distinct and distinct.unique else None,
        )
        counts.append(count)
    return counts


def default_sort(by: Sequence[Dimension]) -> Sort:
    """Times in their order, everything else by count."""
    return Sort.NAME if all(each.kind is DimensionKind.TIME for each in by) else Sort.COUNT


def unknown_types(keys: Iterable[Key], by: Sequence[Dimension]) -> tuple[str, ...]:
    """Types that are not in the catalog, in the order of their groups."""
    if all(each.kind is not DimensionKind.TYPE for each in by):
        return ()
    place, known = _place_of_type(by), load().events
    names = dict.fromkeys(key[place] for key in keys)
    return tuple(name for name in names if name is not None and name not in known and name != CANARY)


def absent_fields(keys: Sequence[Key], by: Sequence[Dimension]) -> tuple[str, ...]:
    """Fields that no event has: probably misspelled."""
    if not keys:
        return ()
    fields = [(place, each.name) for place, each in enumerate(by) if each.kind is DimensionKind.FIELD]
    return tuple(name for place, name in fields if all(key[place] is None for key in keys))


def nearest_dimension(name: str) -> str | None:
    """The known name most similar to a field's; None if there is none."""
    events = load().events.values()
    fields = (known for event in events for known in (*(field.name for field in event.fields), *event.known_names))
    return nearest(name.rpartition(".")[2], tuple(dict.fromkeys((*BY_NAME, *fields))), separator="_")


def pivoted(request: CountRequest, counts: Sequence[Count], by: Sequence[Dimension]) -> Pivot | None:
    """Arrange the counts of all groups as a table; None without --pivot."""
    if request.pivot is None:
        return None
    place = request.by.index(request.pivot)
    rest_by = [*by[:place], *by[place + 1 :]]
    sort = request.sort or default_sort(rest_by)
    columns = tuple(sorted({count.key[place] for count in counts if count.count}, key=lambda value: by_name((value,))))
    of_row: defaultdict[Key, list[Count]] = defaultdict(list)
    for count in counts:
        of_row[count.key[:place] + count.key[place + 1 :]].append(count)
    rows = []
    for row in in_order([together(members, key, 0) for key, members in of_row.items()], sort):
        of_column = {count.key[place]: count.count for count in of_row[row.key]}
        rows.append(PivotRow(row.key, tuple(of_column.get(column, 0) for column in columns)))
    shown = rows[: request.top]
    others = rows[len(shown) :]
    no_values = (None,) * len(rest_by)
    return Pivot(
        name=request.pivot,
        by=tuple(each.name for each in rest_by),
        columns=columns,
        rows=tuple(shown),
        others=len(others),
        rest=_sum(others, no_values, len(columns)) if others else None,
        total=_sum(rows, no_values, len(columns)),
    )


def _sum(rows: Iterable[PivotRow], key: Key, width: int) -> PivotRow:
    cells = [row.cells for row in rows]
    return PivotRow(key, tuple(map(sum, zip(*cells, strict=True))) if cells else (0,) * width)
