"""Queries a table for the events that were sent, until all are stored or time is up."""

from td_currents_cli.verify.outcome import VerifyOutcome
from td_currents_cli.verify.run import VerifyRequest, run

__all__ = ["VerifyOutcome", "VerifyRequest", "run"]
