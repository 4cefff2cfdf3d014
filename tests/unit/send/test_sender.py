"""The line: what is retried, what stops it, and that every event is accounted for. Time is not real here."""

import asyncio
import re
import signal
from collections.abc import Awaitable, Callable, Generator, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from msgspec.structs import replace

from td_currents_cli.errors import EndpointRefusedError, ExitCode, OutputError, UnreachableError
from td_currents_cli.journal.keys import document_key, event_keys
from td_currents_cli.model import Code, Location, Problem
from td_currents_cli.outcome import Problems
from td_currents_cli.send.command import signals_handled
from td_currents_cli.send.concurrency import AUTO, RequestLimiter, concurrency_of
from td_currents_cli.send.dead_letters import DeadLetter
from td_currents_cli.send.endpoint import Destination, resolve
from td_currents_cli.send.messages import Messages, SendInterruptedError
from td_currents_cli.send.payload import Origin, Payload, Planned, Unsendable
from td_currents_cli.send.queue import PayloadQueue
from td_currents_cli.send.result import SendOutcome, exit_code_of
from td_currents_cli.send.retry import (
    Clock,
    ConnectionLost,
    HttpResponse,
    NotConnected,
    RequestFailure,
    RetrySchedule,
    TimedOut,
    UnknownHost,
)
from td_currents_cli.send.sender import GRACE, Sender
from td_currents_cli.send.stats import Latencies
from tests.clock import FakeTime

OK = HttpResponse(status=200)


Script = Callable[[bytes, int], HttpResponse | RequestFailure | Awaitable[HttpResponse | RequestFailure]]


@dataclass
class Scripted:
    """An endpoint that answers by body and attempt, and keeps what it got."""

    script: Script
    bodies: list[bytes] = field(default_factory=list)

    async def post(self, body: bytes) -> HttpResponse | RequestFailure:
        """The next answer of the script."""
        self.bodies.append(body)
        result = self.script(body, self.bodies.count(body))
        await asyncio.sleep(0)
        return result if isinstance(result, HttpResponse | RequestFailure) else await result


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
    rate: float | None = None,
    time: FakeTime | None = None,
    during: Callable[[Sender], Awaitable[None]] | None = None,
    record: Callable[[Payload], None] = lambda _: None,
    add_dead_letters: Callable[[Sequence[DeadLetter]], None] = lambda _: None,
) -> tuple[Sender, Scripted]:
    """Run the sender to its end."""
    clock = (time or FakeTime()).clock()
    endpoint = Scripted(script)
    messages = Messages(resolve(Destination(url="http://localhost:1/x"), {}))
    schedule = RetrySchedule(retry_for=retry_for, uniform=clock.uniform)
    limiter = RequestLimiter(concurrency_of(str(concurrency), "--concurrency"), clock=clock, rate=rate)
    sender = Sender(
        endpoint,
        schedule=schedule,
        messages=messages,
        clock=clock,
        limiter=limiter,
        record=record,
        add_dead_letters=add_dead_letters,
    )

    async def main() -> None:
        with PayloadQueue(feeding(items), ahead=concurrency) as queue:
            meanwhile = asyncio.ensure_future(during(sender)) if during else None
            await sender.run(queue)
            if meanwhile:
                await meanwhile

    asyncio.run(main())
    return sender, endpoint


def deliver_with_letters(items: Iterable[Planned], script: Script) -> tuple[Sender, Scripted, list[DeadLetter]]:
    """Run the sender to its end, and keep the dead letters."""
    letters: list[DeadLetter] = []
    sender, endpoint = deliver(items, script, add_dead_letters=letters.extend)
    return sender, endpoint, letters


def test_everything_is_delivered_once() -> None:
    for concurrency in (1, 3, 50):
        sender, endpoint = deliver([payload(index) for index in range(20)], lambda *_: OK, concurrency=concurrency)
        assert sorted(endpoint.bodies) == sorted(payload(index).body for index in range(20))
        stats = sender.stats
        assert (stats.delivered, stats.undelivered, stats.requests, stats.retries) == (40, 0, 20, 0)
        assert stats.by_status == {"200": 20}
        assert stats.in_flight == 0
        assert sender.error is None


