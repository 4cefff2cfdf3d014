"""The line: what is tried again, what stops it, and that every event is accounted for. Time is not real here."""

import asyncio
import re
import signal
from collections.abc import Awaitable, Callable, Generator, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from msgspec.structs import replace

from td_currents_cli.codes import Code
from td_currents_cli.errors import EndpointRefusedError, ExitCode, OutputError, UnreachableError
from td_currents_cli.model import Location, Problem
from td_currents_cli.outcome import Problems
from td_currents_cli.send.answers import (
    Answer,
    ConnectionLost,
    Failure,
    NotConnected,
    TimedOut,
    UnknownHost,
)
from td_currents_cli.send.clock import Clock
from td_currents_cli.send.dead_letter import DeadLetter
from td_currents_cli.send.delivery import GRACE, Delivery
from td_currents_cli.send.digest import document_key, event_keys
from td_currents_cli.send.endpoint import Destination, resolve
from td_currents_cli.send.explain import SendInterruptedError, Words
from td_currents_cli.send.feed import Feed
from td_currents_cli.send.outcome import SendOutcome, exit_code_of
from td_currents_cli.send.pace import AUTO, Pace, concurrency_of
from td_currents_cli.send.payload import Origin, Payload, Planned, Unsendable
from td_currents_cli.send.retry import Backoff
from td_currents_cli.send.signals import handled
from td_currents_cli.send.tally import Latencies

OK = Answer(status=200)


@dataclass
class FakeTime:
    """A clock that only moves when somebody sleeps or a request takes its time."""

    now: float = 1000.0
    slept: list[float] = field(default_factory=list)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)

    def clock(self) -> Clock:
        """Without chance: every wait is its bound."""
        return Clock(now=lambda: self.now, wall=lambda: self.now, sleep=self.sleep, uniform=lambda _, high: high)


Script = Callable[[bytes, int], Answer | Failure | Awaitable[Answer | Failure]]


@dataclass
class Scripted:
    """An endpoint that answers by body and attempt, and keeps what it got."""

    script: Script
    bodies: list[bytes] = field(default_factory=list)

    async def post(self, body: bytes) -> Answer | Failure:
        """The next answer of the script."""
        self.bodies.append(body)
        result = self.script(body, self.bodies.count(body))
        await asyncio.sleep(0)
        return result if isinstance(result, Answer | Failure) else await result


def payload(index: int, events: int = 2) -> Payload:
    """A request with ids of its own."""
    ids = ",".join(f'{{"id":"{index}-{number}"}}' for number in range(events))
    origin = Origin(Location(source="a.jsonl", line=index + 1), 0, events)
    return Payload(index=index, body=b'{"events":[' + ids.encode() + b"]}", events=events, origins=(origin,))


def feeding(items: Iterable[Planned]) -> Generator[Planned]:
    """As the planner gives them."""
    yield from items


def deliver(
    items: Iterable[Planned],
    script: Script,
    *,
    concurrency: int = 1,
    retry_for: float = 60,
    time: FakeTime | None = None,
    during: Callable[[Delivery], Awaitable[None]] | None = None,
    note: Callable[[Payload], None] = lambda _: None,
    bury: Callable[[Sequence[DeadLetter]], None] = lambda _: None,
) -> tuple[Delivery, Scripted]:
    """Run the line to its end."""
    clock = (time or FakeTime()).clock()
    endpoint = Scripted(script)
    words = Words(resolve(Destination(url="http://localhost:1/x"), {}))
    backoff = Backoff(retry_for=retry_for, uniform=clock.uniform)
    pace = Pace(concurrency_of(str(concurrency), "--concurrency"), clock=clock)
    delivery = Delivery(endpoint, backoff=backoff, words=words, clock=clock, pace=pace, note=note, bury=bury)

    async def main() -> None:
        with Feed(feeding(items), ahead=concurrency) as feed:
            meanwhile = asyncio.ensure_future(during(delivery)) if during else None
            await delivery.run(feed)
            if meanwhile:
                await meanwhile

    asyncio.run(main())
    return delivery, endpoint


def deliver_and_bury(items: Iterable[Planned], script: Script) -> tuple[Delivery, Scripted, list[DeadLetter]]:
    """Run the line to its end, and keep the dead letters."""
    letters: list[DeadLetter] = []
    delivery, endpoint = deliver(items, script, bury=letters.extend)
    return delivery, endpoint, letters


