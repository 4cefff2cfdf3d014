"""The line: what is retried, what stops it, and that every event is accounted for. Time is not real here."""

import asyncio
import re
import signal
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import pytest
from msgspec.structs import replace

from td_currents_cli.braze import EMPTY_PAYLOAD
from td_currents_cli.errors import EndpointRefusedError, ExitCode, OutputError, UnreachableError
from td_currents_cli.journal.keys import document_key, event_keys
from td_currents_cli.model import Code, Location, Problem
from td_currents_cli.outcome import Problems
from td_currents_cli.send.command import signals_handled
from td_currents_cli.send.concurrency import RequestLimiter, concurrency_of
from td_currents_cli.send.dead_letters import DeadLetter
from td_currents_cli.send.destination import Destination
from td_currents_cli.send.endpoint import resolve
from td_currents_cli.send.messages import Messages, SendInterruptedError
from td_currents_cli.send.payload import Origin, Payload, Planned
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
from td_currents_cli.send.sender import GRACE, Sender, parts_of
from td_currents_cli.send.stats import Latencies
from tests.clock import FakeTime

OK = HttpResponse(status=200)


Script = Callable[[bytes, int], HttpResponse | RequestFailure | Awaitable[HttpResponse | RequestFailure]]


@dataclass
class Scripted:
    """An endpoint that answers by body and attempt, and keeps what it got; the connection test apart."""

    script: Script
    connection_test: Script = lambda *_: OK
    tests: int = 0
    bodies: list[bytes] = field(default_factory=list)
    letters: list[DeadLetter] = field(default_factory=list)

    async def post(self, body: bytes) -> HttpResponse | RequestFailure:
        if body == EMPTY_PAYLOAD:
            self.tests += 1
            result = self.connection_test(body, self.tests)
        else:
            self.bodies.append(body)
            result = self.script(body, self.bodies.count(body))
        await asyncio.sleep(0)
        return result if isinstance(result, HttpResponse | RequestFailure) else await result


def payload(index: int, events: int = 2) -> Payload:
    ids = ",".join(f'{{"id":"{index}-{number}"}}' for number in range(events))
    origin = Origin(Location(source="a.jsonl", line=index + 1), 0, events)
    return Payload(index=index, body=b'{"events":[' + ids.encode() + b"]}", events=events, origins=(origin,))


def deliver(
    items: Iterable[Planned],
    script: Script,
    *,
    connection_test: Script = lambda *_: OK,
    concurrency: int = 1,
    retry_for: float = 60,
    unreached_for: float = 60,
    clock: Clock | None = None,
    during: Callable[[Sender], Awaitable[None]] | None = None,
    record: Callable[[Payload], None] = lambda _: None,
    add_dead_letter: Callable[[DeadLetter], None] | None = None,
) -> tuple[Sender, Scripted]:
    clock = clock or FakeTime().clock()
    endpoint = Scripted(script, connection_test)
    sender = Sender(
        endpoint.post,
        schedule=RetrySchedule(retry_for=retry_for, unreached_for=unreached_for, uniform=clock.uniform),
        messages=Messages(resolve(Destination(url="http://localhost:1/x"), {})),
        clock=clock,
        limiter=RequestLimiter(concurrency_of(str(concurrency)), clock=clock),
        record=record,
        add_dead_letter=add_dead_letter or endpoint.letters.append,
    )

    async def main() -> None:
        with PayloadQueue((item for item in items), ahead=concurrency) as queue:
            meanwhile = asyncio.ensure_future(during(sender)) if during else None
            await asyncio.wait_for(sender.run(queue), timeout=60)
            if meanwhile:
                await meanwhile

    asyncio.run(main())
    return sender, endpoint


