"""Ingested rows back into flat events: as JSON Lines, as a table, or with a file per event type."""

from td_currents_cli.parse.command import ParseOutcome, run
from td_currents_cli.parse.request import ParseRequest, Rejects
from td_currents_cli.parse.writers import reject_line

__all__ = ["ParseOutcome", "ParseRequest", "Rejects", "reject_line", "run"]
