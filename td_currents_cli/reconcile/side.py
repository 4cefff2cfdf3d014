"""What is compared: two sides, each of which is anything that knows ids of events."""

from collections.abc import Generator
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from td_currents_cli.outcome import Balance, Problems
from td_currents_cli.reconcile.marks import Marks
from td_currents_cli.reconcile.scope import Scope
from td_currents_cli.reconcile.sheaf import Sheaf, Tally
from td_currents_cli.reconcile.suspects import Suspects


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
    def has_content(self) -> bool:
        """Whether the contents of events are known too; if not, nobody can tell which were changed."""

    @property
    def has_events(self) -> bool:
        """Whether the events themselves can be had, to be sent again."""

    def bundles(self, scope: Scope, suspects: Suspects | None = None) -> Generator[Bundle]:
        """The fingerprints of all events that are in scope, in bounded pieces.

        Args:
            scope: which events.
            suspects: None at first, where contents are digests of events as they are written. Where some of these
                differ, this is called once more for those alone, with contents that do not mind how they are written.

        Raises:
            TdcurError: they cannot be had.
        """

    def again(self, marks: Marks) -> Generator[Found]:
        """The events at the marked places, in order. Called after `bundles` was read to its end."""

    def reads(self, path: Path) -> bool:
        """Whether a file is among those that are read."""

    def close(self) -> None:
        """Let go of what was kept."""
