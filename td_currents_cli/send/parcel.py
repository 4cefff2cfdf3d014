"""A payload on its way, and what is sent instead of one that is refused."""

from dataclasses import dataclass

from td_currents_cli.send.payload import Payload
from td_currents_cli.send.retry import Verdict
from td_currents_cli.send.split import halves, singles


@dataclass(slots=True)
class Parcel:
    """A payload on its way.

    Attributes:
        failures: attempts that did not settle what becomes of it.
        failed_at: when the first of them ended.
        attempts: requests that were made with its events.
        in_doubt: whether it may have arrived although no answer says so.
        is_single: whether it is one event of a payload that got 400.
    """

    payload: Payload
    failures: int = 0
    failed_at: float = 0.0
    attempts: int = 0
    in_doubt: bool = False
    is_single: bool = False

    def parts(self, verdict: Verdict) -> "list[Parcel]":
        """What is sent instead when it is refused: singles after 400, halves after 413; nothing where that is all."""
        is_bad = verdict is Verdict.BAD_REQUEST
        parts = halves(self.payload) if not is_bad else [] if self.is_single else singles(self.payload)
        return [
            Parcel(part, attempts=self.attempts, in_doubt=self.in_doubt, is_single=is_bad or self.is_single)
            for part in parts
        ]