def test_everything_is_delivered_once() -> None:
    """The good case, with more workers than payloads and with fewer."""
    for concurrency in (1, 3, 50):
        delivery, endpoint = deliver([payload(index) for index in range(20)], lambda *_: OK, concurrency=concurrency)
        assert sorted(endpoint.bodies) == sorted(payload(index).body for index in range(20))
        tally = delivery.tally
        assert (tally.delivered, tally.undelivered, tally.requests, tally.retries) == (40, 0, 20, 0)
        assert tally.by_status == {"200": 20}
        assert tally.in_flight == 0
        assert delivery.error is None


def test_no_more_requests_at_once_than_asked_for() -> None:
    """Concurrency is a bound, and it is used."""
    running, most = 0, 0

    async def slowly() -> Answer:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.005)
        running -= 1
        return OK

    deliver([payload(index) for index in range(40)], lambda *_: slowly(), concurrency=5)
    assert most == 5


def test_the_plan_is_not_read_far_ahead() -> None:
    """Memory is bounded by the concurrency, whatever the input."""
    taken = 0

    def counting() -> Generator[Planned]:
        nonlocal taken
        for index in range(1000):
            taken += 1
            yield payload(index)

    ahead: list[int] = []
    delivered = 0

    def answer(*_: object) -> Answer:
        nonlocal delivered
        ahead.append(taken - delivered)
        delivered += 1
        return OK

    deliver(counting(), answer, concurrency=4)
    assert max(ahead) <= 4 + 4 + 1


def test_waits_grow_and_retry_after_is_honoured() -> None:
    """503, then 429 with Retry-After, then nothing in time, then a 2XX."""
    time = FakeTime()
    results: list[Answer | Failure] = [
        Answer(status=503),
        Answer(status=429, retry_after="7"),
        TimedOut("late"),
        Answer(status=204),
    ]
    delivery, endpoint = deliver([payload(0)], lambda _, attempt: results[attempt - 1], time=time)
    assert time.slept == [0.5, 8.0, 2.0]
    assert len(endpoint.bodies) == 4
    assert (delivery.tally.delivered, delivery.tally.retries) == (2, 3)
    assert delivery.tally.by_status == {"503": 1, "429": 1, "timeout": 1, "204": 1}
    assert delivery.error is None


def test_what_may_be_stored_twice_is_listed_by_id_once() -> None:
    """Treasure Data has no idempotency key: whoever reads the rows must know."""
    results: list[Answer | Failure] = [TimedOut("late"), ConnectionLost("reset"), Answer(status=504), OK]
    delivery, _ = deliver([payload(0), payload(1)], lambda body, attempt: results[attempt - 1] if b"0-" in body else OK)
    assert delivery.tally.unknown == ["0-0", "0-1"]
    assert delivery.tally.unknown_events == 2


def test_a_request_that_was_not_sent_is_not_in_doubt() -> None:
    """A refused connection carries nothing."""
    delivery, _ = deliver([payload(0)], lambda _, attempt: NotConnected("refused") if attempt == 1 else OK)
    assert delivery.tally.unknown_events == 0
    assert delivery.tally.delivered == 2


@pytest.mark.parametrize("status", [401, 403, 404, 302])
def test_a_refusal_stops_the_line_after_one_request(status: int) -> None:
    """Wrong settings are found by the first request: the others are not made."""
    delivery, endpoint = deliver(
        [payload(index) for index in range(50)], lambda *_: Answer(status=status, redirect_host="other"), concurrency=8
    )
    assert len(endpoint.bodies) == 1
    assert isinstance(delivery.error, EndpointRefusedError)
    assert str(status) in delivery.error.message
    assert delivery.is_stopped


def test_an_unknown_host_stops_at_once_but_only_at_first_contact() -> None:
    """Waiting does not mend a typing error; a name server that fails later may recover."""
    delivery, endpoint = deliver([payload(0)], lambda *_: UnknownHost("no such name"), concurrency=8)
    assert len(endpoint.bodies) == 1
    assert isinstance(delivery.error, UnreachableError)
    later, _ = deliver(
        [payload(0), payload(1)],
        lambda body, attempt: UnknownHost("no such name") if b"1-" in body and attempt == 1 else OK,
    )
    assert (later.tally.delivered, later.error) == (4, None)


