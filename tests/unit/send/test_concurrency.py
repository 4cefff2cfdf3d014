"""How fast requests go: the window of requests at once, and the rate of events. Time is not real here."""

import asyncio
import heapq
import random
from collections.abc import Callable

import pytest

from td_currents_cli.errors import UsageError
from td_currents_cli.send.concurrency import (
    AUTO,
    AdaptiveLimit,
    Concurrency,
    RequestLimiter,
    TokenBucket,
    concurrency_of,
)
from td_currents_cli.send.retry import Clock, ConnectionLost, HttpResponse, NotConnected, RequestFailure, TimedOut
from tests.clock import FakeTime

OK = HttpResponse(status=200)
Serve = Callable[[float, int], tuple[float, bool]]
"""What becomes of a request that is made at that moment beside so many others: seconds, and whether it is trouble."""


def sizes(serve: Serve, seconds: float) -> list[tuple[float, int]]:
    """The size of an automatic window after each answer of an endpoint that is kept as busy as it allows."""
    limit, now, number = AdaptiveLimit(AUTO), 0.0, 0
    under_way: list[tuple[float, int, float, bool]] = []
    history = []
    while now < seconds:
        while len(under_way) < limit.size:
            number += 1
            latency, trouble = serve(now, len(under_way) + 1)
            heapq.heappush(under_way, (now + latency, number, now, trouble))
        now, _, begun, trouble = heapq.heappop(under_way)
        limit.record(started=begun, ended=now, full=True, overloaded=trouble)
        history.append((now, limit.size))
    return history


def spread(seconds: float) -> float:
    return seconds * random.lognormvariate(0, 0.2)


@pytest.fixture(autouse=True)
def same_chance() -> None:
    random.seed(4)


def test_it_starts_at_8_and_grows_to_its_bound_within_two_seconds() -> None:
    history = sizes(lambda *_: (spread(0.05), False), 4)
    assert history[0][1] == 8
    assert [size for _, size in history] == sorted(size for _, size in history)
    assert next(now for now, size in history if size == AUTO.most) < 2.5


def test_an_overload_halves_it_once_for_all_requests_in_flight() -> None:
    limit = AdaptiveLimit(Concurrency(least=1, start=64, most=64))
    for _ in range(64):
        limit.record(started=1.0, ended=1.2, full=True, overloaded=True)
    assert limit.size == 32
    limit.record(started=1.3, ended=1.4, full=True, overloaded=True)
    assert limit.size == 16


def test_it_never_leaves_its_bounds() -> None:
    limit = AdaptiveLimit(AUTO)
    for number in range(20):
        limit.record(started=number, ended=number + 0.5, full=True, overloaded=True)
    assert limit.size == 1
    fixed = AdaptiveLimit(concurrency_of("16"))
    for number in range(200):
        fixed.record(started=number, ended=number + 0.5, full=True, overloaded=number % 3 == 0)
    assert fixed.size == 16


def test_an_endpoint_with_a_limit_is_used_up_to_it_and_little_beyond() -> None:
    tokens, at, refused, taken = 20.0, 0.0, 0, 0

    def limited(now: float, _: int) -> tuple[float, bool]:
        nonlocal tokens, at, refused, taken
        tokens, at = min(20.0, tokens + (now - at) * 100), now
        if tokens < 1:
            refused += 1
            return 0.01, True
        tokens -= 1
        taken += 1
        return spread(0.05), False

    sizes(limited, 60)
    assert taken > 0.95 * 60 * 100
    assert refused < 0.1 * taken


def test_rising_latency_shows_that_requests_queue_up() -> None:
    idle_from = [0.0] * 10

    def queueing(now: float, _: int) -> tuple[float, bool]:
        ready = max(now, heapq.heappop(idle_from)) + spread(0.02)
        heapq.heappush(idle_from, ready)
        return ready - now, False

    history = [size for now, size in sizes(queueing, 10) if now > 1]
    assert min(history) >= 10
    assert max(history) < 36


def test_an_endpoint_that_becomes_slower_for_good_is_not_left_at_a_low_number() -> None:
    history = sizes(lambda now, _: (spread(0.05 if now < 10 else 0.2), False), 200)
    assert min(size for _, size in history) == 8
    assert history[-1][1] == AUTO.most


def test_it_does_not_grow_while_its_places_are_not_taken() -> None:
    limit = AdaptiveLimit(AUTO)
    for number in range(500):
        limit.record(started=number, ended=number + 0.1, full=False, overloaded=False)
    assert limit.size == 8


@pytest.mark.parametrize("text", ["0", "257", "", "-1", "1.5", "automatic", "٣", "9" * 5000])
def test_an_invalid_concurrency_is_a_usage_error(text: str) -> None:
    with pytest.raises(UsageError, match="--concurrency"):
        concurrency_of(text)


