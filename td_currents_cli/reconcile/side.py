"""The two sides of a comparison."""

from collections.abc import Generator, Sequence
from dataclasses import KW_ONLY, dataclass
from enum import IntEnum, StrEnum
from pathlib import Path
from typing import Protocol

from msgspec import Struct, field

from td_currents_cli.errors import UsageError
from td_currents_cli.outcome import Balance, Problems
from td_currents_cli.reconcile.fingerprints import (
    EVERY_EVENT,
    MEMORY_LIMIT,
    Bitmap,
    BloomFilter,
    EventCounts,
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

    Events whose digests differ are suspects: they alone are compared again, by what they contain.
    """

    depth: Depth
    suspects: BloomFilter | None = None
    streaming: bool = False  # rows of the streaming connector are among them: compared by what such a row keeps


class SourceNames(Struct):
    """Which sources could be read, and which could not."""

    read: set[str] = field(default_factory=set)  # at least one row of them
    failed: set[str] = field(
        default_factory=set
    )  # at least one row of them could not be read, or no row was recognized
    truncated: set[str] = field(default_factory=set)  # could not be read to their end
    streaming: bool = False  # rows of the streaming connector are among them
    left_out: bool = False  # files of a folder were left out

    def add(self, other: "SourceNames") -> None:
        self.read |= other.read
        self.failed |= other.failed
        self.truncated |= other.truncated
        self.streaming |= other.streaming
        self.left_out |= other.left_out

    @property
    def unreadable(self) -> set[str]:
        """Sources that could not be read at all, or not to their end."""
        return (self.failed - self.read) | self.truncated


class SideChunk(Struct, frozen=True):
    batches: list[FingerprintBatch]
    counts: EventCounts
    balance: Balance
    problems: Problems  # located in the whole source
    sources: SourceNames


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
    def has_events(self) -> bool:
        """Whether the events themselves are available, to be sent again."""

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
    limit: int = MEMORY_LIMIT


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