def test_a_dead_endpoint_ends_the_run_when_the_time_for_retries_is_over() -> None:
    """One payload's patience, not that of each of ten thousand."""
    time = FakeTime()
    delivery, endpoint = deliver(
        [payload(index) for index in range(100)], lambda *_: NotConnected("refused"), time=time, concurrency=8
    )
    assert time.now == 1060.0
    assert set(endpoint.bodies) == {payload(0).body}
    assert isinstance(delivery.error, UnreachableError)
    assert "refused" in delivery.error.message
    assert delivery.is_stopped


def test_a_payload_that_never_gets_through_does_not_hold_up_the_others() -> None:
    """While others are delivered, the endpoint is not down: this one is given up, the exit code says so."""
    delivery, _ = deliver(
        [payload(index) for index in range(300)],
        lambda body, _: Answer(status=500) if b'"7-0"' in body else OK,
        concurrency=2,
        time=FakeTime(),
        retry_for=5,
    )
    assert delivery.tally.undelivered == 2
    assert delivery.tally.delivered == 598
    assert not delivery.is_stopped
    assert isinstance(delivery.error, UnreachableError)


@pytest.mark.parametrize("status", [400, 413])
def test_only_the_event_that_is_refused_is_given_up(status: int) -> None:
    """Its problem knows the place; every other event is delivered, in the order of its payload."""
    delivery, endpoint = deliver(
        [payload(index, events=8) for index in range(5)],
        lambda body, _: Answer(status=status) if b'"3-5"' in body else OK,
        concurrency=3,
    )
    (problem,) = delivery.tally.problems().kept
    assert problem.code is Code.BATCH_REFUSED
    assert (str(problem.location), problem.event_index, problem.event_id) == ("a.jsonl:4", 5, "3-5")
    assert str(status) in problem.message
    assert (delivery.tally.delivered, delivery.tally.dead, delivery.tally.undelivered) == (39, 1, 0)
    assert delivery.error is None
    delivered = [body for body in endpoint.bodies if b'"3-5"' not in body and b'"3-' in body]
    assert re.findall(rb'"3-(\d)"', b"".join(delivered)) == [b"0", b"1", b"2", b"3", b"4", b"6", b"7"]


def test_400_is_followed_by_singles_and_a_single_that_gets_it_again_is_a_dead_letter() -> None:
    """As Braze does it: one request with all, one with each. The letter knows how often its event was sent."""
    delivery, endpoint, letters = deliver_and_bury([payload(0, events=3)], lambda *_: Answer(status=400, text=b"no"))
    assert len(endpoint.bodies) == 4
    assert [body.count(b'"id"') for body in endpoint.bodies] == [3, 1, 1, 1]
    assert [letter.event for letter in letters] == [b'{"id":"0-%d"}' % number for number in range(3)]
    assert {(letter.status, letter.response, letter.attempts) for letter in letters} == {(400, b"no", 2)}
    assert (delivery.tally.dead, delivery.tally.splits) == (3, 1)


def test_413_is_followed_by_halves_down_to_one_event() -> None:
    """No part is sent that is larger than what the endpoint takes, but for finding that out."""
    sizes: list[int] = []

    def at_most_three(body: bytes, _: int) -> Answer:
        sizes.append(body.count(b'"id"'))
        return Answer(status=413 if sizes[-1] > 3 or b'"0-9"' in body else 200)

    delivery, _, letters = deliver_and_bury([payload(0, events=10)], at_most_three)
    assert sizes == [10, 5, 2, 3, 5, 2, 3, 1, 2, 1, 1]
    assert [(letter.status, letter.event_index, letter.attempts) for letter in letters] == [(413, 9, 5)]
    assert (delivery.tally.delivered, delivery.tally.dead, delivery.tally.splits) == (9, 1, 5)


def test_a_part_is_tried_again_like_a_whole() -> None:
    """413, then an endpoint that is busy for a moment."""
    delivery, endpoint = deliver(
        [payload(0, events=4)],
        lambda body, attempt: Answer(status=413 if body.count(b'"id"') == 4 else 503 if attempt == 1 else 200),
    )
    assert len(endpoint.bodies) == 5
    assert (delivery.tally.delivered, delivery.tally.retries, delivery.tally.splits) == (4, 2, 1)


