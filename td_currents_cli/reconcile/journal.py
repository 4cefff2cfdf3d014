"""A side that is the journal of `tdcur send`: it knows the id, the type and the time of what was delivered."""

import os
from collections.abc import Callable, Generator, Iterable, Sequence
from pathlib import Path
from typing import Final, TypeAlias

from td_currents_cli.outcome import Balance, Problems
from td_currents_cli.reconcile.content import UNKNOWN
from td_currents_cli.reconcile.marks import Marks
from td_currents_cli.reconcile.scope import Scope
from td_currents_cli.reconcile.sheaf import Binder
from td_currents_cli.reconcile.side import Bundle, Depth, Found, Look

Delivered: TypeAlias = Callable[[Path], Iterable[Sequence[tuple[str | None, str | None, object]]]]
"""Reads a journal: batches of (id, event_type, time) of what was delivered, the same each time it is called."""


class JournalSide:
    """What a journal knows as delivered.

    Args:
        path: the journal.
        delivered: reads it; `read.journal_events.delivered_events`.
    """

    depth: Final = Depth.IDS
    has_events: Final = False

    def __init__(self, path: Path, delivered: Delivered) -> None:
        self._path = path
        self._delivered = delivered

    def bundles(self, scope: Scope, look: Look) -> Generator[Bundle]:
        """As Side.

        Raises:
            InputError: the journal cannot be read.
        """
        for batch in self._delivered(self._path):
            binder = Binder(scope, _unknown, look.suspects)
            binder.add([(event_id, event_type, time, None) for event_id, event_type, time in batch])
            tally = binder.tally
            out_of_scope = tally.filtered + tally.too_young
            balance = Balance(
                rows_read=1,
                rows_rejected=0,
                events_read=len(batch),
                events_rejected=0,
                events_out=tally.by_type.total() + tally.without_id.total(),
                filtered=out_of_scope,
            )
            yield Bundle(binder.sheaves(), tally, balance, Problems())

    def again(self, marks: Marks) -> Generator[Found]:
        """As Side."""
        first = 0
        for batch in self._delivered(self._path):
            for place in marks.within(first, len(batch)):
                yield Found(first + place, batch[place][0] or "")
            first += len(batch)
            if marks.is_past(first):
                return

    def reads(self, path: Path) -> bool:
        """As Side."""
        return os.path.realpath(path) == os.path.realpath(self._path)

    def close(self) -> None:
        """As Side."""


def _unknown(_event: object) -> int:
    return UNKNOWN