def test_everything_is_delivered_once() -> None:
    for concurrency in (1, 3, 50):
        sender, endpoint = deliver([payload(index) for index in range(20)], lambda *_: OK, concurrency=concurrency)
        assert sorted(endpoint.bodies) == sorted(payload(index).body for index in range(20))
        stats = sender.stats
        assert (stats.delivered, stats.undelivered, stats.requests, stats.retries) == (40, 0, 20, 0)
        assert stats.by_status == {"200": 20}
        assert stats.in_flight == 0
        assert sender.error is None


def test_waits_grow_and_retry_after_is_honored() -> None:
    time = FakeTime()
    results: list[HttpResponse | RequestFailure] = [
        HttpResponse(status=503),
        HttpResponse(status=429, retry_after="7"),
        TimedOut("late"),
        HttpResponse(status=204),
    ]
    sender, endpoint = deliver([payload(0)], lambda _, attempt: results[attempt - 1], clock=time.clock())
    assert time.slept == [0.5, 8.0, 2.0]
    assert len(endpoint.bodies) == 4
    assert (sender.stats.delivered, sender.stats.retries) == (2, 3)
    assert sender.stats.by_status == {"503": 1, "429": 1, "timeout": 1, "204": 1}
    assert sender.error is None


@pytest.mark.parametrize(
    ("results", "part_result", "unknown"),
    [
        ([TimedOut("late"), ConnectionLost("reset"), HttpResponse(status=504)], OK, ["0-0", "0-1"]),
        ([TimedOut("late"), HttpResponse(status=413)], ConnectionLost("reset"), ["0-0", "0-1"]),
        ([NotConnected("refused"), HttpResponse(status=503)], OK, []),
    ],
)
def test_what_may_be_stored_twice_is_listed_by_id_once(
    results: list[HttpResponse | RequestFailure], part_result: HttpResponse | RequestFailure, unknown: list[str]
) -> None:
    """Treasure Data has no idempotency key: whoever reads the rows must know."""

    def script(body: bytes, attempt: int) -> HttpResponse | RequestFailure:
        if body == payload(0).body:
            return results[attempt - 1] if attempt <= len(results) else OK
        return part_result if attempt == 1 else OK

    sender, _ = deliver([payload(0)], script)
    assert (sender.stats.unknown, sender.stats.unknown_events) == (unknown, len(unknown))
    assert sender.stats.delivered == 2


@pytest.mark.parametrize("status", [401, 403, 404, 302])
def test_a_refusal_stops_the_sender_after_one_request(status: int) -> None:
    sender, endpoint = deliver(
        [payload(index) for index in range(50)],
        lambda *_: HttpResponse(status=status, redirect_host="other"),
        concurrency=8,
    )
    assert len(endpoint.bodies) == 1
    assert isinstance(sender.error, EndpointRefusedError)
    assert str(status) in sender.error.message
    assert sender.stopped.is_set()


def test_an_unknown_host_stops_at_once_but_only_at_first_contact() -> None:
    sender, endpoint = deliver([payload(0)], lambda *_: UnknownHost("no such name"), concurrency=8)
    assert len(endpoint.bodies) == 1
    assert isinstance(sender.error, UnreachableError)
    later, _ = deliver(
        [payload(0), payload(1)],
        lambda body, attempt: UnknownHost("no such name") if b"1-" in body and attempt == 1 else OK,
    )
    assert (later.stats.delivered, later.error) == (4, None)


@pytest.mark.parametrize(
    ("result", "seconds", "retry_for"), [(NotConnected("refused"), 0, 60), (TimedOut("no response in time"), 0.5, 1)]
)
def test_a_dead_endpoint_is_asked_by_one_request_at_a_time_until_the_time_for_retries_is_over(
    result: RequestFailure, seconds: float, retry_for: float
) -> None:
    time = FakeTime()

    def silence(*_: object) -> RequestFailure:
        time.now += seconds
        return result

    items = [payload(index) for index in range(64)]
    sender, endpoint = deliver(items, silence, clock=time.clock(), concurrency=64, retry_for=retry_for)
    assert retry_for <= time.now - 1000 <= retry_for + 2 * seconds
    assert set(endpoint.bodies) == {payload(0).body}
    assert isinstance(sender.error, UnreachableError)
    assert result.reason in sender.error.message
    assert sender.stopped.is_set()


