"""Counts events by type or by any other field, in payload files and ingested rows."""

from td_currents_cli.count.command import run
from td_currents_cli.count.result import Count, CountOutcome, CountRequest

__all__ = ["Count", "CountOutcome", "CountRequest", "run"]
