"""The plan of another process is the plan that this one would make."""

import asyncio
import json
import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from td_currents_cli import catalog
from td_currents_cli.errors import DefectError
from td_currents_cli.read.sources import Source
from td_currents_cli.send import beside
from td_currents_cli.send.beside import Beside, Plan, is_large
from td_currents_cli.send.payload import Limits, Payload, Planned
from td_currents_cli.send.sieve import Sieve
from td_currents_cli.send.within import Within
from td_currents_cli.validate.check import Checker

SPAWNED = """
import asyncio, multiprocessing, sys
from contextlib import closing
from pathlib import Path
from td_currents_cli import catalog
from td_currents_cli.read.sources import Source
from td_currents_cli.send.beside import Beside
from td_currents_cli.send.payload import Limits
from td_currents_cli.send.sieve import Sieve
from td_currents_cli.send.within import Within
from td_currents_cli.validate.check import Checker

async def told(plan):
    with plan.feed(ahead=2) as feed:
        return [item async for item in aiter_of(feed)]

async def aiter_of(feed):
    while (item := await feed.get()) is not None:
        yield item

if __name__ == "__main__":
    multiprocessing.set_start_method("spawn")
    inputs = [Source(sys.argv[1], Path(sys.argv[1]))]
    sieve = Sieve(check=Checker(catalog.load(), 1_700_000_000), has_journal=True)
    with closing(Beside(inputs, Limits(events=10), sieve)) as plan:
        there = asyncio.run(told(plan))
    assert there == asyncio.run(told(Within(inputs, Limits(events=10), sieve))) and len(there) > 5, there
"""
LIMITS = Limits(events=10)
EVENT = {
    "event_type": "users.behaviors.Uninstall",
    "time": 1_700_000_000,
    "user": {"external_user_id": "u", "user_id": "u"},
    "properties": {"app_id": "a"},
}


def source(path: Path) -> Source:
    """As the command line would have it."""
    return Source(str(path), path)


def sieve() -> Sieve:
    """Checks, and makes keys."""
    return Sieve(check=Checker(catalog.load(), 1_700_000_000), has_journal=True)


def told(plan: Plan, *, takers: int = 1) -> list[Planned]:
    """All that a plan gives."""
    found: list[Planned] = []

    async def take() -> None:
        with plan.feed(ahead=2) as feed:

            async def all_of_it() -> None:
                while (item := await feed.get()) is not None:
                    found.append(item)

            await asyncio.wait_for(asyncio.gather(*(all_of_it() for _ in range(takers))), timeout=30)
            assert await feed.get() is None

    asyncio.run(take())
    return found


def beside_and_within(inputs: list[Source], limits: Limits, sieve: Sieve) -> tuple[list[object], list[object]]:
    """What either plan gives, and what it says of itself then."""

    def outcome(plan: Plan) -> list[object]:
        items = told(plan, takers=3)
        return [*items, plan.read, plan.already_delivered, plan.is_exhausted, plan.share]

    with closing(Beside(inputs, limits, sieve)) as there:
        return outcome(there), outcome(Within(inputs, limits, sieve))


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """Documents that fit and that do not, bare events, events that rules refuse, and what is no JSON."""
    events = [EVENT | {"id": f"e{number}"} for number in range(40)]
    lines = [
        json.dumps({"events": events[:10]}),
        json.dumps({"events": events[10:35], "other": "ü"}),
        *map(json.dumps, events[35:]),
        json.dumps({"events": [events[0], events[1] | {"properties": 7}]}),
        '{"events": [',
        json.dumps({"events": [events[2] | {"long": "x" * 700_000}]}),
    ]
    path = tmp_path / "mixed.jsonl"
    path.write_text("\n".join(lines))
    return path


def test_another_process_plans_what_this_one_would(mixed: Path) -> None:
    """Payloads byte for byte, what is not sent, the problems, and the figures."""
    there, here = beside_and_within([source(mixed), source(mixed)], LIMITS, sieve())
    assert there == here
    assert {type(item).__name__ for item in there[:-4]} == {"Payload", "Unsendable", "Problem"}
    assert there[-3:-1] == [0, True]
    assert not multiprocessing.active_children()


