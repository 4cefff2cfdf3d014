"""The result of comparing what was sent with what arrived."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from msgspec import Struct

from td_currents_cli.events.times import iso, moment_of
from td_currents_cli.outcome import Balance, Outcome
from td_currents_cli.reconcile.differences import Group
from td_currents_cli.reconcile.request import Kind
from td_currents_cli.reconcile.sheaf import Tally
from td_currents_cli.reconcile.side import Depth


class SideFigures(Struct, frozen=True, kw_only=True):
    """Where everything on a side went.

    Attributes:
        ids: different ids that were compared.
        by_type: they by type, each with the type of its first event.
        tally: where the events went.
        balance: where rows and events went.
    """

    ids: int
    by_type: Counter[str | None]
    tally: Tally
    balance: Balance

    @property
    def events(self) -> int:
        """Events that were compared."""
        return self.tally.by_type.total()

    @property
    def without_id(self) -> int:
        """Events in scope that could not be compared, for want of an id."""
        return self.tally.without_id.total()

    def as_dict(self) -> dict[str, object]:
        """The machine form."""
        return {
            "rows": self.balance.rows_read,
            "rows_rejected": self.balance.rows_rejected,
            "events_read": self.balance.events_read,
            "events_rejected": self.balance.events_rejected,
            "lost": self.balance.lost,
            "filtered": self.tally.filtered,
            "too_young": self.tally.too_young,
            "without_id": self.without_id,
            "events": self.events,
            "ids": self.ids,
        }


class Difference(Struct, frozen=True):
    """All ids of one kind of difference.

    Attributes:
        groups: they by type, the largest group first.
        examples: the first of them, in the order read.
    """

    groups: Mapping[str | None, Group]
    examples: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        """How many ids there are."""
        return sum(group.count for group in self.groups.values())


class Spilled(Struct, frozen=True):
    """Fingerprints that did not fit into memory.

    Attributes:
        bytes: of them, in a temporary file.
        limit: bytes that were in memory, at most.
    """

    bytes: int
    limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconcileOutcome(Outcome):
    """What was sent and what arrived, id by id.

    Attributes:
        sent: the one side.
        ingested: the other one.
        matched: ids that are on both sides, with the same content where that is known.
        differences: by their kind, all of them.
        times: how many ids were ingested how often, where that is more than once.
        depth: what both sides know.
        unknown: ids on both sides of which a change could not be told, though that of others could.
        failed: kinds of difference there are that make the run exit with 1.
        payloads: payloads that were written to be sent again; None when nobody asked for that.
        resend: the file they are in.
        spilled: None where everything was in memory.
    """

    command: ClassVar[str] = "reconcile"

    sent: SideFigures
    ingested: SideFigures
    matched: int
    differences: Mapping[Kind, Difference]
    times: Counter[int] = field(default_factory=Counter)
    depth: Depth = Depth.CONTENT
    unknown: int = 0
    failed: tuple[Kind, ...] = ()
    payloads: int | None = None
    resend: Path | None = None
    spilled: Spilled | None = None

    @property
    def by_content(self) -> bool:
        """Whether changes could be told."""
        return self.depth is not Depth.IDS

    @property
    def balanced(self) -> bool:
        """Whether every id and every event is accounted for. If not, this program is wrong."""
        number = {kind: difference.count for kind, difference in self.differences.items()}
        return (
            self.sent.balance.balanced
            and self.ingested.balance.balanced
            and self.sent.ids == self.matched + number[Kind.CHANGED] + number[Kind.MISSING]
            and self.ingested.ids == self.matched + number[Kind.CHANGED] + number[Kind.UNEXPECTED]
            and self.ingested.events == self.ingested.ids + sum((each - 1) * n for each, n in self.times.items())
        )

    def summary(self) -> dict[str, object]:
        """Numbers of ids, in all and by type; then where the events of both sides went."""
        return {
            "sent": self.sent.ids,
            "ingested": self.ingested.ids,
            "matched": self.matched,
            **{str(kind): difference.count for kind, difference in self.differences.items()},
            "duplicated_times": {str(times): ids for times, ids in sorted(self.times.items())},
            "by_type": {name or "": self._of_type(name) for name in self._types()},
            "content_compared": self.by_content,
            "depth": self.depth.name.lower(),
            "content_unknown": self.unknown,
            "failed": self.failed,
            "sides": {"sent": self.sent.as_dict(), "ingested": self.ingested.as_dict()},
            "payloads_to_resend": self.payloads,
            "spilled_bytes": self.spilled.bytes if self.spilled else 0,
            "problems": self.problems.total,
        }

    def data(self) -> dict[str, object]:
        """The differences, each with examples, and the ids of each type."""
        return {
            "differences": [
                {
                    "kind": kind,
                    "event_type": name,
                    "count": group.count,
                    "first": iso(moment_of(group.first)),
                    "last": iso(moment_of(group.last)),
                }
                for kind, difference in self.differences.items()
                for name, group in difference.groups.items()
            ],
            "examples": {kind: difference.examples for kind, difference in self.differences.items()},
        }

    def _types(self) -> list[str | None]:
        names = {name for side in (self.sent, self.ingested) for name in side.tally.by_type}
        return sorted(names, key=lambda name: (name is None, name))

    def _of_type(self, name: str | None) -> dict[str, int]:
        groups = {
            str(kind): difference.groups.get(name, Group()).count for kind, difference in self.differences.items()
        }
        sent = self.sent.by_type[name]
        return {
            "sent": sent,
            "ingested": self.ingested.by_type[name],
            "matched": sent - groups[Kind.MISSING] - groups[Kind.CHANGED],
            **groups,
        }
