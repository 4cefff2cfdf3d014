"""Counts the events in records; runs in each worker process."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import tzinfo
from itertools import compress
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from td_currents_cli.count.dimension import SourceEvents, dimensions
from td_currents_cli.count.projection import Projection
from td_currents_cli.count.tally import GroupCounts
from td_currents_cli.events.decode import EventReader
from td_currents_cli.events.filter import EventFilter, Filter, all_usable, usable_seconds
from td_currents_cli.model import Batch, Record
from td_currents_cli.outcome import Balance, Problems

if TYPE_CHECKING:
    from td_currents_cli.count.distinct import Distinct

GROUPED_EVENTS: Final = 16_384
"""Events that are grouped together, so that what is done once for all of them costs next to nothing."""

TYPE_AND_TIME: Final = (("event_type",), ("time",))
IDS: Final = (("id",),)
USERS: Final = (
    *(("user", "user_id"), ("user_id",), ("user_user_id",)),
    *(("user", "external_user_id"), ("external_user_id",), ("user_external_user_id",)),
)
"""Braze's own id of a user, which all have, else the customer's: in events, flat events, and flat rows."""


class CounterConfig(Struct, frozen=True, kw_only=True):
    """What every worker process needs to know."""

    by: tuple[str, ...]
    zone: tzinfo
    wanted: Filter
    over_time: bool = False


class PartialCount(Struct):
    groups: GroupCounts
    balance: Balance
    problems: Problems


class EventCounter:
    """Counts the events in the records of one source, or part of one, per call."""

    def __init__(self, config: CounterConfig, distinct: "Distinct | None" = None) -> None:
        by = dimensions(config.by)
        paths = [path for dimension in by for path in dimension.paths]
        self._over_time = config.over_time
        self._projection = Projection([*TYPE_AND_TIME, *paths, *((*IDS, *USERS) if distinct else ())])
        self._columns = [dimension.reader(self._projection, config.zone) for dimension in by]
        self._filter = EventFilter(config.wanted)
        self._distinct = distinct
        if distinct:
            self._ids, self._users = self._projection.column(IDS), self._projection.column(USERS)

    def __call__(self, records: Iterable[Record]) -> PartialCount:
        intake, groups = EventReader(), GroupCounts(over_time=self._over_time)
        filtered = duplicates = counted = 0
        for source, decoded in _many(intake.events(records, self._projection)):
            events = self._filter.filter(decoded)
            filtered += len(decoded) - len(events)
            times = [event.time for event in events]
            usable: Sequence[float | None] = all_usable(times) or [usable_seconds(time) for time in times]
            chunk = SourceEvents(events, usable, source)
            columns = [column(chunk) for column in self._columns]
            if self._distinct is None:
                groups.add(columns, usable)
                counted += len(events)
                continue
            keys = list(zip(*columns, strict=True))
            first_seen = self._distinct.add(self._ids(events), self._users(events), keys)
            groups.add([list(compress(column, first_seen)) for column in columns], list(compress(usable, first_seen)))
            counted += sum(first_seen)
            duplicates += len(first_seen) - sum(first_seen)
        balance = intake.balance(events_out=counted, duplicates=duplicates, filtered=filtered)
        return PartialCount(groups, balance, intake.log.result())


def _many(batches: Iterable[tuple[Batch, list[Any]]]) -> Iterator[tuple[str, list[Any]]]:
    """Yield the events of the batches of a source, GROUPED_EVENTS or more at a time, with its name."""
    source, events = "", list[Any]()
    for batch, of_batch in batches:
        source = batch.location.source
        events += of_batch
        if len(events) >= GROUPED_EVENTS:
            yield source, events
            events = []
    yield source, events