def test_a_payload_that_never_gets_through_does_not_hold_up_the_others() -> None:
    sender, _ = deliver(
        [payload(index) for index in range(300)],
        lambda body, _: HttpResponse(status=500) if b'"7-0"' in body else OK,
        concurrency=2,
        retry_for=5,
    )
    assert sender.stats.undelivered == 2
    assert sender.stats.delivered == 598
    assert not sender.stopped.is_set()
    assert isinstance(sender.error, UnreachableError)


@pytest.mark.parametrize("status", [400, 413])
def test_only_the_refused_event_is_given_up(status: int) -> None:
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
    sender, endpoint = deliver([payload(0, events=3)], lambda *_: HttpResponse(status=400, text=b"no"))
    assert len(endpoint.bodies) == 4
    assert [body.count(b'"id"') for body in endpoint.bodies] == [3, 1, 1, 1]
    assert [letter.event for letter in endpoint.letters] == [b'{"id":"0-%d"}' % number for number in range(3)]
    assert {(letter.status, letter.response, letter.attempts) for letter in endpoint.letters} == {(400, b"no", 2)}
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
    _, endpoint = deliver([rejected], lambda *_: HttpResponse(status=400, text=response))
    assert [problem.message for letter in endpoint.letters for problem in letter.problems] == [message]


@pytest.mark.parametrize("status", [400, 413])
@pytest.mark.parametrize("concurrency", [1, 8])
def test_an_endpoint_that_refuses_everything_is_not_bad_data(status: int, concurrency: int) -> None:
    refusal = HttpResponse(status=status, text=b"speak https, not plain http")
    sender, endpoint = deliver(
        [payload(index, events=100) for index in range(15)],
        lambda *_: refusal,
        connection_test=lambda *_: refusal,
        concurrency=concurrency,
    )
    assert isinstance(sender.error, EndpointRefusedError)
    assert "speak https, not plain http" in sender.error.message
    assert (sender.stats.dead, sender.stats.delivered, endpoint.tests) == (0, 0, 1)
    assert sender.stats.requests < 300
    # The others waited.
    assert all(b'"0-' in body for body in endpoint.bodies)


@pytest.mark.parametrize("status", [400, 413])
def test_payloads_that_are_bad_before_anything_was_accepted_become_dead_letters(status: int) -> None:
    sender, endpoint = deliver(
        [payload(0, events=1), payload(1, events=5), payload(2, events=5)],
        lambda body, _: OK if b'"2-' in body else HttpResponse(status=status),
        concurrency=4,
    )
    assert (sender.stats.dead, sender.stats.delivered, sender.error, endpoint.tests) == (6, 5, None, 1)
    assert [letter.event_index for letter in endpoint.letters] == [0, 0, 1, 2, 3, 4]


def test_an_accepted_part_tells_that_the_refused_ones_before_it_are_bad() -> None:
    sender, endpoint = deliver(
        [payload(0, events=3)], lambda body, _: OK if body == parts[2].body else HttpResponse(status=400)
    )
    assert (sender.stats.dead, sender.stats.delivered, endpoint.tests) == (2, 1, 0)
    assert [letter.event_index for letter in endpoint.letters] == [0, 1]


parts = list(parts_of(payload(0, events=3), range(4)))


@pytest.mark.parametrize(
    ("test_results", "error", "dead"),
    [
        ([HttpResponse(status=503), TimedOut("late"), OK], None, 1),
        ([HttpResponse(status=503)] * 99, UnreachableError, 0),
        ([HttpResponse(status=403)], EndpointRefusedError, 0),
    ],
)
def test_the_connection_test_is_retried_like_a_payload(
    test_results: list[HttpResponse | RequestFailure], error: type[Exception] | None, dead: int
) -> None:
    sender, _ = deliver(
        [payload(0, events=1)],
        lambda *_: HttpResponse(status=400),
        connection_test=lambda _, attempt: test_results[attempt - 1],
    )
    assert (type(sender.error) if sender.error else None) is error
    assert (sender.stats.dead, sender.stats.unknown) == (dead, [])


