"""The result of `tdcur reconcile`."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from msgspec import Struct

from td_currents_cli.events.filter import iso, moment_of
from td_currents_cli.outcome import Balance, Outcome
from td_currents_cli.reconcile.compare import DiffGroup
from td_currents_cli.reconcile.fingerprints import EventCounts
from td_currents_cli.reconcile.side import Depth, DiffKind


class SideFigures(Struct, frozen=True, kw_only=True):
    """Where the ids, events and rows of a side went."""

    ids: int  # different ids that were compared
    by_type: Counter[str | None]  # the ids by the type of their first event
    counts: EventCounts
    balance: Balance
    unreadable: int  # sources that could not be read at all, or not to their end
    left_out: bool  # whether files of a folder were left out

    @property
    def unread(self) -> dict[str, int]:
        """What could not be read, completely or at all; empty if everything could."""
        balance = self.balance
        numbers = {"row": balance.rows_rejected + balance.lost, "event": balance.events_rejected}
        return {what: number for what, number in (numbers | {"source": self.unreadable}).items() if number}

    @property
    def events(self) -> int:
        return self.counts.by_type.total()

    @property
    def without_id(self) -> int:
        """Events in scope that could not be compared because they have no id."""
        return self.counts.without_id.total()

    def as_dict(self) -> dict[str, object]:
        return {
            "rows": self.balance.rows_read,
            "rows_rejected": self.balance.rows_rejected,
            "events_read": self.balance.events_read,
            "events_rejected": self.balance.events_rejected,
            "lost": self.balance.lost,
            "unreadable_sources": self.unreadable,
            "files_left_out": self.left_out,
            "filtered": self.counts.filtered,
            "too_young": self.counts.too_young,
            "without_id": self.without_id,
            "events": self.events,
            "ids": self.ids,
        }


class Difference(Struct, frozen=True):
    """All ids with one kind of difference."""

    groups: Mapping[str | None, DiffGroup]  # by type, the largest first
    examples: tuple[str, ...] = ()  # the first ids, in the order read

    @property
    def count(self) -> int:
        return sum(group.count for group in self.groups.values())


class Spilled(Struct, frozen=True):
    """Fingerprints that did not fit into memory."""

    bytes: int  # in a temporary file
    limit: int  # of bytes in memory


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconcileOutcome(Outcome):
    command: ClassVar[str] = "reconcile"

    sent: SideFigures
    ingested: SideFigures
    matched: int  # ids on both sides whose content is the same, if known
    differences: Mapping[DiffKind, Difference]  # all kinds
    times: Counter[int] = field(default_factory=Counter)  # number of ids by how often they were ingested, if repeatedly
    depth: Depth = Depth.CONTENT
    streaming: bool = False  # events were compared with rows of the streaming connector
    unknown: int = 0  # ids on both sides whose contents could not be compared, though others' could
    failed: tuple[DiffKind, ...] = ()  # differences that make the run exit with 1
    payloads: int | None = None  # written to `resend`; None without it
    resend: Path | None = None
    withheld: tuple[Path, ...] = ()  # files not written, because ingested rows could not be read
    spilled: Spilled | None = None  # None if all fingerprints were in memory

    @property
    def by_content(self) -> bool:
        """Whether contents were compared."""
        return self.depth is not Depth.IDS

    @property
    def balanced(self) -> bool:
        """Whether every id and every event is accounted for. If not, it is a defect of tdcur."""
        number = {kind: difference.count for kind, difference in self.differences.items()}
        return (
            self.sent.balance.balanced
            and self.ingested.balance.balanced
            and self.sent.ids == self.matched + number[DiffKind.CHANGED] + number[DiffKind.MISSING]
            and self.ingested.ids == self.matched + number[DiffKind.CHANGED] + number[DiffKind.UNEXPECTED]
            and self.ingested.events == self.ingested.ids + sum((each - 1) * n for each, n in self.times.items())
        )

    def summary(self) -> dict[str, object]:
        types = {name for side in (self.sent, self.ingested) for name in side.counts.by_type}
        return {
            "sent": self.sent.ids,
            "ingested": self.ingested.ids,
            "matched": self.matched,
            **{str(kind): difference.count for kind, difference in self.differences.items()},
            "unreadable": {f"{what}s": self.ingested.unread.get(what, 0) for what in ("row", "event", "source")},
            "duplicated_times": {str(times): ids for times, ids in sorted(self.times.items())},
            "by_type": {
                name or "": self._of_type(name) for name in sorted(types, key=lambda name: (name is None, name))
            },
            "content_compared": self.by_content,
            "depth": self.depth.name.lower(),
            "streaming_rows": self.streaming,
            "content_unknown": self.unknown,
            "failed": self.failed,
            "sides": {"sent": self.sent.as_dict(), "ingested": self.ingested.as_dict()},
            "payloads_to_resend": self.payloads,
            "files_not_written": [str(path) for path in self.withheld],
            "spilled_bytes": self.spilled.bytes if self.spilled else 0,
            "problems": self.problems.total,
        }

    def data(self) -> dict[str, object]:
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

    def _of_type(self, name: str | None) -> dict[str, int]:
        number = {
            str(kind): difference.groups.get(name, DiffGroup()).count for kind, difference in self.differences.items()
        }
        sent = self.sent.by_type[name]
        return {
            "sent": sent,
            "ingested": self.ingested.by_type[name],
            "matched": sent - number[DiffKind.MISSING] - number[DiffKind.CHANGED],
            **number,
        }
