"""Sending and verifying as one run."""

from dataclasses import dataclass
from typing import ClassVar

from td_currents_cli.outcome import Outcome
from td_currents_cli.verify.outcome import VerifyOutcome


@dataclass(frozen=True, slots=True, kw_only=True)
class SendVerifyOutcome(Outcome):
    """The outcome of sending, and of verifying, which follows if everything was delivered."""

    command: ClassVar[str] = "send"

    sent: Outcome
    verified: VerifyOutcome

    @classmethod
    def of(cls, sent: Outcome, verified: VerifyOutcome) -> "SendVerifyOutcome":
        """Combine both, with the exit code of verifying: sending has succeeded."""
        return cls(sent=sent, verified=verified, problems=sent.problems, exit_code=verified.exit_code)

    def summary(self) -> dict[str, object]:
        return {**self.sent.summary(), "verified": self.verified.summary()}

    def data(self) -> dict[str, object]:
        return {**self.sent.data(), "verification": self.verified.data()}
