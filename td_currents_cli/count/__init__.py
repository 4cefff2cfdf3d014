"""Counts events by type or by any other field, in payload files and ingested rows."""

from td_currents_cli.count.figures import Count
from td_currents_cli.count.outcome import CountOutcome
from td_currents_cli.count.request import CountRequest
from td_currents_cli.count.run import run

__all__ = ["Count", "CountOutcome", "CountRequest", "run"]
