"""Whether what was sent has arrived: event by event, by their ids, exactly."""

from td_currents_cli.reconcile.files import FileSide
from td_currents_cli.reconcile.journal import JournalSide
from td_currents_cli.reconcile.outcome import ReconcileOutcome
from td_currents_cli.reconcile.request import Kind, ReconcileRequest, fail_on
from td_currents_cli.reconcile.run import run
from td_currents_cli.reconcile.scope import Scope

__all__ = ["FileSide", "JournalSide", "Kind", "ReconcileOutcome", "ReconcileRequest", "Scope", "fail_on", "run"]
