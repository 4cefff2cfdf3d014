"""The two sides of a comparison."""

from collections import Counter
from collections.abc import Generator, Sequence
from dataclasses import KW_ONLY, dataclass
from enum import IntEnum, StrEnum
from pathlib import Path
from typing import Protocol

from msgspec import Struct, field, structs

from td_currents_cli.errors import UsageError
from td_currents_cli.outcome import Balance, Problems
from td_currents_cli.read.sources import InputProgress
from td_currents_cli.reconcile.fingerprints import (
    EVERY_EVENT,
    MEMORY_LIMIT,
    Bitmap,
    BloomFilter,
    EventCounts,
    EventInfo,
    FingerprintBatch,
    TimeScope,
)


class Depth(IntEnum):
    """How much of its events a side knows; two sides are compared by the lesser depth.

    OUTLINE is the part of the content that `content_hash.outline` covers, CONTENT is all of it.
    """

    IDS = 0
    OUTLINE = 1
    CONTENT = 2


class CompareMode(Struct, frozen=True):
    """How contents are compared: up to `depth`, first by digests of the events as written.

    Events whose digests differ are suspects: they alone are compared again, by what they contain. If only one side is
    `exported`, no event is written in the same way on both, and all are compared by what they contain at once.
    """

    depth: Depth
    suspects: BloomFilter | None = None
    streaming: bool = False  # rows of the streaming connector are among them: compared by what such a row keeps
    exported: bool = False  # events of Braze's export are among them: compared by what it has in common with HTTP
    expect_anonymous: bool = False  # events of its users without an external id must arrive, too
    per_id: bool = False  # so is the scope: such a row has no event time, so that the other side's decides for its id


class SourceNames(Struct):
    """Which sources could be read, and which could not."""

    read: set[str] = field(default_factory=set)  # at least one row of them
    failed: set[str] = field(default_factory=set)  # at least one row could not be read, or none was recognized
    truncated: set[str] = field(default_factory=set)  # could not be read to their end
    streaming: bool = False  # rows of the streaming connector are among them
    exported: bool = False  # events of Braze's export are among them
    left_out: bool = False  # files of a folder were left out

    def add(self, other: "SourceNames") -> None:
        self.read |= other.read
        self.failed |= other.failed
        self.truncated |= other.truncated
        self.streaming |= other.streaming
        self.exported |= other.exported
        self.left_out |= other.left_out

    @property
    def unreadable(self) -> set[str]:
        """Sources that could not be read at all, or not to their end."""
        return (self.failed - self.read) | self.truncated


class SideChunk(Struct, frozen=True):
    batches: list[FingerprintBatch]
    counts: EventCounts
    balance: Balance = Balance()
    problems: Problems = Problems()  # located in the whole source
    sources: SourceNames = field(default_factory=SourceNames)


