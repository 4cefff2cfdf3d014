"""The two sides of a comparison."""

from collections.abc import Generator
from enum import IntEnum
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from td_currents_cli.outcome import Balance, Problems
from td_currents_cli.reconcile.marks import Bitmap
from td_currents_cli.reconcile.scope import TimeScope
from td_currents_cli.reconcile.sheaf import EventCounts, FingerprintBatch
from td_currents_cli.reconcile.suspects import BloomFilter


class Depth(IntEnum):
    """How much of its events a side knows; two sides are compared by the lesser depth.

    OUTLINE is the part of the content that `outline.outline` covers, CONTENT is all of it.
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


class SideChunk(Struct, frozen=True):
    batches: list[FingerprintBatch]
    counts: EventCounts
    balance: Balance
    problems: Problems  # located in the whole source


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
