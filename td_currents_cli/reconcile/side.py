"""What is compared: two sides, each of which is anything that knows ids of events."""

from collections.abc import Generator
from enum import IntEnum
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from td_currents_cli.outcome import Balance, Problems
from td_currents_cli.reconcile.marks import Marks
from td_currents_cli.reconcile.scope import Scope
from td_currents_cli.reconcile.sheaf import Sheaf, Tally
from td_currents_cli.reconcile.suspects import Suspects


class Depth(IntEnum):
    """How much is known of the events of a side: two of them can be compared by the lesser depth.

    OUTLINE is what `outline.outline` sees of a content, CONTENT is all of it.
    """

    IDS = 0
    OUTLINE = 1
    CONTENT = 2


class Look(Struct, frozen=True):
    """How events are looked at.

    Attributes:
        depth: at most that of their side.
        suspects: None at first, where contents are digests of events as they are written. Where some of these differ,
            events are looked at once more: those alone, with contents that do not mind how they are written.
    """

    depth: Depth
    suspects: Suspects | None = None


class Bundle(Struct, frozen=True):
    """What came of a part of a side.

    Attributes:
        sheaves: the fingerprints of its events, and the number of all events read, in their order.
        tally: where the events went.
        balance: where rows and events went.
        problems: what was wrong with them, with their places in the whole source.
    """

    sheaves: list[Sheaf]
    tally: Tally
    balance: Balance
    problems: Problems


class Found(Struct, frozen=True):
    """An event that was fetched again.

    Attributes:
        place: counted from 0 in the order read.
        event_id: its id.
        event: its own bytes; None where a side has none.
    """

    place: int
    event_id: str
    event: bytes | None = None


class Side(Protocol):
    """Events of which all ids are known. `sheaf.Binder` makes fingerprints of them."""

    @property
    def depth(self) -> Depth:
        """What is known of the events.

        Raises:
            TdcurError: whoever knows cannot be asked.
        """

    @property
    def has_events(self) -> bool:
        """Whether the events themselves can be had, to be sent again."""

    def bundles(self, scope: Scope, look: Look) -> Generator[Bundle]:
        """The fingerprints of all events that are in scope, in bounded pieces.

        Args:
            scope: which events.
            look: at what of them.

        Raises:
            TdcurError: they cannot be had.
        """

    def again(self, marks: Marks) -> Generator[Found]:
        """The events at the marked places, in order. Called after `bundles` was read to its end."""

    def reads(self, path: Path) -> bool:
        """Whether a file is among those that are read."""

    def close(self) -> None:
        """Let go of what was kept."""