@pytest.mark.parametrize("batch", [1, 100, 1000])
@pytest.mark.parametrize("rate", [0.5, 250, 100_000])
def test_the_rate_is_kept_from_the_first_request_on(batch: int, rate: float) -> None:
    bucket, now = TokenBucket(rate, now=50.0), 50.0
    for _ in range(10):
        now += bucket.wait(batch, now)
    assert now - 50.0 == pytest.approx(10 * batch / rate)


def test_the_rate_is_kept_although_sleep_takes_longer_than_asked() -> None:
    bucket, now, gone = TokenBucket(1000, now=0.0), 0.0, 0
    while now < 20:
        now += bucket.wait(10, now) + random.uniform(0, 0.02)
        gone += 10
    assert gone / now == pytest.approx(1000, rel=0.05)
    now += 3600
    assert sum(bucket.wait(100, now) == 0 for _ in range(10)) <= 2


def test_requests_go_at_the_rate_of_their_events() -> None:
    time = FakeTime()

    async def main() -> None:
        limiter = RequestLimiter(AUTO, clock=time.clock(), rate=100)
        for events in (100, 50, 250):
            assert await limiter.enter(events)
            limiter.leave(OK, time.now)

    asyncio.run(main())
    assert time.slept == [1.0, 0.5, 2.5]


def test_no_more_at_once_than_the_limit_and_nobody_waits_forever() -> None:
    time, most = FakeTime(), 0

    async def main() -> None:
        nonlocal most
        limiter = RequestLimiter(concurrency_of("3"), clock=time.clock())

        async def request() -> None:
            nonlocal most
            assert await limiter.enter(1)
            most = max(most, limiter.in_flight)
            await asyncio.sleep(0)
            limiter.leave(OK, time.now)

        await asyncio.wait_for(asyncio.gather(*(request() for _ in range(50))), timeout=5)
        assert limiter.in_flight == 0

    asyncio.run(main())
    assert most == 3


def test_retries_go_before_first_requests() -> None:
    async def main() -> list[int]:
        limiter = RequestLimiter(concurrency_of("1"), clock=FakeTime().clock())
        order: list[int] = []

        async def request(number: int) -> None:
            assert await limiter.enter(1, is_retry=number > 2)
            order.append(number)
            limiter.leave(OK, 0.0)

        assert await limiter.enter(1)
        requests = [asyncio.ensure_future(request(number)) for number in (1, 2, 3, 4)]
        await asyncio.sleep(0)
        limiter.leave(OK, 0.0)
        await asyncio.wait_for(asyncio.gather(*requests), timeout=5)
        return order

    assert asyncio.run(main()) == [3, 4, 1, 2]


@pytest.mark.parametrize(
    "result",
    [
        HttpResponse(status=429),
        HttpResponse(status=503),
        TimedOut("x"),
        ConnectionLost("x"),
        NotConnected("an endpoint restarts"),
    ],
)
def test_an_overload_lowers_the_limit(result: HttpResponse | RequestFailure) -> None:
    async def main() -> int:
        limiter = RequestLimiter(AUTO, clock=FakeTime().clock())
        for _ in range(8):
            assert await limiter.enter(1)
        for _ in range(8):
            limiter.leave(result, 0.0)
        waiting = [asyncio.ensure_future(limiter.enter(1)) for _ in range(8)]
        await asyncio.sleep(0)
        limiter.close()
        return sum(await asyncio.gather(*waiting))

    assert asyncio.run(main()) == 4


@pytest.mark.parametrize("result", [OK, HttpResponse(status=400), HttpResponse(status=413), None])
def test_other_results_leave_the_limit_unchanged(result: HttpResponse | None) -> None:
    async def main() -> int:
        limiter = RequestLimiter(concurrency_of("2"), clock=FakeTime().clock())
        assert await limiter.enter(1)
        limiter.leave(result, 0.0)
        assert await limiter.enter(1)
        return limiter.in_flight

    assert asyncio.run(main()) == 1


def test_closing_tells_those_that_wait_for_a_place_or_for_the_rate() -> None:
    async def forever(_: float) -> None:
        await asyncio.sleep(3600)

    async def main() -> list[bool]:
        full = RequestLimiter(concurrency_of("1"), clock=Clock())
        slow = RequestLimiter(AUTO, clock=Clock(sleep=forever), rate=0.001)
        assert await full.enter(1)
        waiting = [asyncio.ensure_future(limiter.enter(1)) for limiter in (full, full, slow)]
        await asyncio.sleep(0.01)
        full.close()
        slow.close()
        return await asyncio.wait_for(asyncio.gather(*waiting, full.enter(1)), timeout=5)

    assert asyncio.run(main()) == [False] * 4
