"""The result of `tdcur count`."""

from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import TYPE_CHECKING, ClassVar

from td_currents_cli.count.bins import TimeHistogram
from td_currents_cli.count.dimension import EVENT_TYPE
from td_currents_cli.count.figures import OPTIONAL_FIGURES, Count, Pivot
from td_currents_cli.events.filter import iso
from td_currents_cli.outcome import Balance, Outcome

if TYPE_CHECKING:
    from td_currents_cli.count.compare import CountComparison
    from td_currents_cli.count.expect import CheckedCounts


@dataclass(frozen=True, slots=True, kw_only=True)
class CountOutcome(Outcome):
    command: ClassVar[str] = "count"

    by: tuple[str, ...] = (EVENT_TYPE,)
    counts: tuple[Count, ...]  # the groups that are shown
    others: int = 0  # number of groups that are not shown
    rest: Count | None = None  # their sum; None if there are none
    total: Count
    balance: Balance
    zone: tzinfo = UTC  # of hours, days, weeks and months
    pivot: Pivot | None = None
    histogram: TimeHistogram | None = None
    unknown_types: tuple[str, ...] = ()  # not in the catalog, in the order shown
    absent_fields: tuple[str, ...] = ()  # in `by`, but in no event
    spilled: int = 0  # digests of ids that did not fit into memory
    checks: "CheckedCounts | None" = None
    changes: "CountComparison | None" = None

    @property
    def groups(self) -> int:
        """Number of groups, shown or not."""
        return len(self.counts) + self.others

    @property
    def fields(self) -> tuple[str, ...]:
        """The names of a record's fields, in order."""
        return (*self.by, *self.total.figures())

    def summary(self) -> dict[str, object]:
        return {
            "total": self.balance.events_out,
            "groups": self.groups,
            **({"types": self.groups} if self.by == (EVENT_TYPE,) else {}),
            "first": iso(self.total.first),
            "last": iso(self.total.last),
            "rows": self.balance.rows_read,
            "rows_rejected": self.balance.rows_rejected,
            "events_read": self.balance.events_read,
            "events_rejected": self.balance.events_rejected,
            "duplicates": self.balance.duplicates,
            "filtered": self.balance.filtered,
            "lost": self.balance.lost,
            **{name: self.total.figures()[name] for name in OPTIONAL_FIGURES[1:] if name in self.fields},
            "problems": self.problems.total,
            "by": self.by,
            "timezone": str(self.zone),
            "unknown_types": self.unknown_types,
        }

    def data(self) -> dict[str, object]:
        rest = {"groups": self.others, **self.rest.figures()} if self.rest else None
        return {
            "counts": [count.as_dict(self.by) for count in self.counts],
            **({"rest": rest} if rest else {}),
            **({"expectations": self.checks.as_dict(self.by)} if self.checks else {}),
            **({"comparison": self.changes.as_dict(self.by)} if self.changes else {}),
        }
