"""What `serve` does: its settings, the faults it injects, and how it refuses a request."""

import math
import re
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final

from td_currents_cli.braze import MAX_BYTES
from td_currents_cli.durations import duration
from td_currents_cli.errors import UsageError
from td_currents_cli.patterns import pattern


class HttpError(Exception):
    """The request gets this status, and no row is stored. The reason has no content of the body, and no key."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


class PostbackApi(StrEnum):
    """Version of the Postback API. They differ in how a write key is passed and in the maximum size of a body."""

    v1 = "v1"
    v2 = "v2"

    @property
    def body_limit(self) -> int:
        """Maximum size of a body, in bytes. Treasure Data documents none for v1; ours only bounds the memory."""
        return MAX_BYTES if self is PostbackApi.v2 else _V1_BODY_LIMIT


_V1_BODY_LIMIT: Final = 64 << 20

RESET: Final = "reset"
ACCEPT_THEN_RESET: Final = "accept-then-reset"
SLOW: Final = "slow"
HANG: Final = "hang"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A fault that is injected into a share of the requests."""

    name: str  # an HTTP status, returned without storing the row, or one of the constants above
    share: float  # probability
    seconds: float | None = None  # the delay of `slow`, or the `Retry-After` of a status

    @property
    def stores(self) -> bool:
        """Whether the request is processed normally, and only its response is affected."""
        return self.name in {ACCEPT_THEN_RESET, SLOW}

    @property
    def answers(self) -> bool:
        """Whether the sender gets a response."""
        return self.name not in {RESET, ACCEPT_THEN_RESET, HANG}

    def __str__(self) -> str:
        seconds = "" if self.seconds is None else f":{self.seconds:g}s"
        return f"{self.name}={self.share:g}{seconds}"


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultSettings:
    faults: tuple[Fault, ...] = ()  # their shares add up to 1 at most
    seed: int = 0  # determines the fault of the first request, the second, and so on
    latency: float = 0.0  # delay of every response, in seconds
    ingest_delay: float = 0.0  # seconds from the response until the row is in the store
    max_rows: int | None = None  # after this many rows of the run, requests get HTTP 507


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeSettings:
    store: Path  # CSV if the name ends in `.csv`, else JSON Lines
    host: str = "127.0.0.1"
    port: int = 0  # 0: any free port
    api: PostbackApi = PostbackApi.v2
    # Not in the repr: an assertion or a traceback that prints the settings must not print the key. None: any key.
    write_key: str | None = field(default=None, repr=False)
    fault_settings: FaultSettings = field(default_factory=FaultSettings)
    headers_within: float = 20.0  # seconds that a connection has to send complete headers
    stop_within: int = 10  # seconds that requests in flight have to finish on shutdown


_STATUS: Final = pattern(r"[2-5]\d\d", re.ASCII)
_NAMES: Final = (RESET, ACCEPT_THEN_RESET, SLOW, HANG)
_DEFAULT_SECONDS: Final = {SLOW: 2.0, "429": 1.0}
_HINT: Final = (
    f"Syntax: name=probability, separated by commas. Names: a status from 200 to 599, {', '.join(_NAMES)}. "
    "Example: 503=0.1,429=0.05:3s,reset=0.02,slow=0.1:2s"
)


def parse_faults(text: str) -> tuple[Fault, ...]:
    """Parse `--fail`, such as `503=0.1,429=0.05:3s,reset=0.02,slow=0.1:2s`.

    Raises:
        UsageError: it is invalid; the message has the position.
    """
    faults: list[Fault] = []
    begin = 1
    for part in text.split(","):
        place = begin + len(part) - len(part.lstrip())
        fault = _fault(part.strip(), place)
        if any(fault.name == other.name for other in faults):
            raise _error(place, f"{fault.name} is repeated")
        faults.append(fault)
        begin += len(part) + 1
    total = math.fsum(fault.share for fault in faults)
    if total > 1:
        raise UsageError(f"--fail: the probabilities add up to {total:g}, more than 1", hint=_HINT)
    return tuple(faults)


def _fault(item: str, place: int) -> Fault:
    name, _, value = item.partition("=")
    number, colon, time = value.partition(":")
    if name not in _NAMES and not _STATUS.fullmatch(name):
        raise _error(place, f"{name!r} is not a fault")
    place += len(name) + 1
    try:
        share = float(number)
    except ValueError:
        share = -1
    if not 0 <= share <= 1:  # NaN is not between them
        raise _error(place, f"{name} needs a probability from 0 to 1")
    if not colon:
        return Fault(name=name, share=share, seconds=_DEFAULT_SECONDS.get(name))
    place += len(number) + 1
    if name in _NAMES and name != SLOW:
        raise _error(place, f"{name} takes no duration")
    return Fault(name=name, share=share, seconds=duration(time, f"--fail, character {place}: the duration of {name}"))


def _error(place: int, message: str) -> UsageError:
    return UsageError(f"--fail, character {place}: {message}", hint=_HINT)
