"""Reads all fingerprints of a side."""

from contextlib import closing

from msgspec import Struct

from td_currents_cli.outcome import Balance, ProblemLog
from td_currents_cli.reconcile.scope import TimeScope
from td_currents_cli.reconcile.sheaf import EventCounts
from td_currents_cli.reconcile.shelf import FingerprintStore
from td_currents_cli.reconcile.side import CompareMode, Side


class SideTotals(Struct):
    counts: EventCounts
    balance: Balance


def read_side(side: Side, scope: TimeScope, mode: CompareMode, store: FingerprintStore, log: ProblemLog) -> SideTotals:
    """Put the fingerprints of a side into a store, and its problems into a log.

    Raises:
        OutputError: they fit neither into memory nor on disk.
        TdcurError: the side cannot be read.
    """
    counts, balance = EventCounts(), Balance()
    with closing(side.chunks(scope, mode)) as chunks:
        for chunk in chunks:
            # From the end, so that the memory of each batch is released once it is stored.
            batches = chunk.batches
            batches.reverse()
            while batches:
                store.add(batches.pop())
            counts.add(chunk.counts)
            balance += chunk.balance
            log.merge(chunk.problems)
    return SideTotals(counts, balance)
