"""Whether what was sent has arrived: event by event, by their ids, exactly."""

from td_currents_cli.reconcile.outcome import ReconcileOutcome
from td_currents_cli.reconcile.request import Kind, ReconcileRequest, failing
from td_currents_cli.reconcile.run import run
from td_currents_cli.reconcile.scope import Scope
from td_currents_cli.reconcile.side import Depth
from td_currents_cli.reconcile.sides import sides

__all__ = ["Depth", "Kind", "ReconcileOutcome", "ReconcileRequest", "Scope", "failing", "run", "sides"]