# Each single of the first payload is sent five times, those of the other five payloads once.
@pytest.mark.parametrize(
    ("decision", "error", "dead", "sent_singly"), [(400, EndpointRefusedError, 0, 2), (200, None, 12, 2 * 5 + 5 * 2)]
)
def test_refusals_of_several_payloads_at_once_wait_for_the_decision_about_the_first(
    decision: int, error: type[Exception] | None, dead: int, sent_singly: int
) -> None:
    """They are in flight together when the first one failed some times before it was refused."""
    sender, endpoint = deliver(
        [payload(index, events=2) for index in range(6)],
        lambda body, attempt: HttpResponse(status=503 if b'"0-' in body and attempt < 5 else 400),
        connection_test=lambda *_: HttpResponse(status=decision),
        concurrency=6,
    )
    assert (type(sender.error) if sender.error else None) is error
    assert (sender.stats.dead, endpoint.tests) == (dead, 1)
    assert sum(body.count(b'"id"') == 1 for body in endpoint.bodies) == sent_singly


@pytest.mark.parametrize(
    ("result", "seconds", "hint"),
    [
        (NotConnected("connection refused"), 60, "give --retry-for, such as 15m"),
        (HttpResponse(status=503), 900, "retry longer with --retry-for"),
    ],
)
def test_an_endpoint_that_was_never_reached_is_given_up_sooner(
    result: HttpResponse | RequestFailure, seconds: float, hint: str
) -> None:
    time = FakeTime()
    sender, _ = deliver([payload(0)], lambda *_: result, clock=time.clock(), retry_for=900, unreached_for=60)
    assert time.now == 1000 + seconds
    assert sender.error is not None
    assert f"gave up after {seconds / 60:g} min" in sender.error.message
    assert hint in sender.error.hint


def test_progress_says_why_a_request_is_retried_and_when() -> None:
    said: list[str] = []

    async def watch(sender: Sender) -> None:
        while not said:
            await asyncio.sleep(0)
            said.extend({sender.stats.progress(None, 1000.0).retrying} - {""})

    results: list[HttpResponse | RequestFailure] = [NotConnected("connection refused"), OK]
    sender, _ = deliver([payload(0)], lambda _, attempt: results[attempt - 1], during=watch)
    assert said == ["retrying in 0 s: connection refused (localhost:1)"]
    assert sender.stats.progress(None, 1000.0).retrying == ""


def test_a_pause_that_is_longer_than_the_time_for_retries_is_named() -> None:
    sender, _ = deliver([payload(0)], lambda *_: HttpResponse(status=429, retry_after="3600"), retry_for=120)
    assert sender.error is not None
    assert "asked for a pause of 60 min (Retry-After)" in sender.error.message
    assert "--retry-for allows (2 min); last error: HTTP 429" in sender.error.message


def test_413_is_followed_by_halves_down_to_one_event() -> None:
    sizes: list[int] = []

    def at_most_three(body: bytes, _: int) -> HttpResponse:
        sizes.append(body.count(b'"id"'))
        return HttpResponse(status=413 if sizes[-1] > 3 or b'"0-9"' in body else 200)

    sender, endpoint = deliver([payload(0, events=10)], at_most_three)
    assert sizes == [10, 5, 2, 3, 5, 2, 3, 1, 2, 1, 1]
    assert [(letter.status, letter.event_index, letter.attempts) for letter in endpoint.letters] == [(413, 9, 5)]
    assert (sender.stats.delivered, sender.stats.dead, sender.stats.splits) == (9, 1, 5)


