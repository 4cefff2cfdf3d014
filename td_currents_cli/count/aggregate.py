"""Counts the events in records; runs in each worker process."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import tzinfo
from itertools import compress
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from td_currents_cli.count.dimensions import Key, SourceEvents, dimensions
from td_currents_cli.count.projection import Projection
from td_currents_cli.events.decode import EventReader
from td_currents_cli.events.filter import EventFilter, Filter, UsableTimes
from td_currents_cli.model import Batch, Record
from td_currents_cli.outcome import Balance, Problems
from td_currents_cli.read.lines import LineChunk

if TYPE_CHECKING:
    from td_currents_cli.count.distinct import Distinct


COARSENING: Final = 4
MAX_BINS: Final = 512  # from the first to the last time; beyond it, bins are made wider


class TimeHistogram:
    """Event counts by group and time, in bins whose width (in seconds) grows with the period.

    A bin's number is its time divided by the width.
    """

    def __init__(self) -> None:
        self.width = 1
        self.counts: dict[Key, Counter[int]] = {}
        self.first = 0
        self.last = -1

    def add(self, key: Key, numbers: Mapping[int, int]) -> None:
        """Add numbers of events by time, in whole UNIX seconds."""
        if not numbers:
            return
        first, last = min(numbers) // self.width, max(numbers) // self.width
        self.first, self.last = (min(first, self.first), max(last, self.last)) if self.counts else (first, last)
        while self.last - self.first >= MAX_BINS:
            self._coarsen()
        bins = self.counts.setdefault(key, Counter())
        for time, number in numbers.items():
            bins[time // self.width] += number

    def merge(self, other: "TimeHistogram") -> None:
        """Add the counts of another histogram."""
        while self.width < other.width:
            self._coarsen()
        for key, bins in other.counts.items():
            self.add(key, {place * other.width: number for place, number in bins.items()})

    def heights(self, key: Key, columns: int) -> list[int]:
        """A group's events in up to `columns` equal periods, from the first to the last event of all groups."""
        if not self.counts:
            return []
        span = self.last - self.first + 1
        heights = [0] * min(columns, span)
        for place, number in self.counts.get(key, Counter()).items():
            heights[(place - self.first) * len(heights) // span] += number
        return heights

    def _coarsen(self) -> None:
        """Join each COARSENING bins into one."""
        self.width *= COARSENING
        self.first //= COARSENING
        self.last //= COARSENING
        for key, counts in self.counts.items():
            coarser: Counter[int] = Counter()
            for place, number in counts.items():
                coarser[place // COARSENING] += number
            self.counts[key] = coarser


class GroupStats(Struct, gc=False):
    count: int = 0
    first: float | None = None  # earliest usable time in UNIX seconds
    last: float | None = None

    def add(self, count: int, first: float | None, last: float | None) -> None:
        """Count events, given their earliest and latest time."""
        self.count += count
        if first is not None and (self.first is None or first < self.first):
            self.first = first
        if last is not None and (self.last is None or last > self.last):
            self.last = last


class GroupCounts:
    def __init__(self, *, over_time: bool = False) -> None:
        self.groups = defaultdict[Key, GroupStats](GroupStats)
        self.histogram = TimeHistogram() if over_time else None

    @property
    def total(self) -> int:
        return sum(group.count for group in self.groups.values())

    def add(self, columns: Sequence[Sequence[str | None]], times: Sequence[Any]) -> None:
        """Count events, given their values of each dimension, a column each, and their times, usable or not."""
        # Strings are far cheaper to group by than tuples of them.
        single = len(columns) == 1
        keys: Iterable[Any] = columns[0] if single else zip(*columns, strict=True)
        times_of: defaultdict[Any, list[Any]] = defaultdict(list)
        for value, time in zip(keys, times, strict=True):
            times_of[value].append(time)
        for value, found in times_of.items():
            key = (value,) if single else value
            usable = UsableTimes.of(found)
            self.groups[key].add(len(found), usable.first, usable.last)
            if self.histogram is not None:
                self.histogram.add(key, Counter(map(int, usable.times)))

    def merge(self, other: "GroupCounts") -> None:
        for key, group in other.groups.items():
            self.groups[key].add(group.count, group.first, group.last)
        if self.histogram is not None and other.histogram is not None:
            self.histogram.merge(other.histogram)


GROUPED_EVENTS: Final = 16_384
"""Events that are grouped together, so that what is done once for all of them costs next to nothing."""

TYPE_AND_TIME: Final = (("event_type",), ("time",))
IDS: Final = (("id",),)
USERS: Final = (
    *(("user", "user_id"), ("user_id",), ("user_user_id",)),
    *(("user", "external_user_id"), ("external_user_id",), ("user_external_user_id",)),
)
"""Braze's own id of a user, which all have, else the customer's: in events, flat events, and flat rows."""


class PartialCount(Struct):
    groups: GroupCounts
    balance: Balance
    problems: Problems
    streaming: bool = False  # rows of the streaming connector are among the events: their times are receive times
    also: Sequence[GroupCounts] = ()  # the same events by each of the names that they are counted by separately


class EventCounter:
    """Counts the events in the records of one source, or part of one, per call."""

    def __init__(
        self,
        by: Sequence[str],
        zone: tzinfo,
        wanted: Filter,
        *,
        also: Sequence[str] = (),
        over_time: bool = False,
        distinct: "Distinct | None" = None,
    ) -> None:
        found, separate = dimensions(by), [dimension for name in also for dimension in dimensions([name])]
        paths = [path for dimension in (*found, *separate) for path in dimension.paths]
        self._over_time = over_time
        self._projection = Projection([*TYPE_AND_TIME, *paths, *((*IDS, *USERS) if distinct else ())])
        self._columns = [dimension.reader(self._projection, zone) for dimension in found]
        self._also = [dimension.reader(self._projection, zone) for dimension in separate]
        self._filter = EventFilter(wanted)
        self._distinct = distinct
        if distinct:
            self._ids, self._users = self._projection.column(IDS), self._projection.column(USERS)

    def __call__(self, records: Iterable[Record]) -> PartialCount:
        intake = EventReader()
        return self._counted(_many(intake.events(records, self._projection)), intake)

    def fast(self, chunks: Iterable[LineChunk]) -> PartialCount:
        """Count the events in lines of one source. Raises IrregularError."""
        intake, source, events = EventReader(), "", list[Any]()
        for chunk in chunks:
            source = chunk.source
            events += intake.events_of_lines(chunk, self._projection.of_lines)
        return self._counted([(source, events, False)], intake)

    def _counted(self, chunks: Iterable[tuple[str, list[Any], bool]], intake: EventReader) -> PartialCount:
        groups, also = GroupCounts(over_time=self._over_time), [GroupCounts() for _ in self._also]
        filtered = duplicates = counted = 0
        canaries_before = self._filter.canaries
        streaming = False
        for source, decoded, of_rows in chunks:
            streaming |= of_rows
            types = [event.event_type for event in decoded]
            events = self._filter.filter(decoded, types)
            if events is not decoded:
                types = [event.event_type for event in events]
                filtered += len(decoded) - len(events)
            times = [event.time for event in events]
            chunk = SourceEvents(events, types, times, source)
            columns = [column(chunk) for column in self._columns]
            separate = [column(chunk) for column in self._also]
            if self._distinct:
                keys = list(zip(*columns, strict=True))
                first_seen = self._distinct.add(self._ids(events), self._users(events), keys)
                columns, separate = (
                    [list(compress(column, first_seen)) for column in each] for each in (columns, separate)
                )
                times = list(compress(times, first_seen))
            groups.add(columns, times)
            for each, column in zip(also, separate, strict=True):
                each.add([column], times)
            counted += len(times)
            duplicates += len(events) - len(times)
        canaries = self._filter.canaries - canaries_before
        balance = intake.balance(events_out=counted, duplicates=duplicates, filtered=filtered, canaries=canaries)
        return PartialCount(groups, balance, intake.log.result(), streaming, also)


def _many(batches: Iterable[tuple[Batch, list[Any]]]) -> Iterator[tuple[str, list[Any], bool]]:
    """Yield the events of the batches of a source, GROUPED_EVENTS or more at a time.

    With them come the name of the source, and whether rows of the streaming connector are among its batches.
    """
    source, events, streaming = "", list[Any](), False
    for batch, of_batch in batches:
        source = batch.location.source
        streaming |= batch.is_streaming
        events += of_batch
        if len(events) >= GROUPED_EVENTS:
            yield source, events, streaming
            events = []
    yield source, events, streaming
