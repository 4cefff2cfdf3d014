"""Whether what was sent has arrived: asked of the table itself, until it has or time is up."""

from td_currents_cli.verify.outcome import VerifyOutcome
from td_currents_cli.verify.run import VerifyRequest, run

__all__ = ["VerifyOutcome", "VerifyRequest", "run"]
