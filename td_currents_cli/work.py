"""Work spread over the cores, with the results in the order of the work."""

import os
import signal
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from itertools import chain, islice
from typing import Any, Final, TypeVar

from td_currents_cli.errors import DefectError

Item = TypeVar("Item")
Result = TypeVar("Result")

SERIAL: Final = 8
"""Items done before others are asked to help: below that, starting processes costs more than it saves."""

AHEAD: Final = 3
"""Items handed out beyond those being worked on, for each process: bounds what is in memory."""

MOST_JOBS: Final = 8
"""Processes when nothing else is asked for: one process cannot read fast enough to keep more of them busy."""


def jobs_of(asked: int | None) -> int:
    """How many processes to work with: as many as asked for, else one for each core that this process may use."""
    return asked or min(_cores(), MOST_JOBS)


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def in_order(
    make: Callable[..., Callable[[Item], Result]], arguments: tuple[Any, ...], items: Iterable[Item], jobs: int
) -> Generator[tuple[Item, Result]]:
    """Each item with what a function makes of it, in the order of the items.

    Close it when it is not read to its end: the other processes end then.

    Args:
        make: makes the function; called once in each process, so that what it needs is built once.
        arguments: of `make`; they and the items and results are sent between processes.
        items: taken as they are needed, a bounded number ahead.
        jobs: number of processes; 1 for none but this one.

    Raises:
        DefectError: one of the processes died.
    """
    function = make(*arguments)
    rest = iter(items)
    for item in rest if jobs == 1 else islice(rest, SERIAL):
        yield item, function(item)
    for item in rest:
        yield from _spread(make, arguments, chain([item], rest), jobs)


def _spread(
    make: Callable[..., Callable[[Item], Result]], arguments: tuple[Any, ...], items: Iterable[Item], jobs: int
) -> Iterator[tuple[Item, Result]]:
    from concurrent.futures import Future, ProcessPoolExecutor  # noqa: PLC0415 -- small inputs do without
    from concurrent.futures.process import BrokenProcessPool  # noqa: PLC0415 -- as above

    waiting: deque[tuple[Item, Future[Any]]] = deque()
    pool = ProcessPoolExecutor(jobs, initializer=_start, initargs=(make, arguments))
    try:
        for item in items:
            with _interrupts_held_back():
                waiting.append((item, pool.submit(_do, item)))
            if len(waiting) > jobs * AHEAD:
                done, future = waiting.popleft()
                yield done, future.result()
        while waiting:
            done, future = waiting.popleft()
            yield done, future.result()
    except BrokenProcessPool:
        raise DefectError(
            "one of the processes that share the work died: it was killed, or ran out of memory",
            hint="`--jobs 1` works in a single process, which needs the least memory.",
        ) from None
    finally:
        pool.shutdown(cancel_futures=True)


@contextmanager
def _interrupts_held_back() -> Iterator[None]:
    """Ctrl-C waits, so that no process that is just starting hears of it before it knows what to do."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


_function: Callable[[Any], Any]


def _start(make: Callable[..., Callable[[Any], Any]], arguments: tuple[Any, ...]) -> None:
    global _function  # noqa: PLW0603 -- a process of a pool has no other place for what it is told once
    from threading import Thread  # noqa: PLC0415 -- in processes of a pool only

    # The process that was asked to stop sees to the others. Should it be killed, nobody does.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    Thread(target=_end_with_parent, daemon=True).start()
    _function = make(*arguments)


def _end_with_parent() -> None:
    from multiprocessing import parent_process  # noqa: PLC0415 -- as above

    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _do(item: Any) -> Any:  # noqa: ANN401 -- whatever the function takes and gives
    return _function(item)
