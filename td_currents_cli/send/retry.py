"""What follows from each response, and how long to wait before the next attempt.

The statuses are treated as Braze's own sender treats them.
"""

import asyncio
import math
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from enum import Enum, auto
from typing import ClassVar, Final

from msgspec import Struct

from td_currents_cli.durations import ExponentialBackoff


class HttpResponse(Struct, frozen=True, gc=False, kw_only=True):
    """What the endpoint responded."""

    status: int
    is_page: bool = False  # a web page, as of a login or a proxy
    retry_after: str | None = None  # the header, unchanged
    redirect_host: str = ""  # of a redirect's target
    text: bytes = b""  # the body, unless it is a success; it may repeat anything that was sent
    is_cut: bool = False  # whether the body was longer: what is repeated at its end may be incomplete


class RequestFailure(Struct, frozen=True, gc=False):
    """No response. A value, as a response is: what follows from it depends on its type."""

    label: ClassVar[str] = "failed"  # in `requests_by_status`

    reason: str  # one line, without URL and without anything that was sent


class NotConnected(RequestFailure, frozen=True, gc=False):
    label = "not_connected"


class PermanentConnectFailure(NotConnected, frozen=True, gc=False):
    """No connection, for a reason that lies in the settings if it is there from the start."""


class UnknownHost(PermanentConnectFailure, frozen=True, gc=False):
    label = "unknown_host"


class UntrustedHost(PermanentConnectFailure, frozen=True, gc=False):
    """The certificate is not trusted, or the server does not speak TLS."""

    label = "tls"


class ClientCertificateRejected(PermanentConnectFailure, frozen=True, gc=False):
    """The endpoint ends the TLS handshake: it asks for a client certificate, or for another one."""

    label = "tls"


class ProxyRefused(PermanentConnectFailure, frozen=True, gc=False):
    label = "proxy"


class BadAddress(PermanentConnectFailure, frozen=True, gc=False):
    label = "bad_address"


class UnknownResult(RequestFailure, frozen=True, gc=False):
    """The request may have arrived: it is sent again, and its events may be stored twice."""


class TimedOut(UnknownResult, frozen=True, gc=False):
    label = "timeout"


class ConnectionLost(UnknownResult, frozen=True, gc=False):
    """The connection broke after the request was begun, or the response was not HTTP."""

    label = "connection_lost"


class NextStep(Enum):
    """What to do with a payload after an attempt."""

    DELIVERED = auto()
    RETRY = auto()
    BAD_REQUEST = auto()
    TOO_LARGE = auto()
    STOP = auto()


def next_step(result: HttpResponse | RequestFailure, *, reached: bool) -> NextStep:
    """Decide what follows from an attempt; `reached` is whether the endpoint has been reached before in this run."""
    if isinstance(result, RequestFailure):
        return NextStep.STOP if isinstance(result, PermanentConnectFailure) and not reached else NextStep.RETRY
    if 200 <= result.status < 300:
        return NextStep.DELIVERED
    if 300 <= result.status < 400 or result.status in {401, 403, 404}:
        return NextStep.STOP
    return {400: NextStep.BAD_REQUEST, 413: NextStep.TOO_LARGE}.get(result.status, NextStep.RETRY)


def may_have_arrived(result: HttpResponse | RequestFailure) -> bool:
    """Return whether events may be stored although no response says so.

    502 and 504 come from a gateway that does not know what happened to the request behind it.
    """
    return isinstance(result, UnknownResult) if isinstance(result, RequestFailure) else result.status in {502, 504}


_BACKOFF: Final = ExponentialBackoff(base=0.5, longest=30.0)  # upper bounds of the waits
_LONGEST_ASKED: Final = 300.0  # maximum seconds of `Retry-After`; more is cut


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrySchedule:
    """Exponential backoff with full jitter, for a limited time."""

    retry_for: float  # seconds after a payload's first failure in which it is retried
    uniform: Callable[[float, float], float]  # returns a random number between its two arguments
    unreached_for: float = math.inf  # the same, while there has never been a connection

    def limit(self, *, reached: bool) -> float:
        return self.retry_for if reached else min(self.retry_for, self.unreached_for)

    def wait(self, *, failures: int, spent: float, asked: float = 0.0, reached: bool = True) -> float | None:
        """Return the seconds to wait, or None when the time for retries is over.

        The last attempt is made at the very end of that time, unless the endpoint asked for a longer wait. `spent` are
        the seconds since the first failure, `asked` those of `Retry-After`.
        """
        left = self.limit(reached=reached) - spent
        least = min(asked, _LONGEST_ASKED)
        if left <= 0 or least > left:
            return None
        return min(least + self.uniform(0.0, _BACKOFF.pause(failures)), left)


def retry_after_seconds(header: str | None, now: float) -> float:
    """Return the seconds of a `Retry-After` header, a number or an HTTP date; 0 where it is missing or invalid."""
    text = (header or "").strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return 0.0
    return max(0.0, (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() - now)


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """Where time and randomness come from."""

    now: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time  # seconds since the epoch
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    uniform: Callable[[float, float], float] = random.uniform

    async def pause(self, seconds: float, until: asyncio.Event) -> None:
        """Wait for that time, or until the event is set."""
        waits = (asyncio.ensure_future(self.sleep(seconds)), asyncio.ensure_future(until.wait()))
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
