"""Processes that each apply a function to items. All that they need is imported here, where there is enough to do."""

import pickle
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import accumulate, islice
from mmap import mmap
from multiprocessing import Pipe, Process, get_start_method
from queue import SimpleQueue
from threading import Thread
from traceback import format_exception
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar

from td_currents_cli.errors import DefectError

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

Item = TypeVar("Item")
Result = TypeVar("Result")

_Requests: TypeAlias = SimpleQueue[tuple[bytes, SimpleQueue[bytes | None]] | None]
"""Pickled items, each with the queue of its answer, in which None stands for a process that died."""

AHEAD: Final = 2  # items handed out beyond those being worked on, per process: bounds what is in memory

SLOT_SIZE: Final = 1 << 24
"""Bytes of shared memory for a result. Unused ones take no memory; what is larger goes through the pipe."""


def in_processes(
    function: Callable[[Item], Result],
    make: Callable[..., Callable[[Item], Result]],
    arguments: tuple[Any, ...],
    items: Iterable[Item],
    jobs: int,
) -> Iterator[tuple[Item, Result]]:
    """Yield each item with the result of the function, which `make` makes once in each process.

    A process that begins as a copy of this one has it already.
    """
    # Not ProcessPoolExecutor: all its processes share one pipe for their results. One that is killed while it writes
    # leaves half a result in it, and the run hangs.
    forks = get_start_method() == "fork"
    if forks:
        make, arguments = lambda: function, ()
    requests: _Requests = SimpleQueue()
    waiting: deque[tuple[Item, int, SimpleQueue[bytes | None]]] = deque()
    processes: list[_Worker] = []
    slots = _Slots(jobs * AHEAD + 1, shared=forks)
    try:
        # All of them before the first thread: to fork is safe then.
        processes.extend(_Worker(make, arguments, slots) for _ in range(jobs))
        for process in processes:
            process.attend(requests)
        rest = iter(items)
        while True:
            for item in islice(rest, jobs * AHEAD + 1 - len(waiting)):
                slot, answer = slots.free.pop(), SimpleQueue[bytes | None]()
                waiting.append((item, slot, answer))
                requests.put((pickle.dumps((item, slot)), answer))
            if not waiting:
                return
            item, slot, answer = waiting.popleft()
            yield item, slots.result(answer.get(), slot)
            slots.free.append(slot)
    finally:
        for process in processes:
            process.kill()
            requests.put(None)
        for process in processes:
            process.close()


class _Slots:
    """Memory shared with processes that begin as copies of this one; where they do not, all goes through the pipe."""

    def __init__(self, count: int, *, shared: bool) -> None:
        self._memory: mmap | None = None
        with suppress(OSError):
            self._memory = mmap(-1, count * SLOT_SIZE) if shared else None
        # A stack: the slot that was released last is still in the processor's caches.
        self.free = list(range(count))

    def pickled(self, outcome: "tuple[Any, Exception | None]", slot: int) -> bytes:
        """Pickle an outcome; its SharedBytes go into the slot, as far as there is room."""
        sizes: list[int] = []

        def put(buffer: pickle.PickleBuffer) -> bool:
            with buffer.raw() as data:
                begin = sum(sizes)
                if self._memory is None or begin + len(data) > SLOT_SIZE:
                    return True  # into the pipe
                begin += slot * SLOT_SIZE
                self._memory[begin : begin + len(data)] = data
                sizes.append(len(data))
            return False

        pickled = pickle.dumps(outcome, 5, buffer_callback=put)
        return pickle.dumps((sizes, pickled))

    def result(self, sent: bytes | None, slot: int) -> Any:  # noqa: ANN401 -- whatever the function gives
        """Return the result of an outcome, or raise its error; None comes from a process that died."""
        if sent is None:
            raise DefectError(
                "a worker process died: it was killed or ran out of memory",
                hint="Use --jobs 1 to work in a single process, which needs the least memory.",
            )
        sizes, pickled = pickle.loads(sent)  # noqa: S301 -- from a process of our own
        buffers: list[memoryview] = []
        if self._memory is not None:
            begins = accumulate(sizes, initial=slot * SLOT_SIZE)
            with memoryview(self._memory) as memory:
                buffers = [memory[begin : begin + size] for begin, size in zip(begins, sizes, strict=False)]
        result, error = pickle.loads(pickled, buffers=buffers)  # noqa: S301 -- as above
        if error is not None:
            raise error
        return result


class _Worker:
    def __init__(self, make: Callable[..., Callable[[Any], Any]], arguments: tuple[Any, ...], slots: _Slots) -> None:
        self._thread: Thread | None = None
        self._pipe, others = Pipe()
        self._process = Process(target=_serve, args=(self._pipe, others, make, arguments, slots), daemon=True)
        with _interrupts_blocked():
            self._process.start()
        # Each end is left to one of the two, so that the pipe ends for each when the other does.
        others.close()

    def attend(self, requests: _Requests) -> None:
        """Answer requests until one is None, in a thread.

        It does nothing but that, so that the process has its next item soon: what is sent is pickled elsewhere.
        """

        def answer_all() -> None:
            while request := requests.get():
                sent, answer = request
                answer.put(self._answer(sent))

        self._thread = Thread(target=answer_all, daemon=True)
        self._thread.start()

    def _answer(self, request: bytes) -> bytes | None:
        """Return what the process sends back; None if it died."""
        with suppress(EOFError, OSError):
            self._pipe.send_bytes(request)
            return self._pipe.recv_bytes()
        return None

    def kill(self) -> None:
        """End the process, whatever it does: a thread that waits for it gets None."""
        self._process.kill()

    def close(self) -> None:
        if self._thread is not None:
            self._thread.join()
        self._process.join()
        self._process.close()
        self._pipe.close()


def _serve(
    theirs: "Connection[Any, Any]",
    pipe: "Connection[Any, Any]",
    make: Callable[..., Callable[[Any], Any]],
    arguments: tuple[Any, ...],
    slots: _Slots,
) -> None:
    theirs.close()
    # The parent process handles signals and ends this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _keep_freed_memory()
    function = make(*arguments)
    with suppress(EOFError, OSError):
        while True:
            item, slot = pickle.loads(pipe.recv_bytes())  # noqa: S301 -- from the process that started this one
            outcome: tuple[Any, Exception | None]
            try:
                outcome = function(item), None
            except Exception as error:  # noqa: BLE001 -- raised again where the result is waited for
                error.add_note("".join(format_exception(error)))
                outcome = None, error
            pipe.send_bytes(slots.pickled(outcome, slot))


def _keep_freed_memory() -> None:
    """Make glibc keep memory for the next block of a file, which it would give back and ask for again.

    It does so once a block of this size was freed; see M_MMAP_THRESHOLD in mallopt(3). That is a third fewer page
    faults in `parse`.
    """
    bytes(1 << 24)


@contextmanager
def _interrupts_blocked() -> Iterator[None]:
    """Hold back Ctrl-C, so that a process that is just starting does not receive it before it can handle it."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