@pytest.mark.parametrize("latency", [0.0, 0.1, 0.19])
def test_the_rate_is_kept_within_5_percent(latency: float) -> None:
    """Events per second, as they arrive, however long a request takes."""
    time = FakeTime()
    arrivals: list[float] = []

    def script(*_: object) -> HttpResponse:
        arrivals.append(time.now)
        time.now += latency
        return OK

    deliver([payload(index, events=10) for index in range(16)], script, time=time, rate=50)
    assert 15 * 10 / (arrivals[-1] - arrivals[0]) == pytest.approx(50, rel=0.05)
    assert 16 * 10 / (arrivals[-1] - 1000.0) == pytest.approx(50, rel=0.05)


def test_no_more_requests_at_once_than_asked_for() -> None:
    running, most = 0, 0

    async def slowly() -> HttpResponse:
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

    def answer(*_: object) -> HttpResponse:
        nonlocal delivered
        ahead.append(taken - delivered)
        delivered += 1
        return OK

    deliver(counting(), answer, concurrency=4)
    assert max(ahead) <= 4 + 4 + 1


def test_waits_grow_and_retry_after_is_honored() -> None:
    """503, then 429 with Retry-After, then nothing in time, then a 2XX."""
    time = FakeTime()
    results: list[HttpResponse | RequestFailure] = [
        HttpResponse(status=503),
        HttpResponse(status=429, retry_after="7"),
        TimedOut("late"),
        HttpResponse(status=204),
    ]
    sender, endpoint = deliver([payload(0)], lambda _, attempt: results[attempt - 1], time=time)
    assert time.slept == [0.5, 8.0, 2.0]
    assert len(endpoint.bodies) == 4
    assert (sender.stats.delivered, sender.stats.retries) == (2, 3)
    assert sender.stats.by_status == {"503": 1, "429": 1, "timeout": 1, "204": 1}
    assert sender.error is None


def test_what_may_be_stored_twice_is_listed_by_id_once() -> None:
    """Treasure Data has no idempotency key: whoever reads the rows must know."""
    results: list[HttpResponse | RequestFailure] = [
        TimedOut("late"),
        ConnectionLost("reset"),
        HttpResponse(status=504),
        OK,
    ]
    sender, _ = deliver([payload(0), payload(1)], lambda body, attempt: results[attempt - 1] if b"0-" in body else OK)
    assert sender.stats.unknown == ["0-0", "0-1"]
    assert sender.stats.unknown_events == 2


def test_a_request_that_was_not_sent_is_not_ambiguous() -> None:
    """A refused connection carries nothing."""
    sender, _ = deliver([payload(0)], lambda _, attempt: NotConnected("refused") if attempt == 1 else OK)
    assert sender.stats.unknown_events == 0
    assert sender.stats.delivered == 2


@pytest.mark.parametrize("status", [401, 403, 404, 302])
def test_a_refusal_stops_the_sender_after_one_request(status: int) -> None:
    """Wrong settings are found by the first request: the others are not made."""
    sender, endpoint = deliver(
        [payload(index) for index in range(50)],
        lambda *_: HttpResponse(status=status, redirect_host="other"),
        concurrency=8,
    )
    assert len(endpoint.bodies) == 1
    assert isinstance(sender.error, EndpointRefusedError)
    assert str(status) in sender.error.message
    assert sender.is_stopped


def test_an_unknown_host_stops_at_once_but_only_at_first_contact() -> None:
    """Waiting does not mend a typing error; a name server that fails later may recover."""
    sender, endpoint = deliver([payload(0)], lambda *_: UnknownHost("no such name"), concurrency=8)
    assert len(endpoint.bodies) == 1
    assert isinstance(sender.error, UnreachableError)
    later, _ = deliver(
        [payload(0), payload(1)],
        lambda body, attempt: UnknownHost("no such name") if b"1-" in body and attempt == 1 else OK,
    )
    assert (later.stats.delivered, later.error) == (4, None)


def test_a_dead_endpoint_ends_the_run_when_the_time_for_retries_is_over() -> None:
    """One payload's patience, not that of each of ten thousand."""
    time = FakeTime()
    sender, endpoint = deliver(
        [payload(index) for index in range(100)], lambda *_: NotConnected("refused"), time=time, concurrency=8
    )
    assert time.now == 1060.0
    assert set(endpoint.bodies) == {payload(0).body}
    assert isinstance(sender.error, UnreachableError)
    assert "refused" in sender.error.message
    assert sender.is_stopped


