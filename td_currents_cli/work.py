"""Work spread over the cores, with the results in the order of the work."""

import os
import pickle
import signal
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import chain, islice
from socket import socket, socketpair
from traceback import format_exception
from typing import TYPE_CHECKING, Any, Final, TypeVar

from td_currents_cli.bulk import Slots, receive, send
from td_currents_cli.errors import DefectError

if TYPE_CHECKING:
    from concurrent.futures import Future
    from multiprocessing.connection import Connection

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

    Close it when it is not read to its end: the other processes end then. What a result holds as Bulk is there until
    the next one is asked for.

    Args:
        make: makes the function; called once in each process, so that what it needs is built once, but where a child
            begins as a copy of this process: it has the function as it is by then.
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
        if _forks():
            # A child begins with all that this process has.
            make, arguments = _itself, (function,)
        yield from _spread(make, arguments, chain([item], rest), jobs)


def _forks() -> bool:
    from multiprocessing import get_start_method  # noqa: PLC0415 -- small inputs do without

    return get_start_method() == "fork"


def _itself(function: Callable[[Item], Result]) -> Callable[[Item], Result]:
    return function


def _spread(
    make: Callable[..., Callable[[Item], Result]], arguments: tuple[Any, ...], items: Iterable[Item], jobs: int
) -> Iterator[tuple[Item, Result]]:
    # Not ProcessPoolExecutor: all its processes share one pipe for their results. One that is killed while it writes
    # leaves half a result in it, and the run hangs.
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 -- small inputs do without

    waiting: deque[tuple[Item, int, Future[Any]]] = deque()
    processes: list[_Process] = []
    slots = Slots(jobs * AHEAD + 1, shared=_forks())
    pool = ThreadPoolExecutor(jobs)
    try:
        # All of them before the first thread: to fork is safe then.
        processes.extend(_Process(make, arguments, slots) for _ in range(jobs))
        idle = processes.copy()
        for item in items:
            slot = slots.take()
            waiting.append((item, slot, pool.submit(_do, idle, item, slot)))
            if len(waiting) > jobs * AHEAD:
                yield from _first(waiting, slots)
        while waiting:
            yield from _first(waiting, slots)
    finally:
        for process in processes:
            process.kill()
        pool.shutdown(cancel_futures=True)
        for process in processes:
            process.close()


def _first(waiting: "deque[tuple[Item, int, Future[Any]]]", slots: Slots) -> Iterator[tuple[Item, Any]]:
    item, slot, future = waiting.popleft()
    yield item, future.result()
    slots.give_back(slot)


def _do(idle: list["_Process"], item: Any, slot: int) -> Any:  # noqa: ANN401 -- whatever the function takes and gives
    process = idle.pop()
    try:
        return process.do(item, slot)
    finally:
        idle.append(process)


class _Process:
    """Another process that does one item after another."""

    def __init__(self, make: Callable[..., Callable[[Any], Any]], arguments: tuple[Any, ...], slots: Slots) -> None:
        from multiprocessing import Pipe, Process  # noqa: PLC0415 -- small inputs do without

        self._pipe, others = Pipe()
        self._slots = slots
        self._process = Process(target=_serve, args=(self._pipe, others, make, arguments, slots), daemon=True)
        with _interrupts_held_back():
            self._process.start()
        # Each end is left to one of the two, so that the pipe ends for each when the other does.
        others.close()

    def do(self, item: Any, slot: int) -> Any:  # noqa: ANN401 -- as above
        """What the function makes of an item, its bulk in a slot. Raises what it raises."""
        try:
            self._pipe.send_bytes(pickle.dumps((item, slot)))
            result, error = receive(self._pipe, self._slots, slot)
        except (EOFError, OSError):
            raise DefectError(
                "one of the processes that share the work died: it was killed, or ran out of memory",
                hint="`--jobs 1` works in a single process, which needs the least memory.",
            ) from None
        if error is not None:
            raise error
        return result

    def kill(self) -> None:
        """End it, whatever it does: who waits for it in another thread gets an error."""
        self._process.kill()

    def close(self) -> None:
        """Give back what is left of it."""
        self._process.join()
        self._process.close()
        self._pipe.close()


def _serve(
    theirs: "Connection[Any, Any]",
    pipe: "Connection[Any, Any]",
    make: Callable[..., Callable[[Any], Any]],
    arguments: tuple[Any, ...],
    slots: Slots,
) -> None:
    theirs.close()
    # The process that is asked to stop sees to the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    function = make(*arguments)
    with suppress(EOFError, OSError):
        while True:
            item, slot = pickle.loads(pipe.recv_bytes())  # noqa: S301 -- from the process that has started this one
            send(pipe, attempt(function, item), slots, slot)


def attempt(function: Callable[[Any], Any], item: Any) -> tuple[Any, Exception | None]:  # noqa: ANN401 -- as above
    """What a function makes of an item, or what it raises, which is to be raised again in another process."""
    try:
        return function(item), None
    except Exception as error:  # noqa: BLE001 -- raised again where the result is waited for
        error.add_note("".join(format_exception(error)))
        return None, error


class Helper:
    """Another process that works through one thing, and tells of it through a socket.

    Attributes:
        socket: our end of it. It ends when the process does.
    """

    def __init__(self, function: Callable[..., None], arguments: tuple[Any, ...]) -> None:
        """Begin.

        Args:
            function: called in the other process with its end of the socket and the arguments.
            arguments: sent to it, where a child does not begin with all that this process has.

        Raises:
            OSError: there can be no other process.
        """
        from multiprocessing import Process  # noqa: PLC0415 -- small inputs do without

        self.socket, others = socketpair()
        try:
            with others:
                self._process = Process(target=_help, args=(self.socket, others, function, arguments), daemon=True)
                with _interrupts_held_back():
                    self._process.start()
        except BaseException:
            self.socket.close()
            raise

    def close(self) -> None:
        """End it, whatever it does. A second time does nothing."""
        if self.socket.fileno() < 0:
            return
        self.socket.close()
        self._process.kill()
        self._process.join()
        self._process.close()


def _help(theirs: socket, ours: socket, function: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    theirs.close()
    # The process that is asked to stop sees to this one, once it has ended what it is at.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    # Where that process has gone, nobody listens.
    with suppress(BrokenPipeError, ConnectionResetError):
        function(ours, *arguments)


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
