"""Delivery: several requests at once, each retried until its payload has arrived or is given up."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Protocol

from td_currents_cli.errors import OutputError, TdcurError
from td_currents_cli.journal.keys import event_keys
from td_currents_cli.model import Problem
from td_currents_cli.send.concurrency import RequestLimiter
from td_currents_cli.send.dead_letters import DeadLetter
from td_currents_cli.send.messages import Messages
from td_currents_cli.send.payload import Origin, Payload, Planned, Unsendable, body_of, prefix_of
from td_currents_cli.send.queue import PayloadQueue
from td_currents_cli.send.retry import (
    Clock,
    HttpResponse,
    NextStep,
    NotConnected,
    RequestFailure,
    RetrySchedule,
    may_have_arrived,
    next_step,
    retry_after_seconds,
)
from td_currents_cli.send.stats import SendStats


def halves(payload: Payload) -> list[Payload]:
    """Return the first and the second half of the events; nothing for a single event."""
    if payload.events < 2:
        return []
    return list(_parts(payload, [0, payload.events // 2, payload.events]))


def singles(payload: Payload) -> list[Payload]:
    return list(_parts(payload, range(payload.events + 1)))


def _parts(payload: Payload, bounds: list[int] | range) -> Iterator[Payload]:
    events = payload.event_texts()
    prefix, _ = prefix_of(payload.body)
    origins = [
        Origin(origin.location, place, 1)
        for origin in payload.origins
        for place in range(origin.first, origin.first + origin.count)
    ]
    for start, end in pairwise(bounds):
        yield Payload(
            index=payload.index,
            body=body_of(prefix, events[start:end]),
            events=end - start,
            origins=tuple(origins[start:end]),
            keys=event_keys(events[start:end]) if payload.keys else b"",
        )


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


GRACE: Final = 10.0  # seconds that requests in flight have to end after the first signal


class HttpClient(Protocol):
    """What makes requests: `http.HttpxClient`."""

    async def post(self, body: bytes) -> HttpResponse | RequestFailure: ...


class Sender:
    """Takes payloads from a queue to the endpoint.

    `record` is called with each delivered payload, `add_dead_letters` with events that are refused. If they raise
    OutputError, the sender stops. `error` is why it stopped, or why some payloads were given up.
    """

    def __init__(
        self,
        client: HttpClient,
        *,
        schedule: RetrySchedule,
        messages: Messages,
        clock: Clock,
        limiter: RequestLimiter,
        record: Callable[[Payload], None] = lambda _: None,
        add_dead_letters: Callable[[Sequence[DeadLetter]], None] = lambda _: None,
    ) -> None:
        self.stats = SendStats()
        self.error: TdcurError | None = None
        self._client = client
        self._schedule = schedule
        self._messages = messages
        self._clock = clock
        self._limiter = limiter
        self._record = record
        self._add_dead_letters = add_dead_letters
        self._stopped = asyncio.Event()
        self._reached = asyncio.Event()
        self._delivered_at = float("-inf")
        self._workers: list[asyncio.Task[None]] = []
        self._queue: PayloadQueue | None = None

    @property
    def is_stopped(self) -> bool:
        """Whether the sender stopped before everything was tried."""
        return self._stopped.is_set()

    async def run(self, queue: PayloadQueue) -> None:
        """Deliver everything in the queue, or stop early; `error` tells which.

        The first request goes alone until the endpoint has been reached: wrong settings cost one request, not many.
        """
        self._queue = queue
        try:
            async with asyncio.TaskGroup() as group:
                first = group.create_task(self._work(queue))
                first.add_done_callback(lambda _: self._reached.set())
                others = range(self._limiter.most - 1)
                self._workers = [first, *(group.create_task(self._work_once_reached(queue)) for _ in others)]
        except ExceptionGroup as defects:
            # The first one says what is wrong; the others are the same in other workers.
            raise defects.exceptions[0] from defects

    def interrupt(self, error: TdcurError) -> None:
        """Stop: make no new requests and let those in flight end within `GRACE`. A second call ends them at once."""
        if self._stopped.is_set():
            self._cancel_workers()
        else:
            asyncio.get_running_loop().call_later(GRACE, self._cancel_workers)
        # Counts even after the endpoint refused: whoever sent the signal looks for its exit code.
        self.error = error
        self._stop()

    def halt(self, error: TdcurError) -> None:
        """Make no new requests, because it makes no sense to go on. The first reason is the one that counts."""
        self.error = self.error or error
        self._stop()

    def _cancel_workers(self) -> None:
        for worker in self._workers:
            worker.cancel()

    def _stop(self) -> None:
        self._stopped.set()
        self._reached.set()
        self._limiter.close()
        if self._queue is not None:
            self._queue.close()

    async def _work_once_reached(self, queue: PayloadQueue) -> None:
        await self._reached.wait()
        await self._work(queue)

    async def _work(self, queue: PayloadQueue) -> None:
        while not self._stopped.is_set():
            item = await queue.get()
            if item is None:
                return
            try:
                await self._process(item)
            except OutputError as error:
                # What must be kept cannot be: nothing more is sent before somebody has seen to that.
                self.halt(error)

    async def _process(self, item: Planned) -> None:
        if isinstance(item, Problem):
            self.stats.add_problem(item)
        elif isinstance(item, Unsendable):
            self._add_dead_letters([item.letter()])
            self.stats.add_dead_letter(item.problems)
        else:
            await self._deliver(InFlightPayload(item))

    async def _deliver(self, sending: InFlightPayload) -> None:
        """Try until the payload has arrived, is refused, or is given up."""
        while await self._limiter.enter(sending.payload.events):
            result = await self._attempt(sending)
            step = next_step(result, reached=self._reached.is_set())
            if not isinstance(result, NotConnected):
                self._reached.set()
            if step is not NextStep.RETRY:
                await self._finish(sending, result, step)
                return
            sending.failures += 1
            if sending.failures == 1:
                sending.failed_at = self._clock.now()
            if not await self._wait(sending, result):
                break
        self.stats.give_up(sending.payload)

    async def _attempt(self, sending: InFlightPayload) -> HttpResponse | RequestFailure:
        started = self._clock.now()
        sending.attempts += 1
        self.stats.begin(is_retry=sending.failures > 0)
        try:
            result = await self._client.post(sending.payload.body)
        except asyncio.CancelledError:
            self.stats.end(None, 0.0)
            self._limiter.leave(None, started)
            self._mark_ambiguous(sending)
            raise
        self.stats.end(result, self._clock.now() - started)
        self._limiter.leave(result, started)
        if may_have_arrived(result):
            self._mark_ambiguous(sending)
        return result

    def _mark_ambiguous(self, sending: InFlightPayload) -> None:
        if not sending.is_ambiguous:
            sending.is_ambiguous = True
            self.stats.mark_ambiguous(sending.payload)

    async def _finish(self, sending: InFlightPayload, result: HttpResponse | RequestFailure, step: NextStep) -> None:
        if step is NextStep.DELIVERED:
            self._delivered_at = self._clock.now()
            self.stats.deliver(sending.payload)
            self._record(sending.payload)
        elif step is NextStep.STOP:
            self.stats.give_up(sending.payload)
            self.halt(self._messages.stopped(result))
        elif isinstance(result, HttpResponse):
            await self._send_in_parts(sending, result, step)

    async def _send_in_parts(self, sending: InFlightPayload, response: HttpResponse, step: NextStep) -> None:
        """Send the parts of a refused payload; a refused single event becomes a dead letter."""
        if parts := sending.parts(step):
            self.stats.splits += 1
            # One after the other: the order within a document is kept.
            for part in parts:
                await self._deliver(part)
        else:
            letter = self._messages.dead_letter(sending.payload, response, attempts=sending.attempts)
            self._add_dead_letters([letter])
            self.stats.add_dead_letter(letter.problems, index=sending.payload.index)

    async def _wait(self, sending: InFlightPayload, result: HttpResponse | RequestFailure) -> bool:
        """Wait for the next attempt. False when the time for retries is over."""
        header = result.retry_after if isinstance(result, HttpResponse) else None
        spent = self._clock.now() - sending.failed_at
        wait = self._schedule.wait(
            failures=sending.failures, spent=spent, asked=retry_after_seconds(header, self._clock.wall())
        )
        if wait is not None:
            await self._clock.pause(wait, self._stopped)
            return True
        self.error = self.error or self._messages.retries_exhausted(result, self._schedule.retry_for)
        if self._delivered_at < sending.failed_at:
            # Nothing got through in all that time: the endpoint is down, not just this payload refused.
            self._stop()
        return False
