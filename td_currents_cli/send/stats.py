"""What happened to every event, counted while it happens, in memory that does not grow with the number of requests."""

import math
from bisect import insort
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from td_currents_cli.model import Problem
from td_currents_cli.outcome import ProblemLog, Problems
from td_currents_cli.progress import Progress
from td_currents_cli.send.payload import Payload, names_of
from td_currents_cli.send.retry import HttpResponse, RequestFailure

_MAX_KEPT: Final = 1000


class Latencies:
    """Seconds from request to response, kept as counts of ranges that are 1 % wide."""

    _STEP: Final = math.log(1.01)

    def __init__(self) -> None:
        self._counts: Counter[int] = Counter()

    def add(self, seconds: float) -> None:
        self._counts[round(math.log(max(seconds, 1e-6)) / self._STEP)] += 1

    def milliseconds(self, share: float) -> float | None:
        """Return the latency that this share of the responses did not exceed; None without responses."""
        left = share * self._counts.total()
        for step in sorted(self._counts):
            left -= self._counts[step]
            if left <= 0:
                return round(math.exp(step * self._STEP) * 1000, 1)
        return None


@dataclass(slots=True)
class SendStats:
    """The counts of a run; see `SendOutcome`."""

    delivered: int = 0
    undelivered: int = 0  # not retried in this run, for a reason that has nothing to do with the payload
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
    retrying: tuple[float, str] | None = None  # when the latest failed request is sent again, and why it failed
    problem_log: ProblemLog = field(default_factory=ProblemLog)
    _refused: list[tuple[int, Problem]] = field(default_factory=list)
    _refused_beyond: int = 0

    def begin(self, *, is_retry: bool) -> None:
        self.requests += 1
        self.retries += is_retry
        self.in_flight += 1

    def end(self, result: HttpResponse | RequestFailure | None, seconds: float) -> None:
        """Count a request that has ended, or was canceled (None)."""
        self.in_flight -= 1
        if isinstance(result, HttpResponse):
            self.latencies.add(seconds)
            self.by_status[str(result.status)] += 1
        else:
            self.by_status["interrupted" if result is None else result.label] += 1

    def deliver(self, payload: Payload) -> None:
        self.delivered += payload.events
        self.bytes += len(payload.body)
        self.retrying = None

    def add_dead_letter(self, problems: Iterable[Problem], *, index: int | None = None) -> None:
        """Count an event that has become a dead letter.

        Args:
            problems: why.
            index: of its payload in the plan, where it was sent: responses come in any order, and of their problems
                the first in the order of the plan are kept.
        """
        self.dead += 1
        for problem in problems:
            if index is None:
                self.problem_log.add(problem)
                continue
            insort(self._refused, (index, problem), key=lambda refused: refused[0])
            if len(self._refused) > _MAX_KEPT:
                self._refused.pop()
                self._refused_beyond += 1

    def mark_ambiguous(self, payload: Payload) -> None:
        self.unknown_events += payload.events
        # An id that cannot be read (it contains a lone surrogate) is still counted.
        ids = (names_of(event)[0] for event in payload.event_texts())
        self.unknown.extend(each for each in ids if each is not None)

    def progress(self, share: float | None, now: float) -> Progress:
        """Return the figures at a moment, with the share of the input that is delivered or given up."""
        retrying = ""
        if self.retrying is not None:
            due, reason = self.retrying
            when = f"in {due - now:.0f} s" if due - now >= 0.5 else "now"
            retrying = f"retrying {when}: {reason}"
        retries = [f"{self.retries:,} {'retry' if self.retries == 1 else 'retries'}"] * bool(self.retries)
        return Progress(
            done=self.delivered,
            unit="events",
            settled=share,
            figures=(f"{self.bytes / 1e6:,.1f} MB", f"{self.in_flight} in flight", *retries),
            retrying=retrying,
        )

    def problems(self) -> Problems:
        """Return all problems: those of the input in its order, then refused payloads in theirs."""
        for _, problem in self._refused:
            self.problem_log.add(problem)
        for _ in range(self._refused_beyond):
            # Only counted: there are so many that no other is kept.
            self.problem_log.add(self._refused[-1][1])
        return self.problem_log.result()
