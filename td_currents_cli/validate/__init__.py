"""Whether payloads are what Braze sends and Treasure Data takes: findings with a code, a place and a mend."""

from td_currents_cli.validate.run import ValidateOutcome, ValidateRequest, run

__all__ = ["ValidateOutcome", "ValidateRequest", "run"]