def test_parts_of_what_is_in_doubt_are_not_listed_twice() -> None:
    """One id an event."""
    results: list[Answer | Failure] = [TimedOut("late"), Answer(status=413)]

    def script(body: bytes, attempt: int) -> Answer | Failure:
        if body.count(b'"id"') == 4:
            return results[attempt - 1]
        return ConnectionLost("reset") if attempt == 1 else OK

    delivery, _ = deliver([payload(0, events=4)], script)
    assert delivery.tally.unknown == [f"0-{number}" for number in range(4)]
    assert delivery.tally.delivered == 4


def test_what_is_delivered_is_noted_once_and_nothing_else_is() -> None:
    """By its keys; the parts of a split document by those of their events."""
    noted: list[Payload] = []
    documents = [replace(payload(index), keys=document_key(payload(index).body)) for index in range(3)]
    verdicts: dict[bytes, list[int]] = {b"0-": [503, 200], b"1-": [413, 200, 200]}

    def script(body: bytes, _: int) -> Answer:
        return next((Answer(status=says.pop(0)) for name, says in verdicts.items() if name in body), Answer(status=401))

    deliver(documents, script, note=noted.append)
    singles = [event_keys([b'{"id":"1-%d"}' % number]) for number in range(2)]
    assert [each.keys for each in noted] == [documents[0].keys, *singles]


@pytest.mark.parametrize("what", ["note", "bury"])
def test_what_cannot_be_kept_stops_the_line(what: str) -> None:
    """No new requests, and what was not kept counts as not done."""

    def fail(_: object) -> None:
        raise OutputError("the disk is full")

    script: Script = (lambda *_: OK) if what == "note" else (lambda *_: Answer(status=400))
    failing: Any = {what: fail}
    delivery, endpoint = deliver([payload(index, events=1) for index in range(50)], script, **failing)
    assert delivery.error is not None
    assert "the disk is full" in delivery.error.message
    assert delivery.is_stopped
    assert len(endpoint.bodies) <= 2
    assert delivery.tally.dead == 0


def test_problems_come_in_the_order_of_the_input_whatever_the_order_of_the_answers() -> None:
    """The same run twice prints the same list; beyond the first thousand they are only counted."""

    async def later(body: bytes) -> Answer:
        await asyncio.sleep((body[-5] % 7) / 10_000)
        return Answer(status=400)

    items = [payload(index, events=1) for index in range(1500)]
    delivery, _ = deliver(items, lambda body, _: later(body), concurrency=16)
    problems = delivery.tally.problems()
    assert [problem.location.line for problem in problems.kept] == list(range(1, 1001))
    assert problems.errors == 1500


def test_problems_of_the_stream_and_events_held_back_are_counted() -> None:
    """They pass by the endpoint, not by the books."""
    bad = Problem(code=Code.NOT_JSON, location=Location(source="a", line=1), message="not JSON")
    origin = Origin(Location(source="a", line=2), 4, 1)
    unsendable = Unsendable(event=b"{}", origin=origin, problems=(bad,))
    delivery, endpoint, letters = deliver_and_bury([bad, unsendable, payload(0)], lambda *_: OK)
    assert len(endpoint.bodies) == 1
    assert (delivery.tally.delivered, delivery.tally.dead) == (2, 1)
    assert delivery.tally.problems().errors == 2
    (letter,) = letters
    assert (letter.event, letter.event_index, letter.status, letter.attempts) == (b"{}", 4, None, 0)


def test_a_signal_lets_requests_in_flight_end_and_makes_no_new_ones() -> None:
    """What has been sent gets its answer; what has not is left for the next run."""
    arrived, release = asyncio.Event(), asyncio.Event()

    async def held() -> Answer:
        arrived.set()
        await release.wait()
        return OK

    async def interrupt(delivery: Delivery) -> None:
        await arrived.wait()
        delivery.interrupt(SendInterruptedError("interrupted"))
        await asyncio.sleep(0.01)
        release.set()

    delivery, endpoint = deliver([payload(index) for index in range(9)], lambda *_: held(), during=interrupt)
    assert len(endpoint.bodies) == 1
    assert delivery.tally.delivered == 2
    assert delivery.error is not None
    assert delivery.error.exit_code is ExitCode.INTERRUPTED