def test_a_payload_that_never_gets_through_does_not_hold_up_the_others() -> None:
    """While others are delivered, the endpoint is not down: this one is given up, the exit code says so."""
    sender, _ = deliver(
        [payload(index) for index in range(300)],
        lambda body, _: HttpResponse(status=500) if b'"7-0"' in body else OK,
        concurrency=2,
        time=FakeTime(),
        retry_for=5,
    )
    assert sender.stats.undelivered == 2
    assert sender.stats.delivered == 598
    assert not sender.is_stopped
    assert isinstance(sender.error, UnreachableError)


@pytest.mark.parametrize("status", [400, 413])
def test_only_the_refused_event_is_given_up(status: int) -> None:
    """Its problem knows the place; every other event is delivered, in the order of its payload."""
    sender, endpoint = deliver(
        [payload(index, events=8) for index in range(5)],
        lambda body, _: HttpResponse(status=status) if b'"3-5"' in body else OK,
        concurrency=3,
    )
    (problem,) = sender.stats.problems().kept
    assert problem.code is Code.BATCH_REFUSED
    assert (str(problem.location), problem.event_index, problem.event_id) == ("a.jsonl:4", 5, "3-5")
    assert str(status) in problem.message
    assert (sender.stats.delivered, sender.stats.dead, sender.stats.undelivered) == (39, 1, 0)
    assert sender.error is None
    delivered = [body for body in endpoint.bodies if b'"3-5"' not in body and b'"3-' in body]
    assert re.findall(rb'"3-(\d)"', b"".join(delivered)) == [b"0", b"1", b"2", b"3", b"4", b"6", b"7"]


def test_400_is_followed_by_singles_and_a_single_that_gets_it_again_is_a_dead_letter() -> None:
    """As Braze does it: one request with all, one with each. The letter knows how often its event was sent."""
    sender, endpoint, letters = deliver_with_letters(
        [payload(0, events=3)], lambda *_: HttpResponse(status=400, text=b"no")
    )
    assert len(endpoint.bodies) == 4
    assert [body.count(b'"id"') for body in endpoint.bodies] == [3, 1, 1, 1]
    assert [letter.event for letter in letters] == [b'{"id":"0-%d"}' % number for number in range(3)]
    assert {(letter.status, letter.response, letter.attempts) for letter in letters} == {(400, b"no", 2)}
    assert (sender.stats.dead, sender.stats.splits) == (3, 1)


@pytest.mark.parametrize(
    ("response", "message"),
    [
        (b"", "event 0 was rejected with HTTP 400"),
        (b'{"error":\n "time is missing"}', 'event 0 was rejected with HTTP 400: {"error": "time is missing"}'),
        (b"no " * 100, f"event 0 was rejected with HTTP 400: {'no ' * 66}n…"),
        (b"bad name Josephine in 1/" + b"5ec4e75ec4" * 4, "event 0 was rejected with HTTP 400: bad name *** in ***"),
        (b'at "JOS\\u00c9PH"', 'event 0 was rejected with HTTP 400: at "***"'),
        (b'at {"name":"Joseph', 'event 0 was rejected with HTTP 400: at {"name":"***'),
    ],
)
def test_a_rejection_quotes_the_response_without_secrets_and_without_values_of_the_event(
    response: bytes, message: str
) -> None:
    """On one line, and shortened: a terminal and a log must not show personal data."""
    origin = Origin(Location(source="a.jsonl"), 0, 1)
    body = b'{"events":[{"id":"1","user":{"name":"Josephine","other":"Jos\xc3\xa9phine"}}]}'
    rejected = Payload(index=0, body=body, events=1, origins=(origin,))
    _, _, letters = deliver_with_letters([rejected], lambda *_: HttpResponse(status=400, text=response))
    assert [problem.message for letter in letters for problem in letter.problems] == [message]