def test_a_part_is_retried_like_a_whole_payload() -> None:
    sender, endpoint = deliver(
        [payload(0, events=4)],
        lambda body, attempt: HttpResponse(status=413 if body.count(b'"id"') == 4 else 503 if attempt == 1 else 200),
    )
    assert len(endpoint.bodies) == 5
    assert (sender.stats.delivered, sender.stats.retries, sender.stats.splits) == (4, 2, 1)


def test_what_is_delivered_is_recorded_once_and_nothing_else_is() -> None:
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


@pytest.mark.parametrize("what", ["record", "add_dead_letter"])
def test_what_cannot_be_recorded_stops_the_sender(what: str) -> None:
    def fail(_: object) -> None:
        raise OutputError("the disk is full")

    script: Script = (lambda *_: OK) if what == "record" else (lambda *_: HttpResponse(status=400))
    failing: Any = {what: fail}
    sender, endpoint = deliver([payload(index, events=1) for index in range(50)], script, **failing)
    assert sender.error is not None
    assert "the disk is full" in sender.error.message
    assert sender.stopped.is_set()
    assert len(endpoint.bodies) <= 2
    assert sender.stats.dead == 0


def test_problems_come_in_the_order_of_the_input_whatever_the_order_of_the_responses() -> None:
    async def later(body: bytes) -> HttpResponse:
        await asyncio.sleep((body[-5] % 7) / 10_000)
        return HttpResponse(status=400)

    items = [payload(index, events=1) for index in range(1500)]
    sender, _ = deliver(items, lambda body, _: later(body), concurrency=16)
    problems = sender.stats.problems()
    assert [problem.location.line for problem in problems.kept] == list(range(1, 1001))
    assert problems.errors == 1500


def test_problems_of_the_stream_and_unsendable_events_are_counted() -> None:
    bad = Problem(code=Code.NOT_JSON, location=Location(source="a", line=1), message="not JSON")
    unsendable = DeadLetter(event=b"{}", location=Location(source="a", line=2), event_index=4, problems=(bad,))
    sender, endpoint = deliver([bad, unsendable, payload(0)], lambda *_: OK)
    assert len(endpoint.bodies) == 1
    assert (sender.stats.delivered, sender.stats.dead) == (2, 1)
    assert sender.stats.problems().errors == 2
    (letter,) = endpoint.letters
    assert (letter.event, letter.event_index, letter.status, letter.attempts) == (b"{}", 4, None, 0)


def test_a_signal_lets_requests_in_flight_end_and_makes_no_new_ones() -> None:
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
    waiting = asyncio.Event()

    async def forever(_: float) -> None:
        waiting.set()
        await asyncio.sleep(3600)

    async def interrupt(sender: Sender) -> None:
        await waiting.wait()
        sender.interrupt(SendInterruptedError("interrupted"))

    sender, _ = deliver([payload(0)], lambda *_: HttpResponse(status=503), clock=Clock(sleep=forever), during=interrupt)
    assert (sender.stats.undelivered, sender.stats.unknown_events) == (2, 0)


def test_a_second_signal_cancels_what_is_in_flight_and_marks_it_ambiguous() -> None:
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


def test_latencies_are_exact_to_a_percent() -> None:
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
    assert exit_code_of(error, is_complete=is_complete, problems=Problems(unreadable=unreadable)) is code


def test_an_outcome_that_does_not_balance_says_so() -> None:
    assert SendOutcome(endpoint="e", read=3, delivered=2, undelivered=1).is_balanced
    assert SendOutcome(endpoint="e", read=3, delivered=2).data()["balanced"] is False


def test_signal_handlers_are_restored() -> None:
    before = signal.getsignal(signal.SIGTERM)
    seen: list[signal.Signals] = []

    async def main() -> None:
        with signals_handled(seen.append):
            signal.raise_signal(signal.SIGTERM)
            await asyncio.sleep(0.01)

    asyncio.run(main())
    assert seen == [signal.SIGTERM]
    assert signal.getsignal(signal.SIGTERM) is before
