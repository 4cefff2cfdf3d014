"""Delivery: several requests at once, each retried until its payload has arrived or is given up."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from td_currents_cli.braze import EMPTY_PAYLOAD
from td_currents_cli.errors import OutputError, TdcurError
from td_currents_cli.journal.keys import DOCUMENT, event_keys, split_keys
from td_currents_cli.model import Problem
from td_currents_cli.send.concurrency import RequestLimiter
from td_currents_cli.send.dead_letters import DeadLetter
from td_currents_cli.send.messages import Messages
from td_currents_cli.send.payload import Origin, Payload, body_of, prefix_of
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


def parts_of(payload: Payload, bounds: Sequence[int]) -> Iterator[Payload]:
    """Yield payloads with the events between each bound and the next."""
    events = payload.event_texts()
    prefix, _ = prefix_of(payload.body)
    keys = split_keys(payload.keys)
    if keys and (len(keys) < len(events) or payload.keys.startswith(DOCUMENT)):
        keys = split_keys(event_keys(events))
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
            keys=b"".join(keys[start:end]),
        )


@dataclass(slots=True)
class InFlightPayload:
    """A payload while it is sent, and retried."""

    payload: Payload
    failures: int = 0  # attempts after which it was retried
    failed_at: float = 0.0  # when the first of them ended
    attempts: int = 0  # requests that were made with its events
    is_ambiguous: bool = False  # may have arrived although no response says so
    is_part: bool = False  # of a payload that was refused
    is_single: bool = False  # one event of a payload that got 400

    def parts(self, step: NextStep) -> "list[InFlightPayload]":
        """Return what is sent instead when it is refused: singles after 400, halves after 413."""
        count, is_bad = self.payload.events, step is NextStep.BAD_REQUEST
        if self.is_single if is_bad else count == 1:
            return []
        bounds = range(count + 1) if is_bad else (0, count // 2, count)
        is_single = is_bad or self.is_single
        return [
            InFlightPayload(
                part, attempts=self.attempts, is_ambiguous=self.is_ambiguous, is_part=True, is_single=is_single
            )
            for part in parts_of(self.payload, bounds)
        ]


GRACE: Final = 10.0  # seconds that requests in flight have to end after the first signal

_ALONE: Final = 3  # failures of one payload after which others are tried: it may be the payload


class Sender:
    """Takes payloads from a queue to the endpoint.

    `post` makes a request with a body. `record` is called with each delivered payload, `add_dead_letter` with each
    event that is refused; if they raise OutputError, the sender stops. `error` is why it stopped, or why some payloads
    were given up.

    A refused endpoint is not bad data. Until something was accepted, one payload at a time is split, and what is
    refused of it is held back. When it is refused to its last event, the connection test decides: if that is accepted,
    the events are dead letters, else the sender stops.
    """

    def __init__(
        self,
        post: Callable[[bytes], Awaitable[HttpResponse | RequestFailure]],
        *,
        schedule: RetrySchedule,
        messages: Messages,
        clock: Clock,
        limiter: RequestLimiter,
        record: Callable[[Payload], None] = lambda _: None,
        add_dead_letter: Callable[[DeadLetter], None] = lambda _: None,
    ) -> None:
        self.stats = SendStats()
        self.error: TdcurError | None = None
        self.warnings: tuple[str, ...] = ()
        self._post = post
        self._schedule = schedule
        self._messages = messages
        self._clock = clock
        self._limiter = limiter
        self._record = record
        self._add_dead_letter = add_dead_letter
        self.stopped = asyncio.Event()  # before everything was tried
        self._open = asyncio.Event()  # whether other workers than the first may take payloads
        self._is_reached = False  # whether there has been a connection
        self._has_accepted = False
        self._deciding = asyncio.Lock()  # held while a payload is split and nothing was accepted
        self._held: list[tuple[int, DeadLetter]] = []  # with the index of their payload
        self._delivered_at = float("-inf")
        self._workers: list[asyncio.Task[None]] = []
        self._queue: PayloadQueue | None = None

    async def run(self, queue: PayloadQueue) -> None:
        """Deliver everything in the queue, or stop early; `error` tells which.

        One request at a time is made until something was accepted: wrong settings cost one request, not many. So it is
        after each failure until the endpoint responds again.
        """
        self._queue = queue
        try:
            async with asyncio.TaskGroup() as group:
                first = group.create_task(self._work(queue, is_first=True))
                first.add_done_callback(lambda _: self._open.set())
                others = range(self._limiter.most - 1)
                self._workers = [first, *(group.create_task(self._work(queue)) for _ in others)]
        except ExceptionGroup as defects:
            # The first one says what is wrong; the others are the same in other workers.
            raise defects.exceptions[0] from defects

    def interrupt(self, error: TdcurError) -> None:
        """Stop: make no new requests and let those in flight end within `GRACE`. A second call ends them at once."""
        if self.stopped.is_set():
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
        self.stopped.set()
        self._open.set()
        self._limiter.close()
        if self._queue is not None:
            self._queue.close()

    async def _work(self, queue: PayloadQueue, *, is_first: bool = False) -> None:
        while not self.stopped.is_set():
            if not is_first:
                await self._open.wait()
            item = await queue.get()
            if item is None:
                return
            try:
                if isinstance(item, Problem):
                    self.stats.problem_log.add(item)
                elif isinstance(item, DeadLetter):
                    self._give_up_for_good(None, item)
                else:
                    await self._deliver(InFlightPayload(item))
            except OutputError as error:
                # What must be kept cannot be: nothing more is sent before somebody has seen to that.
                self.halt(error)

    async def _deliver(self, sending: InFlightPayload) -> None:
        """Try until the payload has arrived, is refused, or is given up."""
        settled = await self._settle(sending)
        if settled is None:
            self.stats.undelivered += sending.payload.events
            return
        result, step = settled
        if step is NextStep.STOP or isinstance(result, RequestFailure):
            self.stats.undelivered += sending.payload.events
            self.halt(self._messages.stopped(result))
        elif step is NextStep.DELIVERED:
            self._delivered_at = self._clock.now()
            self.stats.deliver(sending.payload)
            self._record(sending.payload)
            self._accept(result)
        elif sending.is_part or self._has_accepted:
            await self._send_in_parts(sending, result, step)
        else:
            await self._decide(sending, result, step)

    async def _settle(self, sending: InFlightPayload) -> tuple[HttpResponse | RequestFailure, NextStep] | None:
        """Try until there is something else to do than to try again; None when there is no time left for that."""
        while await self._limiter.enter(sending.payload.events, is_retry=sending.failures > 0):
            result = await self._attempt(sending)
            step = next_step(result, reached=self._is_reached)
            self._is_reached = self._is_reached or not isinstance(result, NotConnected)
            if step is not NextStep.RETRY:
                if self._has_accepted:
                    self._open.set()
                return result, step
            sending.failures += 1
            if sending.failures == 1:
                sending.failed_at = self._clock.now()
            if self.stopped.is_set() or (self._is_reached and sending.failures >= _ALONE):
                self._open.set()
            else:
                self._open.clear()
            if not await self._wait(sending, result):
                self._open.set()
                break
        return None

    async def _attempt(self, sending: InFlightPayload) -> HttpResponse | RequestFailure:
        started = self._clock.now()
        sending.attempts += 1
        self.stats.begin(is_retry=sending.failures > 0)
        result = None
        try:
            result = await self._post(sending.payload.body)
        finally:
            # None where the worker was canceled.
            self.stats.end(result, self._clock.now() - started)
            self._limiter.leave(result, started)
            if sending.payload.events and not sending.is_ambiguous and (result is None or may_have_arrived(result)):
                sending.is_ambiguous = True
                self.stats.mark_ambiguous(sending.payload)
        return result

    def _accept(self, response: HttpResponse) -> None:
        """From now on a refusal is about the events; so are those of which it was not known."""
        self._has_accepted = True
        self._open.set()
        if response.is_page and not self.warnings:
            self.warnings = (self._messages.web_page(response),)
        while self._held:
            self._give_up_for_good(*self._held.pop(0))

    async def _send_in_parts(self, sending: InFlightPayload, response: HttpResponse, step: NextStep) -> None:
        """Send the parts of a refused payload; a refused single event becomes a dead letter."""
        if parts := sending.parts(step):
            self.stats.splits += 1
            # One after the other: the order within a document is kept.
            for part in parts:
                await self._deliver(part)
            return
        letter = self._messages.dead_letter(sending.payload, response, attempts=sending.attempts)
        if self._has_accepted:
            self._give_up_for_good(sending.payload.index, letter)
        else:
            self._held.append((sending.payload.index, letter))

    def _give_up_for_good(self, index: int | None, letter: DeadLetter) -> None:
        self._add_dead_letter(letter)
        self.stats.add_dead_letter(letter.problems, index=index)

    async def _decide(self, sending: InFlightPayload, response: HttpResponse, step: NextStep) -> None:
        """Find out whether the events of a refused payload are bad, or the endpoint refuses everything."""
        async with self._deciding:
            if not self._has_accepted:
                if self.stopped.is_set():
                    self.stats.undelivered += sending.payload.events
                    return
                await self._send_in_parts(sending, response, step)
                if self._held:
                    await self._test_connection()
                return
        # Something was accepted meanwhile.
        await self._send_in_parts(sending, response, step)

    async def _test_connection(self) -> None:
        test = Payload(index=0, body=EMPTY_PAYLOAD, events=0, origins=())
        settled = None if self.stopped.is_set() else await self._settle(InFlightPayload(test))
        if settled is not None and not self._has_accepted:
            result, step = settled
            if not isinstance(result, HttpResponse) or step is NextStep.STOP:
                self.halt(self._messages.stopped(result))
            elif step is NextStep.DELIVERED:
                self._accept(result)
            else:
                self.halt(self._messages.refuses_everything(result))
        # What is left is undelivered.
        self._held.clear()

    async def _wait(self, sending: InFlightPayload, result: HttpResponse | RequestFailure) -> bool:
        """Wait for the next attempt. False when the time for retries is over."""
        header = result.retry_after if isinstance(result, HttpResponse) else None
        asked = retry_after_seconds(header, self._clock.wall())
        now, limit = self._clock.now(), self._schedule.limit(reached=self._is_reached)
        spent = now - sending.failed_at
        wait = self._schedule.wait(failures=sending.failures, spent=spent, asked=asked, reached=self._is_reached)
        if wait is not None:
            self.stats.retrying = (now + wait, self._messages.reason(result))
            await self._clock.pause(wait, self.stopped)
            return True
        # An endpoint that asked for more time than there is was not tried until the end.
        asked = asked if spent < limit else 0.0
        self.error = self.error or self._messages.retries_exhausted(
            result, limit, asked=asked, was_reached=self._is_reached
        )
        if self._delivered_at < sending.failed_at:
            # Nothing got through in all that time: the endpoint is down, not just this payload refused.
            self._stop()
        return False
