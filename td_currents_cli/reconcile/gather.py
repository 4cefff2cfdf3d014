"""All of a side: its fingerprints on a shelf, and where everything that was read went."""

from contextlib import closing

from msgspec import Struct

from td_currents_cli.outcome import Balance, ProblemLog
from td_currents_cli.reconcile.scope import Scope
from td_currents_cli.reconcile.sheaf import Tally
from td_currents_cli.reconcile.shelf import Shelf
from td_currents_cli.reconcile.side import Look, Side


class Gathered(Struct):
    """What came of a side.

    Attributes:
        tally: where its events went.
        balance: where rows and events went.
    """

    tally: Tally
    balance: Balance


def gather(side: Side, scope: Scope, look: Look, shelf: Shelf, log: ProblemLog) -> Gathered:
    """Put the fingerprints of a side on a shelf.

    Args:
        side: which one.
        scope: of the comparison.
        look: at what of its events.
        shelf: where the fingerprints go.
        log: where the problems go.

    Raises:
        OutputError: they do not fit into memory, nor on the disk.
        TdcurError: what else the side raises.
    """
    tally, balance = Tally(), Balance()
    with closing(side.bundles(scope, look)) as bundles:
        for bundle in bundles:
            # From the end, so that each is let go of when it is on the shelf.
            sheaves = bundle.sheaves
            sheaves.reverse()
            while sheaves:
                shelf.add(sheaves.pop())
            tally.add(bundle.tally)
            balance += bundle.balance
            log.take(bundle.problems)
    return Gathered(tally, balance)