class SideFigures(Struct, kw_only=True):
    """Where the ids, events and rows of a side went."""

    ids: int = 0  # different ids that were compared
    by_type: Counter[str | None] = field(default_factory=Counter)  # the ids by the type of their first event
    times: Counter[int] = field(default_factory=Counter)  # number of ids by how often they occur, if repeatedly
    counts: EventCounts = field(default_factory=EventCounts)
    balance: Balance = Balance()
    sources: SourceNames = field(default_factory=SourceNames)
    spilled: int = 0  # bytes of fingerprints that did not fit into memory

    @property
    def unread(self) -> dict[str, int]:
        """What could not be read, completely or at all; empty if everything could."""
        balance = self.balance
        numbers = {
            "row": balance.rows_rejected + balance.rows_truncated,
            "event": balance.events_rejected,
            "source": len(self.sources.unreadable),
        }
        return {what: number for what, number in numbers.items() if number}

    @property
    def events(self) -> int:
        return self.counts.by_type.total()

    def leave_out(self, events: Sequence[EventInfo]) -> None:
        """Record that events that were counted as compared are out of scope."""
        left = Counter(info.event_type for info in events)
        self.by_type -= left
        self.counts.by_type -= left
        self.counts.filtered += len(events)
        balance = self.balance
        self.balance = structs.replace(
            balance, events_out=balance.events_out - len(events), filtered=balance.filtered + len(events)
        )

    def add_repeated(self, infos: Sequence[EventInfo]) -> None:
        """Record the events of an id that may have several."""
        if len(infos) > 1:
            self.by_type.subtract(info.event_type for info in infos[1:])
            self.times[len(infos)] += 1

    def as_dict(self) -> dict[str, object]:
        return {
            "rows": self.balance.rows_read,
            "rows_rejected": self.balance.rows_rejected,
            "rows_truncated": self.balance.rows_truncated,
            "events_read": self.balance.events_read,
            "events_rejected": self.balance.events_rejected,
            "lost": self.balance.lost,
            "unreadable_sources": len(self.sources.unreadable),
            "files_left_out": self.sources.left_out,
            "filtered": self.counts.filtered,
            "too_young": self.counts.too_young,
            "canaries": self.counts.canaries,
            "without_id": self.counts.without_id,
            "events": self.events,
            "ids": self.ids,
        }


class FetchedEvent(Struct, frozen=True):
    """An event that was read again."""

    position: int  # counted from 0 in the order read
    event_id: str
    event: bytes | None = None  # None for a side that has only ids


class Side(Protocol):
    """Events whose ids are all known."""

    @property
    def depth(self) -> Depth:
        """What is known of the events. Raises TdcurError if a table cannot be queried."""

    @property
    def streaming(self) -> bool:
        """Whether it is known, before it is read, that rows of the streaming connector are among them."""

    @property
    def exported(self) -> bool:
        """Whether it seems, before it is read, that events of Braze's export are among them."""

    def chunks(self, scope: TimeScope, mode: CompareMode) -> Generator[SideChunk]:
        """The fingerprints of all events in scope, in bounded chunks. Raises TdcurError if they cannot be read."""

    def fetch_again(self, marked: Bitmap) -> Generator[FetchedEvent]:
        """The events at the marked positions, in order. Called after `chunks` was read to its end."""

    def reads(self, path: Path) -> bool:
        """Whether a file is one of the inputs."""

    def close(self) -> None:
        """Release temporary files."""


class DiffKind(StrEnum):
    """How the two sides can differ for an id."""

    MISSING = "missing"
    CHANGED = "changed"
    UNEXPECTED = "unexpected"
    DUPLICATED = "duplicated"


FAILURES = frozenset({DiffKind.MISSING, DiffKind.CHANGED})
"""Differences that always make a run exit with 1."""


@dataclass(frozen=True, slots=True)
class ReconcileRequest:
    sent: Side
    ingested: Side
    _: KW_ONLY
    scope: TimeScope = EVERY_EVENT
    resend: Path | None = None  # file for payloads with the missing events
    ids: Path | None = None  # file for the missing ids
    force: bool = False  # write these files even if ingested rows could not be read
    show: int = 0  # number of example ids per kind of difference
    fail_on: frozenset[DiffKind] = FAILURES
    expect_anonymous: bool = False  # events of users without an external id in Braze's export must arrive, too
    limit: int = MEMORY_LIMIT
    progress: InputProgress | None = None


def failing(names: Sequence[str]) -> frozenset[DiffKind]:
    """The differences that make a run fail, including those that `--fail-on` adds, separated by commas.

    Raises:
        UsageError: there is no such difference.
    """
    kinds = set(FAILURES)
    for name in (part.strip() for text in names for part in text.split(",")):
        if name not in list(DiffKind):
            raise UsageError(
                f"--fail-on: `{name}` is not a kind of difference", hint="Give unexpected, duplicated, or both."
            )
        kinds.add(DiffKind(name))
    return frozenset(kinds)
