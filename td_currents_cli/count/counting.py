"""From records to a tally: what each process does for the parts of the input it reads."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import tzinfo
from itertools import compress
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from td_currents_cli.count.dimension import Keys, Slice, dimensions
from td_currents_cli.count.projection import Projection
from td_currents_cli.count.tally import Tally
from td_currents_cli.events.filter import Filter, Sieve
from td_currents_cli.events.stream import Intake
from td_currents_cli.events.times import all_usable, usable_seconds
from td_currents_cli.model import Batch, Record
from td_currents_cli.outcome import Balance, Problems

if TYPE_CHECKING:
    from td_currents_cli.count.distinct import Distinct

AT_ONCE: Final = 16_384
"""Events that are grouped together, so that what is done once for all of them costs next to nothing."""

ENVELOPE: Final = (("event_type",), ("time",))
IDS: Final = (("id",),)
USERS: Final = (
    *(("user", "user_id"), ("user_id",), ("user_user_id",)),
    *(("user", "external_user_id"), ("external_user_id",), ("user_external_user_id",)),
)
"""Braze's own id of a user, which all have, else the customer's: in events, flat events, and flat rows."""


class Plan(Struct, frozen=True, kw_only=True):
    """What every process is told.

    Attributes:
        by: names of what to count by.
        zone: the time zone of hours, days, weeks and months.
        wanted: which events are counted.
        over_time: whether to keep counts over time.
    """

    by: tuple[str, ...]
    zone: tzinfo
    wanted: Filter
    over_time: bool = False


class Counted(Struct):
    """What came of a part of the input.

    Attributes:
        tally: the counts.
        balance: where its rows and events went.
        problems: what was wrong with it.
    """

    tally: Tally
    balance: Balance
    problems: Problems


class Counting:
    """Counts the events in the records of one source after another, or of parts of them.

    Args:
        plan: how.
        distinct: remembers ids and users from one call to the next, where that is wanted.
    """

    def __init__(self, plan: Plan, distinct: "Distinct | None" = None) -> None:
        by = dimensions(plan.by)
        paths = [path for dimension in by for path in dimension.paths]
        self._plan = plan
        self._projection = Projection([*ENVELOPE, *paths, *((*IDS, *USERS) if distinct else ())])
        self._columns = [dimension.keys(self._projection, plan.zone) for dimension in by]
        self._sieve = Sieve(plan.wanted)
        self._distinct = distinct
        if distinct:
            self._ids, self._users = self._projection.column(IDS), self._projection.column(USERS)

    def __call__(self, records: Iterable[Record], source: str) -> Counted:
        """Count the events in some records.

        Args:
            records: of one source.
            source: its name.
        """
        intake, tally = Intake(), Tally(over_time=self._plan.over_time)
        filtered = duplicates = counted = 0
        for events in _many(intake.events(records, self._projection)):
            some = _slice(self._sieve.sift(events), source)
            columns = [column(some) for column in self._columns]
            kept = self._kept(some, columns)
            if kept is None:
                tally.add(columns, some.times)
                counted += len(some.events)
            else:
                tally.add([list(compress(column, kept)) for column in columns], list(compress(some.times, kept)))
                counted += sum(kept)
                duplicates += len(kept) - sum(kept)
            filtered += len(events) - len(some.events)
        balance = intake.balance(events_out=counted, duplicates=duplicates, filtered=filtered)
        return Counted(tally, balance, intake.log.result())

    def _kept(self, some: Slice, columns: Sequence[Keys]) -> list[bool] | None:
        """For each event whether it is no duplicate; None where that does not matter."""
        if self._distinct is None:
            return None
        keys = list(zip(*columns, strict=True))
        return self._distinct.sift(self._ids(some.events), self._users(some.events), keys)


def _many(batches: Iterable[tuple[Batch, list[Any]]]) -> Iterator[list[Any]]:
    """The events of batches, a good number at a time."""
    events: list[Any] = []
    for _batch, of_batch in batches:
        events += of_batch
        if len(events) >= AT_ONCE:
            yield events
            events = []
    yield events


def _slice(events: list[Any], source: str) -> Slice:
    times = [event.time for event in events]
    usable = all_usable(times)
    return Slice(events, [usable_seconds(time) for time in times] if usable is None else usable, source)
