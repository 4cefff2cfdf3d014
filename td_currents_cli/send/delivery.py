"""Delivery: several requests at once, each repeated until its payload has arrived or is given up."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from td_currents_cli.errors import OutputError, TdcurError
from td_currents_cli.model import Problem
from td_currents_cli.send.answers import Answer, Failure, NotConnected
from td_currents_cli.send.clock import Clock
from td_currents_cli.send.dead_letter import DeadLetter
from td_currents_cli.send.explain import Words
from td_currents_cli.send.feed import Feed
from td_currents_cli.send.inlet import Inlet
from td_currents_cli.send.pace import Pace
from td_currents_cli.send.parcel import Parcel
from td_currents_cli.send.payload import Payload, Planned, Unsendable
from td_currents_cli.send.retry import Backoff, Verdict, judge, may_have_arrived, seconds_asked
from td_currents_cli.send.tally import Tally

GRACE: Final = 10.0
"""Seconds that requests in flight have to end after the first signal."""


class Poster(Protocol):
    """What makes requests: `client.Client`."""

    async def post(self, body: bytes) -> Answer | Failure:
        """Send one payload."""


class Delivery:
    """The line from the plan to the endpoint.

    Attributes:
        tally: what has become of each event.
        error: why the line stopped, or why some payloads were given up; None when neither happened.
    """

    def __init__(
        self,
        poster: Poster,
        *,
        backoff: Backoff,
        words: Words,
        clock: Clock,
        pace: Pace,
        note: Callable[[Payload], None] = lambda _: None,
        bury: Callable[[Sequence[DeadLetter]], None] = lambda _: None,
    ) -> None:
        """Prepare.

        Args:
            poster: makes the requests.
            backoff: how long to wait between attempts.
            words: what to say about answers.
            clock: where time comes from.
            pace: lets requests go.
            note: told of each payload that was delivered. May raise OutputError, which stops the line.
            bury: told of events that become dead letters. May raise OutputError, which stops the line.
        """
        self.tally = Tally()
        self.error: TdcurError | None = None
        self._poster = poster
        self._backoff = backoff
        self._words = words
        self._clock = clock
        self._pace = pace
        self._note = note
        self._bury = bury
        self._stopped = asyncio.Event()
        self._reached = asyncio.Event()
        self._delivered_at = float("-inf")
        self._workers: list[asyncio.Task[None]] = []
        self._feed: Feed | Inlet | None = None

    @property
    def is_stopped(self) -> bool:
        """Whether the line stopped before everything was tried."""
        return self._stopped.is_set()

    async def run(self, feed: Feed | Inlet) -> None:
        """Deliver all that the feed gives, or stop early; `error` tells which.

        The first request goes alone until the endpoint has been reached: wrong settings cost one request, not many.
        """
        self._feed = feed
        try:
            async with asyncio.TaskGroup() as group:
                first = group.create_task(self._work(feed))
                first.add_done_callback(lambda _: self._reached.set())
                self._workers = [first, *(group.create_task(self._follow(feed)) for _ in range(self._pace.most - 1))]
        except ExceptionGroup as defects:
            # The first one says what is wrong; the others are the same in other workers.
            raise defects.exceptions[0] from defects

    def interrupt(self, error: TdcurError) -> None:
        """Stop: make no new requests and let those in flight end within `GRACE`. A second call ends them at once."""
        if self._stopped.is_set():
            self._break_off()
        else:
            asyncio.get_running_loop().call_later(GRACE, self._break_off)
        # Counts even after the endpoint refused us: whoever sent the signal looks for its exit code.
        self.error = error
        self._stop()

    def _break_off(self) -> None:
        for worker in self._workers:
            worker.cancel()

    def _stop(self) -> None:
        self._stopped.set()
        self._reached.set()
        self._pace.close()
        if self._feed is not None:
            self._feed.close()

    def halt(self, error: TdcurError) -> None:
        """Stop, since it makes no sense to go on: make no new requests. The first reason is the one that counts."""
        self.error = self.error or error
        self._stop()

    async def _follow(self, feed: Feed | Inlet) -> None:
        await self._reached.wait()
        await self._work(feed)

    async def _work(self, feed: Feed | Inlet) -> None:
        while not self._stopped.is_set():
            item = await feed.get()
            if item is None:
                return
            try:
                await self._see_to(item)
            except OutputError as error:
                # What is to be kept cannot be: nothing more is sent before somebody has seen to that.
                self.halt(error)

    async def _see_to(self, item: Planned) -> None:
        if isinstance(item, Problem):
            self.tally.problem(item)
        elif isinstance(item, Unsendable):
            self._bury([item.letter()])
            self.tally.bury(item.problems)
        else:
            await self._deliver(Parcel(item))

    async def _deliver(self, parcel: Parcel) -> None:
        """Try until the payload has arrived, is refused, or is given up."""
        while await self._pace.enter(parcel.payload.events):
            result = await self._attempt(parcel)
            verdict = judge(result, reached=self._reached.is_set())
            if not isinstance(result, NotConnected):
                self._reached.set()
            if verdict is not Verdict.AGAIN:
                await self._conclude(parcel, result, verdict)
                return
            parcel.failures += 1
            if parcel.failures == 1:
                parcel.failed_at = self._clock.now()
            if not await self._wait(parcel, result):
                break
        self.tally.give_up(parcel.payload)

    async def _attempt(self, parcel: Parcel) -> Answer | Failure:
        """Make one request and count it."""
        begun = self._clock.now()
        parcel.attempts += 1
        self.tally.begin(repeats=parcel.failures > 0)
        try:
            result = await self._poster.post(parcel.payload.body)
        except asyncio.CancelledError:
            self.tally.end(None, 0.0)
            self._pace.leave(None, begun)
            self._doubt(parcel)
            raise
        self.tally.end(result, self._clock.now() - begun)
        self._pace.leave(result, begun)
        if may_have_arrived(result):
            self._doubt(parcel)
        return result

    def _doubt(self, parcel: Parcel) -> None:
        if not parcel.in_doubt:
            parcel.in_doubt = True
            self.tally.doubt(parcel.payload)

    async def _conclude(self, parcel: Parcel, result: Answer | Failure, verdict: Verdict) -> None:
        if verdict is Verdict.DELIVERED:
            self._delivered_at = self._clock.now()
            self.tally.deliver(parcel.payload)
            self._note(parcel.payload)
        elif verdict is Verdict.STOP:
            self.tally.give_up(parcel.payload)
            self.halt(self._words.stopped(result))
        elif isinstance(result, Answer):
            await self._send_in_parts(parcel, result, verdict)

    async def _send_in_parts(self, parcel: Parcel, answer: Answer, verdict: Verdict) -> None:
        """What is refused as it is; an event that was by itself already is a dead letter."""
        if parts := parcel.parts(verdict):
            self.tally.splits += 1
            # One after the other: the order within a document is kept.
            for part in parts:
                await self._deliver(part)
        else:
            letter = self._words.dead(parcel.payload, answer, attempts=parcel.attempts)
            self._bury([letter])
            self.tally.bury(letter.problems, index=parcel.payload.index)

    async def _wait(self, parcel: Parcel, result: Answer | Failure) -> bool:
        """Wait for the next attempt. False when there will be none, since the time for retries is over."""
        header = result.retry_after if isinstance(result, Answer) else None
        wait = self._backoff.wait(
            failures=parcel.failures,
            spent=self._clock.now() - parcel.failed_at,
            asked=seconds_asked(header, self._clock.wall()),
        )
        if wait is not None:
            await self._clock.pause(wait, self._stopped)
            return True
        self.error = self.error or self._words.exhausted(result)
        if self._delivered_at < parcel.failed_at:
            # Nothing got through in all that time: the endpoint is down, and not this payload the reason.
            self._stop()
        return False
