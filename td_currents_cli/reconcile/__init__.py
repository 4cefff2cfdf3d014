"""Compares what was sent with what arrived: exactly, event by event, by id."""

from td_currents_cli.reconcile.outcome import ReconcileOutcome
from td_currents_cli.reconcile.request import DiffKind, ReconcileRequest, failing
from td_currents_cli.reconcile.run import run
from td_currents_cli.reconcile.scope import TimeScope
from td_currents_cli.reconcile.side import Depth
from td_currents_cli.reconcile.sides import sides

__all__ = ["Depth", "DiffKind", "ReconcileOutcome", "ReconcileRequest", "TimeScope", "failing", "run", "sides"]
