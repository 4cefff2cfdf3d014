"""Ingested rows back into flat events: as JSON Lines, as a table, or with a file per event type."""

from td_currents_cli.parse.outcome import ParseOutcome
from td_currents_cli.parse.rejects import reject_line
from td_currents_cli.parse.request import ParseRequest, Rejects
from td_currents_cli.parse.run import run

__all__ = ["ParseOutcome", "ParseRequest", "Rejects", "reject_line", "run"]
