"""Checks payloads against the catalog and the limits of Treasure Data: problems with a code, a place and a fix."""

from td_currents_cli.validate.command import ValidateOutcome, ValidateRequest, run

__all__ = ["ValidateOutcome", "ValidateRequest", "run"]
