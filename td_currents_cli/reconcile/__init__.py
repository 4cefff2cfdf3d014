"""Compares what was sent with what arrived: exactly, event by event, by id."""

from td_currents_cli.reconcile.command import run, sides
from td_currents_cli.reconcile.fingerprints import TimeScope
from td_currents_cli.reconcile.result import ReconcileOutcome
from td_currents_cli.reconcile.side import Depth, DiffKind, ReconcileRequest, failing

__all__ = ["Depth", "DiffKind", "ReconcileOutcome", "ReconcileRequest", "TimeScope", "failing", "run", "sides"]
