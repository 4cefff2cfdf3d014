"""The reader's thread and the event loop: nothing is lost between them, and neither runs ahead."""

import asyncio
import random
import threading
import time
from collections.abc import Generator

import pytest

from td_currents_cli.errors import InputError
from td_currents_cli.model import Code, Location, Problem
from td_currents_cli.send.payload import Planned
from td_currents_cli.send.queue import PayloadQueue


def item(number: int) -> Problem:
    return Problem(code=Code.NOT_JSON, location=Location("a", line=number), message="")


def line(planned: Planned | None) -> int | None:
    return planned.location.line if isinstance(planned, Problem) else None


@pytest.mark.parametrize("takers", [1, 2, 16])
@pytest.mark.parametrize("ahead", [1, 2, 16])
@pytest.mark.parametrize("pauses", ["none", "reader", "takers", "both"])
def test_everything_is_taken_once_and_in_order(takers: int, ahead: int, pauses: str) -> None:
    count = 300
    dice = random.Random(takers * 100 + ahead)
    taken: list[int | None] = []

    def plan() -> Generator[Planned]:
        for number in range(count):
            if pauses in {"reader", "both"} and dice.random() < 0.1:
                time.sleep(0.001)
            yield item(number)

    async def take(feed: PayloadQueue) -> None:
        while (found := await feed.get()) is not None:
            taken.append(line(found))
            await asyncio.sleep(0.001 if pauses in {"takers", "both"} and dice.random() < 0.1 else 0)

    async def main() -> None:
        with PayloadQueue(plan(), ahead=ahead) as feed:
            await asyncio.wait_for(asyncio.gather(*(take(feed) for _ in range(takers))), timeout=30)
            assert await feed.get() is None

    asyncio.run(main())
    assert taken == list(range(count))


def test_an_end_that_comes_at_any_moment_loses_nothing() -> None:
    def plan(count: int) -> Generator[Planned]:
        yield from map(item, range(count))

    async def main(count: int) -> list[int | None]:
        taken = []
        with PayloadQueue(plan(count), ahead=4) as feed:
            while (found := await asyncio.wait_for(feed.get(), timeout=10)) is not None:
                taken.append(line(found))
        return taken

    for number in range(200):
        assert asyncio.run(main(number % 5)) == list(range(number % 5))


def test_the_reader_waits_for_the_takers() -> None:
    read = 0

    def plan() -> Generator[Planned]:
        nonlocal read
        for number in range(1000):
            read += 1
            yield item(number)

    async def main() -> None:
        with PayloadQueue(plan(), ahead=8) as feed:
            for number in range(1000):
                if number % 50 == 0:
                    await asyncio.sleep(0.01)
                assert line(await feed.get()) == number
                # Those that wait, the one in the reader's hands, and the one just taken.
                assert read - number <= 8 + 1 + 1

    asyncio.run(main())


def test_closing_ends_the_wait_of_readers_and_takers() -> None:
    closed_in: list[str] = []
    hold = threading.Event()

    def plan() -> Generator[Planned]:
        try:
            for number in range(100):
                yield item(number)
                if number == 3:
                    hold.wait(10)
        finally:
            closed_in.append(threading.current_thread().name)

    async def main() -> list[Planned | None]:
        with PayloadQueue(plan(), ahead=2) as feed:
            for _ in range(4):
                await feed.get()
            waiting = [asyncio.ensure_future(feed.get()) for _ in range(5)]
            await asyncio.sleep(0.01)
            feed.close()
            found = await asyncio.wait_for(asyncio.gather(*waiting), timeout=5)
            hold.set()
            return found

    assert asyncio.run(main()) == [None] * 5
    assert closed_in == ["tdcur-reader"]


def test_an_error_of_the_plan_comes_out_at_the_end() -> None:
    def plan() -> Generator[Planned]:
        yield item(0)
        raise InputError("the disk is gone")

    taken = []

    async def main() -> None:
        with PayloadQueue(plan(), ahead=4) as feed:
            while (found := await feed.get()) is not None:
                taken.append(line(found))

    with pytest.raises(InputError, match="the disk is gone"):
        asyncio.run(main())
    assert taken == [0]
