"""Retries of requests to Treasure Data's REST API."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import urllib3

RETRYABLE_STATUSES: Final = (429, *range(500, 600))  # statuses that may be temporary


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    attempts: int = 7  # after the first
    backoff: float = 1.0  # seconds; doubles with each attempt
    longest: float = 30.0  # backoff, in seconds
    timeout: float = 60.0  # seconds to connect, and between two pieces of a response
    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep  # between polls of a job

    def retry(self) -> urllib3.Retry:
        """Retry every method: a request that issues a job carries a `domain_key`."""
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
