"""The result of `tdcur reconcile`."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from msgspec import Struct, field

from td_currents_cli.events.filter import iso, moment_of
from td_currents_cli.outcome import Outcome
from td_currents_cli.reconcile.compare import DiffGroup
from td_currents_cli.reconcile.fingerprints import MEMORY_LIMIT
from td_currents_cli.reconcile.side import Depth, DiffKind, SideFigures


class Difference(Struct, frozen=True):
    """All ids with one kind of difference."""

    groups: Mapping[str | None, DiffGroup]  # by type, the largest first
    examples: tuple[str, ...] = ()  # the first ids, in the order read

    @property
    def count(self) -> int:
        return sum(group.count for group in self.groups.values())


class ReconcileOutcome(Outcome, frozen=True, kw_only=True):
    command: ClassVar[str] = "reconcile"

    sent: SideFigures
    ingested: SideFigures
    matched: int  # ids on both sides whose content is the same, if known
    differences: Mapping[DiffKind, Difference]  # all kinds
    depth: Depth = Depth.CONTENT
    streaming: bool = False  # events were compared with rows of the streaming connector
    per_id: bool = False  # the scope of the streaming connector's rows was that of their ids on the other side
    unknown: int = 0  # ids on both sides whose contents could not be compared, though others' could
    anonymous: Counter[str | None] = field(default_factory=Counter)  # sent ids that Braze does not send, by type
    failed: tuple[DiffKind, ...] = ()  # differences that make the run exit with 1
    payloads: int | None = None  # written to `resend`; None without it
    resend: Path | None = None
    withheld: tuple[Path, ...] = ()  # files not written, because ingested rows could not be read
    limit: int = MEMORY_LIMIT  # bytes of fingerprints in memory

    @property
    def by_content(self) -> bool:
        """Whether contents were compared."""
        return self.depth is not Depth.IDS

    @property
    def expected(self) -> int:
        """Sent ids that have to arrive, or did."""
        return self.sent.ids - self.anonymous.total()

    @property
    def spilled(self) -> int:
        """Bytes of fingerprints that did not fit into memory."""
        return self.sent.spilled + self.ingested.spilled

    @property
    def balanced(self) -> bool:
        """Whether every id and every event is accounted for. If not, it is a defect of tdcur."""
        number = {kind: difference.count for kind, difference in self.differences.items()}
        sent, ingested, repeated = self.sent, self.ingested, self.ingested.times.items()
        return (
            sent.balance.balanced
            and ingested.balance.balanced
            and sent.ids == self.matched + number[DiffKind.CHANGED] + number[DiffKind.MISSING] + self.anonymous.total()
            and ingested.ids == self.matched + number[DiffKind.CHANGED] + number[DiffKind.UNEXPECTED]
            and ingested.events == ingested.ids + sum((times - 1) * ids for times, ids in repeated)
        )

    def summary(self) -> dict[str, object]:
        types = {name for side in (self.sent, self.ingested) for name in side.counts.by_type}
        return {
            "sent": self.sent.ids,
            "ingested": self.ingested.ids,
            "matched": self.matched,
            **{str(kind): difference.count for kind, difference in self.differences.items()},
            "anonymous": self.anonymous.total(),
            "unreadable": {f"{what}s": self.ingested.unread.get(what, 0) for what in ("row", "event", "source")},
            "duplicated_times": {str(times): ids for times, ids in sorted(self.ingested.times.items())},
            "by_type": {
                name or "": self.of_type(name) for name in sorted(types, key=lambda name: (name is None, name))
            },
            "content_compared": self.by_content,
            "depth": self.depth.name.lower(),
            "streaming_rows": self.streaming,
            "content_unknown": self.unknown,
            "failed": self.failed,
            "sides": {"sent": self.sent.as_dict(), "ingested": self.ingested.as_dict()},
            "payloads_to_resend": self.payloads,
            "files_not_written": [str(path) for path in self.withheld],
            "spilled_bytes": self.spilled,
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

    def of_type(self, name: str | None) -> dict[str, int]:
        """The numbers of ids of one event type."""
        number = {
            str(kind): difference.groups.get(name, DiffGroup()).count for kind, difference in self.differences.items()
        }
        sent = self.sent.by_type[name]
        return {
            "sent": sent,
            "ingested": self.ingested.by_type[name],
            "matched": sent - number[DiffKind.MISSING] - number[DiffKind.CHANGED] - self.anonymous[name],
            **number,
            "anonymous": self.anonymous[name],
        }
