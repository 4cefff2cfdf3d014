"""The result of counting."""

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING, ClassVar

from td_currents_cli.count.bins import Bins
from td_currents_cli.count.dimension import EVENT_TYPE
from td_currents_cli.count.figures import ASKED, Count
from td_currents_cli.events.times import iso
from td_currents_cli.outcome import Balance, Outcome

if TYPE_CHECKING:
    from td_currents_cli.count.compare import Changes
    from td_currents_cli.count.expect import Checks
    from td_currents_cli.count.pivot import Pivot


@dataclass(frozen=True, slots=True, kw_only=True)
class CountOutcome(Outcome):
    """Counts in the order that was asked for.

    Attributes:
        by: names of what was counted by.
        counts: the groups that are shown.
        others: how many groups are not shown by themselves.
        rest: they as one group; None when there are none.
        total: all events as one group.
        balance: where every row and event went.
        zone: time zone of hours, days, weeks and months.
        pivot: the counts with the values of one of `by` as columns, where that was asked for.
        bins: counts over time, where they were wanted.
        unknown_types: types that the catalogue does not have, in the order shown.
        absent_fields: fields among `by` that no event has.
        spilled: digests of ids that did not fit into memory.
        checks: the counts beside those that were expected.
        changes: the counts beside those of an earlier run.
    """

    command: ClassVar[str] = "count"

    by: tuple[str, ...] = (EVENT_TYPE,)
    counts: tuple[Count, ...]
    others: int = 0
    rest: Count | None = None
    total: Count
    balance: Balance
    zone: tzinfo = UTC
    pivot: "Pivot | None" = None
    bins: Bins | None = None
    unknown_types: tuple[str, ...] = ()
    absent_fields: tuple[str, ...] = ()
    spilled: int = 0
    checks: "Checks | None" = None
    changes: "Changes | None" = None

    @property
    def first(self) -> datetime | None:
        """Earliest time of all."""
        return self.total.first

    @property
    def last(self) -> datetime | None:
        """Latest time of all."""
        return self.total.last

    @property
    def groups(self) -> int:
        """How many groups there are, shown or not."""
        return len(self.counts) + self.others

    @property
    def fields(self) -> tuple[str, ...]:
        """The names of a record's fields, in their order."""
        return (*self.by, *self.total.figures())

    def summary(self) -> dict[str, object]:
        """Totals and the balance."""
        return {
            "total": self.balance.events_out,
            "groups": self.groups,
            **({"types": self.groups} if self.by == (EVENT_TYPE,) else {}),
            "first": iso(self.first),
            "last": iso(self.last),
            "rows": self.balance.rows_read,
            "rows_rejected": self.balance.rows_rejected,
            "events_read": self.balance.events_read,
            "events_rejected": self.balance.events_rejected,
            "duplicates": self.balance.duplicates,
            "filtered": self.balance.filtered,
            "lost": self.balance.lost,
            **{name: self.total.figures()[name] for name in ASKED[1:] if name in self.fields},
            "problems": self.problems.total,
            "by": self.by,
            "timezone": str(self.zone),
            "unknown_types": self.unknown_types,
        }

    def data(self) -> dict[str, object]:
        """The counts themselves, what was left out of them, and what they were compared with."""
        rest = {"groups": self.others, **self.rest.figures()} if self.rest else None
        return {
            "counts": [count.as_dict(self.by) for count in self.counts],
            **({"rest": rest} if rest else {}),
            **({"expectations": self.checks.as_dict(self.by)} if self.checks else {}),
            **({"comparison": self.changes.as_dict(self.by)} if self.changes else {}),
        }
