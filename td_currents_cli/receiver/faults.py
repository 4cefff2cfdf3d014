"""Faults, as `--fail` asks for them: `503=0.1,429=0.05:3s,reset=0.02,slow=0.1:2s`."""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from td_currents_cli.duration import duration
from td_currents_cli.errors import UsageError

RESET: Final = "reset"
ACCEPT_THEN_RESET: Final = "accept-then-reset"
SLOW: Final = "slow"
HANG: Final = "hang"

_STATUS: Final = re.compile(r"[2-5]\d\d", re.ASCII)
_NAMES: Final = (RESET, ACCEPT_THEN_RESET, SLOW, HANG)
_SECONDS: Final = {SLOW: 2.0, "429": 1.0}
_HINT: Final = (
    f"name=probability, separated by commas; names: a status from 200 to 599, {', '.join(_NAMES)}. "
    "Example: 503=0.1,429=0.05:3s,reset=0.02,slow=0.1:2s"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something that goes wrong with a share of the requests.

    Attributes:
        name: a status that is answered instead of storing the row, or one of the names above.
        share: the probability that a request meets it.
        seconds: how late the answer of `slow` is; the `Retry-After` of a status; None where there is none.
    """

    name: str
    share: float
    seconds: float | None = None

    @property
    def stores(self) -> bool:
        """Whether the request is otherwise treated as any other: only its answer suffers."""
        return self.name in {ACCEPT_THEN_RESET, SLOW}

    @property
    def answers(self) -> bool:
        """Whether the sender gets an answer."""
        return self.name not in {RESET, ACCEPT_THEN_RESET, HANG}

    def __str__(self) -> str:
        seconds = "" if self.seconds is None else f":{self.seconds:g}s"
        return f"{self.name}={self.share:g}{seconds}"


def parse_faults(text: str) -> tuple[Fault, ...]:
    """The faults of a specification.

    Raises:
        UsageError: it is none; the message says where.
    """
    faults: list[Fault] = []
    for place, item in _items(text):
        fault = _fault(item, place)
        if any(fault.name == other.name for other in faults):
            raise _error(place, f"{fault.name} stands there twice")
        faults.append(fault)
    total = math.fsum(fault.share for fault in faults)
    if total > 1:
        raise UsageError(f"--fail: the probabilities add up to {total:g}, more than 1", hint=_HINT)
    return tuple(faults)


def _items(text: str) -> Iterator[tuple[int, str]]:
    """The parts between commas, each with the place of its first character, from 1."""
    place = 1
    for part in text.split(","):
        yield place + len(part) - len(part.lstrip()), part.strip()
        place += len(part) + 1


def _fault(item: str, place: int) -> Fault:
    name, equals, value = item.partition("=")
    number, colon, time = value.partition(":")
    if name not in _NAMES and not _STATUS.fullmatch(name):
        raise _error(place, f"{name!r} is not a fault")
    place += len(name) + 1
    share = _share(number) if equals else None
    if share is None:
        raise _error(place, f"{name} needs a probability from 0 to 1")
    if not colon:
        return Fault(name=name, share=share, seconds=_SECONDS.get(name))
    place += len(number) + 1
    if name in _NAMES and name != SLOW:
        raise _error(place, f"{name} takes no duration")
    return Fault(name=name, share=share, seconds=duration(time, f"--fail, character {place}: the time of {name}"))


def _share(number: str) -> float | None:
    try:
        share = float(number)
    except ValueError:
        return None
    # Not a number is not between them.
    return share if 0 <= share <= 1 else None


def _error(place: int, what: str) -> UsageError:
    return UsageError(f"--fail, character {place}: {what}", hint=_HINT)
