"""A payload while it is sent."""

from dataclasses import dataclass

from td_currents_cli.send.payload import Payload
from td_currents_cli.send.retry import NextStep
from td_currents_cli.send.split import halves, singles


@dataclass(slots=True)
class InFlightPayload:
    """A payload while it is sent, and retried."""

    payload: Payload
    failures: int = 0  # attempts after which it was retried
    failed_at: float = 0.0  # when the first of them ended
    attempts: int = 0  # requests that were made with its events
    is_ambiguous: bool = False  # may have arrived although no response says so
    is_single: bool = False  # one event of a payload that got 400

    def parts(self, step: NextStep) -> "list[InFlightPayload]":
        """Return what is sent instead when it is refused: singles after 400, halves after 413."""
        is_bad = step is NextStep.BAD_REQUEST
        parts = halves(self.payload) if not is_bad else [] if self.is_single else singles(self.payload)
        return [
            InFlightPayload(
                part, attempts=self.attempts, is_ambiguous=self.is_ambiguous, is_single=is_bad or self.is_single
            )
            for part in parts
        ]
