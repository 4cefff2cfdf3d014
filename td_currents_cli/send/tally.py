"""What became of every event, counted while it happens, in memory that does not grow with the number of requests."""

import math
from bisect import insort
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

import msgspec
from msgspec import Struct

from td_currents_cli.model import Problem
from td_currents_cli.outcome import ProblemLog, Problems
from td_currents_cli.send.answers import Answer, Failure
from td_currents_cli.send.payload import Payload
from td_currents_cli.send.progress import Progress

_KEPT: Final = 1000


class Latencies:
    """Seconds from request to answer, kept as counts of ranges that are 1 % wide."""

    _STEP: Final = math.log(1.01)

    def __init__(self) -> None:
        self._counts: Counter[int] = Counter()

    def add(self, seconds: float) -> None:
        """Count one answer."""
        self._counts[round(math.log(max(seconds, 1e-6)) / self._STEP)] += 1

    def milliseconds(self, share: float) -> float | None:
        """The latency that this share of the answers did not exceed; None without answers."""
        left = share * self._counts.total()
        for step in sorted(self._counts):
            left -= self._counts[step]
            if left <= 0:
                return round(math.exp(step * self._STEP) * 1000, 1)
        return None


@dataclass(slots=True)
class Tally:
    """The figures of a run.

    Attributes:
        delivered: events whose request was answered 2XX.
        undelivered: events that were given up, and stay where they were read.
        dead: events that are dead letters.
        bytes: of the bodies that were delivered.
        requests: all that were made, answered or not.
        retries: those of them that repeated another.
        splits: payloads that were sent again in parts.
        by_status: requests by status, or by the label of the failure.
        unknown: ids of events that may be stored although their request was not answered, or stored twice.
        unknown_events: how many those are, counting events whose id cannot be read.
    """

    delivered: int = 0
    undelivered: int = 0
    dead: int = 0
    bytes: int = 0
    requests: int = 0
    retries: int = 0
    splits: int = 0
    in_flight: int = 0
    unknown_events: int = 0
    by_status: Counter[str] = field(default_factory=Counter)
    unknown: list[str] = field(default_factory=list)
    latencies: Latencies = field(default_factory=Latencies)
    _problems: ProblemLog = field(default_factory=ProblemLog)
    _refused: list[tuple[int, Problem]] = field(default_factory=list)
    _refused_beyond: int = 0

    def problem(self, problem: Problem) -> None:
        """A record of the input that is not as it should be."""
        self._problems.add(problem)

    def begin(self, *, repeats: bool) -> None:
        """A request is made; it may repeat one that was made before."""
        self.requests += 1
        self.retries += repeats
        self.in_flight += 1

    def end(self, result: Answer | Failure | None, seconds: float) -> None:
        """A request has come back, or was broken off (None)."""
        self.in_flight -= 1
        if isinstance(result, Answer):
            self.latencies.add(seconds)
            self.by_status[str(result.status)] += 1
        else:
            self.by_status["interrupted" if result is None else result.label] += 1

    def deliver(self, payload: Payload) -> None:
        """The payload has arrived."""
        self.delivered += payload.events
        self.bytes += len(payload.body)

    def give_up(self, payload: Payload) -> None:
        """The payload is not tried again in this run, for a reason that has nothing to do with it."""
        self.undelivered += payload.events

    def bury(self, problems: Iterable[Problem], *, index: int | None = None) -> None:
        """An event has become a dead letter.

        Args:
            problems: why.
            index: of its payload in the plan, where it was sent: answers come in any order, and of their problems
                the first in the order of the plan are kept.
        """
        self.dead += 1
        for problem in problems:
            if index is None:
                self.problem(problem)
                continue
            insort(self._refused, (index, problem), key=lambda refused: refused[0])
            if len(self._refused) > _KEPT:
                self._refused.pop()
                self._refused_beyond += 1

    def doubt(self, payload: Payload) -> None:
        """The payload may have arrived: note its events."""
        self.unknown_events += payload.events
        # An id that cannot be read (a lone surrogate in it) is still counted.
        with suppress(msgspec.DecodeError):
            events = msgspec.json.decode(payload.body, type=_Events).events
            self.unknown.extend(event.id for event in events if isinstance(event.id, str))

    def progress(self, share: float | None) -> Progress:
        """How far the run is, `share` of its input having been read."""
        return Progress(
            delivered=self.delivered,
            bytes=self.bytes,
            requests=self.requests,
            retries=self.retries,
            in_flight=self.in_flight,
            share=share,
        )

    def problems(self) -> Problems:
        """All problems: those of the input in its order, then refused payloads in theirs."""
        for _, problem in self._refused:
            self._problems.add(problem)
        for _ in range(self._refused_beyond):
            # Only counted: with so many refused, there is no room to keep another.
            self._problems.add(self._refused[-1][1])
        return self._problems.result()


class _Identified(Struct, gc=False):
    id: object = None


class _Events(Struct, gc=False):
    events: list[_Identified]
