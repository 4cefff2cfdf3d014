import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from operator import eq
from pathlib import Path

import pytest

from td_currents_cli.errors import DefectError
from td_currents_cli.parallel import processes
from td_currents_cli.parallel.pool import SERIAL, SharedBytes, ordered_map
from td_currents_cli.parallel.processes import AHEAD, SLOT_SIZE

SPAWNED = """
import multiprocessing
from td_currents_cli.parallel.pool import SERIAL, SharedBytes, ordered_map

def bulky(_argument):
    return lambda item: SharedBytes(bytes([item]) * 100)

def adder(number):
    return lambda item: (item + number, multiprocessing.parent_process() is not None)

if __name__ == "__main__":
    multiprocessing.set_start_method({method!r})
    results = list(ordered_map(adder, (5,), range(SERIAL + 10), 2))
    bulk = [bytes(result) for _, result in ordered_map(bulky, (1,), range(SERIAL + 10), 2)]
    assert bulk == [bytes([item]) * 100 for item in range(SERIAL + 10)], bulk
    assert [result for _, (result, _) in results] == [item + 5 for item in range(SERIAL + 10)], results
    assert [elsewhere for _, (_, elsewhere) in results] == [False] * SERIAL + [True] * 10, results
"""


def process_of(_argument: object) -> Callable[[int], int]:
    """Tells the process that an item is worked on in."""
    return lambda _item: os.getpid()


def sleeper(seconds: float) -> Callable[[int], int]:
    """Takes its time, the more the earlier an item is."""

    def function(item: int) -> int:
        time.sleep(seconds * (item % 3 == 0))
        return -item

    return function


def dying(at: int) -> Callable[[int], int]:
    """Kills the process that works on an item."""

    def function(item: int) -> int:
        if item == at:
            os.kill(os.getpid(), signal.SIGKILL)
        return item

    return function


def failing(_argument: object) -> Callable[[int], int]:
    """Fails at the last item."""
    return lambda item: 1 // (SERIAL + 20 - item)


def bulky(size: int) -> Callable[[int], list[SharedBytes]]:
    """Gives two pieces of many bytes."""
    return lambda item: [SharedBytes(bytes([item]) * size), SharedBytes(bytes([item + 1]) * size)]


def is_running(process: int) -> bool:
    """Whether there is such a process."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("jobs", [1, 2, 3])
def test_results_come_in_the_order_of_the_items(jobs: int) -> None:
    """Whichever is done first."""
    items = range(SERIAL + 30)
    assert list(ordered_map(sleeper, (0.01,), items, jobs)) == [(item, -item) for item in items]


@pytest.mark.parametrize("size", [0, 10, SLOT_SIZE // 2, SLOT_SIZE // 2 + 1, SLOT_SIZE + 1])
@pytest.mark.parametrize(("jobs", "slot_size"), [(1, SLOT_SIZE), (3, SLOT_SIZE), (2, 1 << 50)])
def test_shared_bytes_arrive_complete(size: int, jobs: int, slot_size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether there is room for it where it is shared or not, each time that the room is used again.

    Where no memory can be shared (no system provides that much), results go through the pipe.
    """
    monkeypatch.setattr(processes, "SLOT_SIZE", slot_size)
    for item, pieces in ordered_map(bulky, (size,), range(SERIAL + 15), jobs):
        assert [bytes(piece) == bytes([item + each]) * size for each, piece in enumerate(pieces)] == [True, True]


@pytest.mark.parametrize(("items", "jobs"), [(SERIAL, 4), (500, 1), (SERIAL + 20, 2)])
def test_processes_are_started_for_large_inputs(items: int, jobs: int) -> None:
    """Starting one takes longer than the work on a small input; `--jobs 1` starts none, however large it is."""
    processes = [process for _, process in ordered_map(process_of, (0,), range(items), jobs)]
    assert set(processes[:SERIAL]) == {os.getpid()}
    assert (os.getpid() in processes[SERIAL:]) == (items == 500)


def test_a_large_item_starts_processes_at_once() -> None:
    """Whether it is the first or comes after small ones; `--jobs 1` starts none."""
    for large in (0, 3):
        results = ordered_map(process_of, (0,), range(SERIAL), 2, is_large=partial(eq, large))
        processes = [process for _, process in results]
        assert set(processes[:large]) <= {os.getpid()}
        assert os.getpid() not in processes[large:]
    results = ordered_map(process_of, (0,), range(SERIAL), 1, is_large=lambda _: True)
    assert {process for _, process in results} == {os.getpid()}


def test_items_are_taken_a_bounded_number_ahead() -> None:
    """An endless input does not need endless memory."""
    taken: list[int] = []

    def items() -> Iterator[int]:
        for item in count():
            taken.append(item)
            yield item

    results = ordered_map(sleeper, (0,), items(), 2)
    for number, _ in zip(range(SERIAL + 50), results, strict=False):
        assert len(taken) <= number + 2 + 2 * AHEAD
    results.close()


def test_closing_ends_the_processes() -> None:
    """Also where most of the work is not done."""
    results = ordered_map(process_of, (0,), count(), 2)
    processes = {process for _, (_, process) in zip(range(SERIAL + 30), results, strict=False)}
    results.close()
    assert multiprocessing.active_children() == []
    assert [process for process in processes - {os.getpid()} if is_running(process)] == []


@pytest.mark.parametrize("at", [SERIAL, SERIAL + 3, SERIAL + 49])
def test_the_death_of_a_worker_is_reported(at: int) -> None:
    """The run does not hang, and earlier results are not lost."""
    done = 0
    with pytest.raises(DefectError, match="died") as caught:
        for done, _ in ordered_map(dying, (at,), range(SERIAL + 50), 2):  # noqa: B007 -- the last one counts
            pass
    assert done < at
    assert "--jobs 1" in caught.value.hint
    assert multiprocessing.active_children() == []


def test_what_fails_in_another_process_fails_here() -> None:
    """It is the exception that was raised there."""
    with pytest.raises(ZeroDivisionError):
        list(ordered_map(failing, (0,), range(SERIAL + 21), 2))


@pytest.mark.parametrize("method", sorted({"spawn", "forkserver"} & set(multiprocessing.get_all_start_methods())))
def test_processes_may_be_started_afresh(method: str, tmp_path: Path) -> None:
    """As on macOS and Windows, and with Python 3.14 everywhere: nothing is inherited, all is sent."""
    script = tmp_path / "script.py"
    script.write_text(SPAWNED.format(method=method), encoding="utf-8")
    subprocess.run([sys.executable, str(script)], check=True, timeout=60)