def test_a_signal_ends_a_wait_between_attempts_at_once() -> None:
    """Nobody waits out a backoff after Ctrl-C."""

    async def forever(_: float) -> None:
        await asyncio.sleep(3600)

    clock = Clock(sleep=forever)
    endpoint = Scripted(lambda *_: Answer(status=503))
    words = Words(resolve(Destination(url="http://localhost:1/x"), {}))
    backoff = Backoff(retry_for=9, uniform=clock.uniform)
    delivery = Delivery(endpoint, backoff=backoff, words=words, clock=clock, pace=Pace(AUTO, clock=clock))

    async def main() -> None:
        with Feed(feeding([payload(0)]), ahead=1) as feed:
            asyncio.get_running_loop().call_later(0.02, delivery.interrupt, SendInterruptedError("interrupted"))
            await asyncio.wait_for(delivery.run(feed), timeout=5)

    asyncio.run(main())
    assert delivery.tally.undelivered == 2
    assert delivery.tally.unknown_events == 0


def test_a_second_signal_breaks_off_what_is_in_flight_and_notes_the_doubt() -> None:
    """The request may have arrived: its events are unknown, not undelivered without a word."""
    arrived = asyncio.Event()

    async def never() -> Answer:
        arrived.set()
        await asyncio.sleep(3600)
        return OK

    async def twice(delivery: Delivery) -> None:
        await arrived.wait()
        delivery.interrupt(SendInterruptedError("interrupted"))
        delivery.interrupt(SendInterruptedError("interrupted"))

    delivery, _ = deliver([payload(0)], lambda *_: never(), during=twice)
    assert delivery.tally.unknown == ["0-0", "0-1"]
    assert delivery.tally.by_status == {"interrupted": 1}
    assert GRACE <= 30


def test_what_goes_wrong_in_reading_ends_the_run() -> None:
    """The reader has a thread of its own; its exceptions do not vanish there."""

    def broken() -> Generator[Planned]:
        yield payload(0)
        raise UnreachableError("the disk is gone")

    with pytest.raises(UnreachableError, match="the disk is gone"):
        deliver(broken(), lambda *_: OK)


def test_latencies_are_exact_to_a_percent() -> None:
    """Kept as ranges: no memory for each request."""
    latencies = Latencies()
    assert latencies.milliseconds(0.5) is None
    for number in range(1, 1001):
        latencies.add(number / 1000)
    for share, exact in ((0.5, 500), (0.95, 950), (0.99, 990)):
        value = latencies.milliseconds(share)
        assert value is not None
        assert abs(value - exact) <= exact * 0.011


@pytest.mark.parametrize(
    ("error", "is_complete", "unreadable", "code"),
    [
        (None, True, 0, ExitCode.OK),
        (None, True, 1, ExitCode.IO),
        (None, False, 1, ExitCode.INCOMPLETE),
        (UnreachableError("x"), False, 1, ExitCode.UNREACHABLE),
        (EndpointRefusedError("x"), True, 0, ExitCode.REFUSED),
        (SendInterruptedError("x"), True, 0, ExitCode.INTERRUPTED),
    ],
)
def test_the_exit_code_says_what_weighs_most(
    error: UnreachableError | None, is_complete: bool, unreadable: int, code: ExitCode
) -> None:
    """Why the run stopped, then missing events, then inputs, then bad records."""
    assert exit_code_of(error, is_complete=is_complete, problems=Problems(unreadable=unreadable)) is code


def test_an_outcome_that_does_not_balance_says_so() -> None:
    """An event in no state, or in two, is a defect that must be seen."""
    assert SendOutcome(endpoint="e", read=3, delivered=2, undelivered=1).is_balanced
    assert SendOutcome(endpoint="e", read=3, delivered=2).data()["balanced"] is False


def test_signals_get_their_handlers_back() -> None:
    """The command line's own handlers hold again when sending is over."""
    before = signal.getsignal(signal.SIGTERM)
    seen: list[signal.Signals] = []

    async def main() -> None:
        with handled(seen.append):
            signal.raise_signal(signal.SIGTERM)
            await asyncio.sleep(0.01)

    asyncio.run(main())
    assert seen == [signal.SIGTERM]
    assert signal.getsignal(signal.SIGTERM) is before
