"""How long Treasure Data's REST API is borne with when it is busy or away."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import urllib3

RETRYABLE_STATUSES: Final = (429, *range(500, 600))
"""Statuses that time may mend."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """How long the service is borne with.

    Attributes:
        attempts: that a request may take beyond the first.
        backoff: seconds of the first pause between two of them; each is twice as long as the one before.
        longest: seconds of the longest pause.
        timeout: seconds to connect, and between two pieces of an answer.
        now: seconds that only ever grow.
        sleep: waits so many seconds for a job.
    """

    attempts: int = 7
    backoff: float = 1.0
    longest: float = 30.0
    timeout: float = 60.0
    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def retry(self) -> urllib3.Retry:
        """As urllib3 has it. All requests may be made again: what issues a job carries a `domain_key`."""
        return urllib3.Retry(
            total=self.attempts,
            connect=min(3, self.attempts),
            other=0,
            redirect=False,
            allowed_methods=None,
            status_forcelist=RETRYABLE_STATUSES,
            backoff_factor=self.backoff,
            backoff_max=self.longest,
            backoff_jitter=self.backoff / 2,
            raise_on_status=False,
        )
