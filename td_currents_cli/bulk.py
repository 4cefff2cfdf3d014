"""Large results of other processes, in memory that they share with this one: no pipe carries them, nothing copies them.

A pipe takes what is sent through it in pieces of 64 kB, each copied four times and waited for at both of its ends.
"""

import pickle
from collections.abc import Callable
from contextlib import suppress
from itertools import accumulate
from mmap import mmap
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

SLOT: Final = 1 << 23
"""Bytes that one result has room for. What it does not use takes no memory; what is larger goes through the pipe."""


class Bulk:
    """The many bytes of a result.

    Attributes:
        data: where the result is from another process, they are there until the next one is asked for.
    """

    __slots__ = ("data",)

    def __init__(self, data: bytes | memoryview = b"") -> None:
        self.data = data

    def __reduce_ex__(self, _protocol: object, /) -> tuple[type["Bulk"], tuple[pickle.PickleBuffer]]:
        return Bulk, (pickle.PickleBuffer(self.data),)


class Slots:
    """Memory that is shared with processes that begin as copies of this one, for one result in each slot.

    Args:
        count: how many results there are at a time.
        shared: whether processes begin like that; all goes through the pipe where they do not, or memory is short.
    """

    def __init__(self, count: int, *, shared: bool) -> None:
        self._memory: mmap | None = None
        with suppress(OSError):
            self._memory = mmap(-1, count * SLOT) if shared else None
        # The one that was given back last is the one that the processor's caches still hold.
        self._free = list(range(count))

    def take(self) -> int:
        """A slot for a result."""
        return self._free.pop()

    def give_back(self, slot: int) -> None:
        """Let another result have it."""
        self._free.append(slot)

    def putting(self, slot: int, sizes: list[int]) -> Callable[[pickle.PickleBuffer], bool]:
        """What puts one buffer after another into a slot and adds their sizes; true for those that have no room."""

        def put(buffer: pickle.PickleBuffer) -> bool:
            with buffer.raw() as data:
                begin = sum(sizes)
                if self._memory is None or begin + len(data) > SLOT:
                    return True
                begin += slot * SLOT
                self._memory[begin : begin + len(data)] = data
                sizes.append(len(data))
            return False

        return put

    def views(self, slot: int, sizes: list[int]) -> list[memoryview]:
        """The buffers that were put into a slot."""
        if self._memory is None:
            return []
        begins = accumulate(sizes, initial=slot * SLOT)
        with memoryview(self._memory) as memory:
            return [memory[begin : begin + size] for begin, size in zip(begins, sizes, strict=False)]


def send(pipe: "Connection[Any, Any]", result: object, slots: Slots, slot: int) -> None:
    """Send a result to the process that waits for it, its bulk by way of a slot."""
    sizes: list[int] = []
    text = pickle.dumps(result, 5, buffer_callback=slots.putting(slot, sizes))
    pipe.send_bytes(pickle.dumps(sizes))
    pipe.send_bytes(text)


def receive(pipe: "Connection[Any, Any]", slots: Slots, slot: int) -> Any:  # noqa: ANN401 -- what was sent
    """Wait for a result. It is from a process of our own."""
    sizes = pickle.loads(pipe.recv_bytes())  # noqa: S301 -- as above
    return pickle.loads(pipe.recv_bytes(), buffers=slots.views(slot, sizes))  # noqa: S301 -- as above
