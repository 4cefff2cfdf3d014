"""The journal of `tdcur send` as a side: the id, type and time of each delivered event."""

import os
from collections.abc import Callable, Generator, Iterable, Sequence
from pathlib import Path
from typing import Final, TypeAlias

from td_currents_cli.outcome import Balance, Problems
from td_currents_cli.reconcile.content import UNKNOWN
from td_currents_cli.reconcile.marks import Bitmap
from td_currents_cli.reconcile.scope import TimeScope
from td_currents_cli.reconcile.sheaf import Fingerprinter
from td_currents_cli.reconcile.side import CompareMode, Depth, FetchedEvent, SideChunk

Delivered: TypeAlias = Callable[[Path], Iterable[Sequence[tuple[str | None, str | None, object]]]]
"""Reads a journal: batches of (id, event_type, time) of delivered events, the same on each call."""


class JournalSide:
    depth: Final = Depth.IDS
    has_events: Final = False

    def __init__(self, path: Path, delivered: Delivered) -> None:
        self._path = path
        self._delivered = delivered

    def chunks(self, scope: TimeScope, mode: CompareMode) -> Generator[SideChunk]:
        for batch in self._delivered(self._path):
            fingerprinter = Fingerprinter(scope, _unknown, mode.suspects)
            fingerprinter.add([(event_id, event_type, time, None) for event_id, event_type, time in batch])
            counts = fingerprinter.counts
            balance = Balance(
                rows_read=1,
                events_read=len(batch),
                events_out=counts.by_type.total() + counts.without_id.total(),
                filtered=counts.filtered + counts.too_young,
            )
            yield SideChunk(fingerprinter.take_batches(), counts, balance, Problems())

    def fetch_again(self, marked: Bitmap) -> Generator[FetchedEvent]:
        first = 0
        for batch in self._delivered(self._path):
            for place in marked.within(first, len(batch)):
                yield FetchedEvent(first + place, batch[place][0] or "")
            first += len(batch)
            if marked.is_past(first):
                return

    def reads(self, path: Path) -> bool:
        return os.path.realpath(path) == os.path.realpath(self._path)

    def close(self) -> None:
        pass


def _unknown(_event: object) -> int:
    return UNKNOWN
