"""What follows from each answer, and how long to wait before the next attempt.

The statuses are treated as Braze's own sender treats them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from enum import Enum, auto
from typing import Final

from td_currents_cli.send.answers import Answer, Failure, Hopeless, UnknownResult


class Verdict(Enum):
    """What to do with a payload after an attempt."""

    DELIVERED = auto()
    AGAIN = auto()
    BAD_REQUEST = auto()
    TOO_LARGE = auto()
    STOP = auto()


_WRONG_ADDRESS: Final = frozenset({401, 403, 404})
_GATEWAY: Final = frozenset({502, 504})


def judge(result: Answer | Failure, *, reached: bool) -> Verdict:
    """The verdict on one attempt.

    Args:
        result: what came back.
        reached: whether the endpoint has been reached before in this run.
    """
    if isinstance(result, Hopeless) and not reached:
        return Verdict.STOP
    if isinstance(result, Failure):
        return Verdict.AGAIN
    if 200 <= result.status < 300:
        return Verdict.DELIVERED
    if 300 <= result.status < 400 or result.status in _WRONG_ADDRESS:
        return Verdict.STOP
    return {400: Verdict.BAD_REQUEST, 413: Verdict.TOO_LARGE}.get(result.status, Verdict.AGAIN)


def may_have_arrived(result: Answer | Failure) -> bool:
    """Whether events may be stored although nothing says so.

    502 and 504 come from a gateway that does not know what became of the request behind it.
    """
    return isinstance(result, UnknownResult) if isinstance(result, Failure) else result.status in _GATEWAY


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """Exponential backoff with full jitter.

    Attributes:
        retry_for: seconds after a payload's first failure in which it is tried again.
        uniform: a random number between its two arguments.
        base: bound of the first wait, in seconds; it doubles with each.
        longest: bound of any wait.
        longest_asked: a `Retry-After` beyond this is cut to it.
    """

    retry_for: float
    uniform: Callable[[float, float], float]
    base: float = 0.5
    longest: float = 30.0
    longest_asked: float = 300.0

    def wait(self, *, failures: int, spent: float, asked: float = 0.0) -> float | None:
        """Seconds to wait after so many failures, or None when the time for retries is over.

        The last attempt is made at the very end of that time, unless the endpoint asked to be left alone for longer.

        Args:
            failures: so far, at least 1.
            spent: seconds since the first of them.
            asked: seconds of `Retry-After`.
        """
        left = self.retry_for - spent
        least = min(asked, self.longest_asked)
        if left <= 0 or least > left:
            return None
        jitter = self.uniform(0.0, min(self.longest, self.base * 2.0 ** min(failures - 1, 32)))
        return min(least + jitter, left)


def seconds_asked(header: str | None, now: float) -> float:
    """The seconds of a `Retry-After` header, in either of its forms; 0 where it is missing or makes no sense.

    Args:
        header: seconds, or an HTTP date.
        now: seconds since the epoch.
    """
    text = (header or "").strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return 0.0
    return max(0.0, (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() - now)