def test_413_is_followed_by_halves_down_to_one_event() -> None:
    """No part is sent that is larger than what the endpoint takes, but for finding that out."""
    sizes: list[int] = []

    def at_most_three(body: bytes, _: int) -> HttpResponse:
        sizes.append(body.count(b'"id"'))
        return HttpResponse(status=413 if sizes[-1] > 3 or b'"0-9"' in body else 200)

    sender, _, letters = deliver_with_letters([payload(0, events=10)], at_most_three)
    assert sizes == [10, 5, 2, 3, 5, 2, 3, 1, 2, 1, 1]
    assert [(letter.status, letter.event_index, letter.attempts) for letter in letters] == [(413, 9, 5)]
    assert (sender.stats.delivered, sender.stats.dead, sender.stats.splits) == (9, 1, 5)


def test_a_part_is_retried_like_a_whole_payload() -> None:
    """413, then an endpoint that is busy for a moment."""
    sender, endpoint = deliver(
        [payload(0, events=4)],
        lambda body, attempt: HttpResponse(status=413 if body.count(b'"id"') == 4 else 503 if attempt == 1 else 200),
    )
    assert len(endpoint.bodies) == 5
    assert (sender.stats.delivered, sender.stats.retries, sender.stats.splits) == (4, 2, 1)


def test_parts_of_an_ambiguous_payload_are_not_listed_twice() -> None:
    """One id an event."""
    results: list[HttpResponse | RequestFailure] = [TimedOut("late"), HttpResponse(status=413)]

    def script(body: bytes, attempt: int) -> HttpResponse | RequestFailure:
        if body.count(b'"id"') == 4:
            return results[attempt - 1]
        return ConnectionLost("reset") if attempt == 1 else OK

    sender, _ = deliver([payload(0, events=4)], script)
    assert sender.stats.unknown == [f"0-{number}" for number in range(4)]
    assert sender.stats.delivered == 4


def test_what_is_delivered_is_recorded_once_and_nothing_else_is() -> None:
    """By its keys; the parts of a split document by those of their events."""
    noted: list[Payload] = []
    documents = [replace(payload(index), keys=document_key(payload(index).body)) for index in range(3)]
    verdicts: dict[bytes, list[int]] = {b"0-": [503, 200], b"1-": [413, 200, 200]}

    def script(body: bytes, _: int) -> HttpResponse:
        return next(
            (HttpResponse(status=says.pop(0)) for name, says in verdicts.items() if name in body),
            HttpResponse(status=401),
        )

    deliver(documents, script, record=noted.append)
    singles = [event_keys([b'{"id":"1-%d"}' % number]) for number in range(2)]
    assert [each.keys for each in noted] == [documents[0].keys, *singles]


@pytest.mark.parametrize("what", ["record", "add_dead_letters"])
def test_what_cannot_be_recorded_stops_the_sender(what: str) -> None:
    """No new requests, and what was not kept counts as not done."""

    def fail(_: object) -> None:
        raise OutputError("the disk is full")

    script: Script = (lambda *_: OK) if what == "record" else (lambda *_: HttpResponse(status=400))
    failing: Any = {what: fail}
    sender, endpoint = deliver([payload(index, events=1) for index in range(50)], script, **failing)
    assert sender.error is not None
    assert "the disk is full" in sender.error.message
    assert sender.is_stopped
    assert len(endpoint.bodies) <= 2
    assert sender.stats.dead == 0


def test_problems_come_in_the_order_of_the_input_whatever_the_order_of_the_responses() -> None:
    """The same run twice prints the same list; beyond the first thousand they are only counted."""

    async def later(body: bytes) -> HttpResponse:
        await asyncio.sleep((body[-5] % 7) / 10_000)
        return HttpResponse(status=400)

    items = [payload(index, events=1) for index in range(1500)]
    sender, _ = deliver(items, lambda body, _: later(body), concurrency=16)
    problems = sender.stats.problems()
    assert [problem.location.line for problem in problems.kept] == list(range(1, 1001))
    assert problems.errors == 1500


