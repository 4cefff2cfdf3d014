"""Watches a table: when the last row came, and whether each event type comes as often as it usually does.

rates (the usual numbers of events, read once a day) → command (rounds, canary) → result (states and their changes)
"""

from td_currents_cli.watch.command import Canary, WatchRequest, ignore_round, run
from td_currents_cli.watch.result import Round, WatchOutcome

__all__ = ["Canary", "Round", "WatchOutcome", "WatchRequest", "ignore_round", "run"]