def test_a_process_that_does_not_begin_as_a_copy_plans_the_same(mixed: Path) -> None:
    """So it is on macOS, and everywhere from Python 3.14 on."""
    script = mixed.with_suffix(".py")
    script.write_text(SPAWNED)
    subprocess.run([sys.executable, script, mixed], check=True, timeout=60)


@pytest.fixture
def endless(tmp_path: Path) -> Iterator[Beside]:
    """The plan of far more than anybody takes."""
    path = tmp_path / "many.jsonl"
    path.write_bytes((json.dumps({"events": [EVENT | {"id": "x" * 100_000}]}).encode() + b"\n") * 100)
    with closing(Beside([source(path)], Limits(), Sieve())) as plan:
        yield plan


async def first_of(plan: Beside, then: Callable[[], None]) -> Planned | None:
    """The first item of a plan; after it, something happens, and the rest is taken."""
    with plan.feed(ahead=2) as feed:
        first = await feed.get()
        then()
        while await asyncio.wait_for(feed.get(), timeout=30):
            pass
    return first


def test_a_process_that_dies_is_a_defect_and_never_the_end_of_the_plan(endless: Beside) -> None:
    """What it would have planned would be missing without anybody noticing."""
    (child,) = multiprocessing.active_children()
    with pytest.raises(DefectError, match="died"):
        asyncio.run(first_of(endless, child.kill))
    assert not endless.is_exhausted


def test_signals_to_the_whole_group_are_not_for_it(endless: Beside) -> None:
    """The process that sends stops then, in its own time."""
    pid = multiprocessing.active_children()[0].pid or 0

    def ask() -> None:
        for each in (signal.SIGINT, signal.SIGTERM):
            os.kill(pid, each)

    assert isinstance(asyncio.run(first_of(endless, ask)), Payload)
    assert (endless.read, endless.is_exhausted) == (100, True)


def test_it_is_never_more_ahead_than_it_may(endless: Beside) -> None:
    """However many have been taken: two that wait, two or three that came with them, and what the system keeps."""

    async def take() -> int:
        most = taken = 0
        with endless.feed(ahead=2) as feed:
            while await asyncio.wait_for(feed.get(), timeout=30) is not None:
                taken += 1
                await asyncio.sleep(0.002)
                most = max(most, endless.read - taken)
        return most

    assert asyncio.run(take()) <= 5


def test_it_waits_while_nobody_takes_and_ends_when_it_is_closed(endless: Beside) -> None:
    """So that memory does not grow with the input, and no process stays behind."""

    async def take_one() -> None:
        with endless.feed(ahead=2) as feed:
            assert await feed.get() is not None
            await asyncio.sleep(0.2)
            feed.close()
            assert await feed.get() is None

    asyncio.run(take_one())
    assert endless.read <= 8
    endless.close()
    assert not multiprocessing.active_children()
    endless.close()


def test_what_goes_wrong_there_is_raised_here(tmp_path: Path) -> None:
    """With the traceback of the other process."""

    class Broken(Sieve):
        def document_key(self, _document: bytes) -> bytes:
            raise ZeroDivisionError

    path = tmp_path / "p.jsonl"
    path.write_text(json.dumps({"events": [EVENT]}))
    with closing(Beside([source(path)], Limits(), Broken())) as plan, pytest.raises(ZeroDivisionError) as caught:
        told(plan)
    assert "document_key" in caught.value.__notes__[0]


def test_who_is_asked_for_help(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Large files, and only those: of a pipe nobody knows, and it may be slow."""
    small, large = tmp_path / "small", tmp_path / "large"
    small.write_bytes(b" ")
    with large.open("wb") as file:
        file.truncate(beside.LARGE)
    monkeypatch.setattr(beside, "jobs_of", lambda _: 2)
    assert is_large([source(small), source(large)])
    assert not is_large([source(small)])
    assert not is_large([source(large), Source("<stdin>", None)])
    monkeypatch.setattr(beside, "jobs_of", lambda _: 1)
    assert not is_large([source(large)])