def test_problems_of_the_stream_and_unsendable_events_are_counted() -> None:
    """They pass by the endpoint, not by the books."""
    bad = Problem(code=Code.NOT_JSON, location=Location(source="a", line=1), message="not JSON")
    origin = Origin(Location(source="a", line=2), 4, 1)
    unsendable = Unsendable(event=b"{}", origin=origin, problems=(bad,))
    sender, endpoint, letters = deliver_with_letters([bad, unsendable, payload(0)], lambda *_: OK)
    assert len(endpoint.bodies) == 1
    assert (sender.stats.delivered, sender.stats.dead) == (2, 1)
    assert sender.stats.problems().errors == 2
    (letter,) = letters
    assert (letter.event, letter.event_index, letter.status, letter.attempts) == (b"{}", 4, None, 0)


def test_a_signal_lets_requests_in_flight_end_and_makes_no_new_ones() -> None:
    """What has been sent gets its answer; what has not is left for the next run."""
    arrived, release = asyncio.Event(), asyncio.Event()

    async def held() -> HttpResponse:
        arrived.set()
        await release.wait()
        return OK

    async def interrupt(sender: Sender) -> None:
        await arrived.wait()
        sender.interrupt(SendInterruptedError("interrupted"))
        await asyncio.sleep(0.01)
        release.set()

    sender, endpoint = deliver([payload(index) for index in range(9)], lambda *_: held(), during=interrupt)
    assert len(endpoint.bodies) == 1
    assert sender.stats.delivered == 2
    assert sender.error is not None
    assert sender.error.exit_code is ExitCode.INTERRUPTED


def test_a_signal_ends_a_wait_between_attempts_at_once() -> None:
    """Nobody waits out a backoff after Ctrl-C."""

    async def forever(_: float) -> None:
        await asyncio.sleep(3600)

    clock = Clock(sleep=forever)
    endpoint = Scripted(lambda *_: HttpResponse(status=503))
    messages = Messages(resolve(Destination(url="http://localhost:1/x"), {}))
    schedule = RetrySchedule(retry_for=9, uniform=clock.uniform)
    sender = Sender(
        endpoint, schedule=schedule, messages=messages, clock=clock, limiter=RequestLimiter(AUTO, clock=clock)
    )

    async def main() -> None:
        with PayloadQueue(feeding([payload(0)]), ahead=1) as queue:
            asyncio.get_running_loop().call_later(0.02, sender.interrupt, SendInterruptedError("interrupted"))
            await asyncio.wait_for(sender.run(queue), timeout=5)

    asyncio.run(main())
    assert sender.stats.undelivered == 2
    assert sender.stats.unknown_events == 0


def test_a_second_signal_cancels_what_is_in_flight_and_marks_it_ambiguous() -> None:
    """The request may have arrived: its events are unknown, not undelivered without a word."""
    arrived = asyncio.Event()

    async def never() -> HttpResponse:
        arrived.set()
        await asyncio.sleep(3600)
        return OK

    async def twice(sender: Sender) -> None:
        await arrived.wait()
        sender.interrupt(SendInterruptedError("interrupted"))
        sender.interrupt(SendInterruptedError("interrupted"))

    sender, _ = deliver([payload(0)], lambda *_: never(), during=twice)
    assert sender.stats.unknown == ["0-0", "0-1"]
    assert sender.stats.by_status == {"interrupted": 1}
    assert GRACE <= 30


def test_an_error_while_reading_ends_the_run() -> None:
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
def test_the_exit_code_is_that_of_the_gravest_cause(
    error: UnreachableError | None, is_complete: bool, unreadable: int, code: ExitCode
) -> None:
    """Why the run stopped, then missing events, then inputs, then bad records."""
    assert exit_code_of(error, is_complete=is_complete, problems=Problems(unreadable=unreadable)) is code


def test_an_outcome_that_does_not_balance_says_so() -> None:
    """An event in no state, or in two, is a defect that must be seen."""
    assert SendOutcome(endpoint="e", read=3, delivered=2, undelivered=1).is_balanced
    assert SendOutcome(endpoint="e", read=3, delivered=2).data()["balanced"] is False


def test_signal_handlers_are_restored() -> None:
    """The command line's own handlers hold again when sending is over."""
    before = signal.getsignal(signal.SIGTERM)
    seen: list[signal.Signals] = []

    async def main() -> None:
        with signals_handled(seen.append):
            signal.raise_signal(signal.SIGTERM)
            await asyncio.sleep(0.01)

    asyncio.run(main())
    assert seen == [signal.SIGTERM]
    assert signal.getsignal(signal.SIGTERM) is before
