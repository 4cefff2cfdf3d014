"""The plan, as it comes from another process, a few payloads ahead of delivery and no more.

There is no thread in between: it would wait for the event loop at each payload, and the loop for it. The loop reads
while fewer payloads wait than there may; then the other process waits to write.
"""

import asyncio
from collections.abc import Callable
from socket import socket
from typing import Any, Final, Self

from td_currents_cli.errors import DefectError
from td_currents_cli.send.frames import Frames
from td_currents_cli.send.payload import Planned

_READ: Final = 1 << 18
"""Bytes that are read at once: all that the system keeps between two processes."""


class Inlet:
    """What the plan gives, one by one, for as many takers as there are; as `feed.Feed`.

    Used inside the event loop, as a context: leaving it raises what went wrong with the plan.
    """

    def __init__(self, source: socket, unpack: Callable[[Any, bytes], Planned | None], *, ahead: int) -> None:
        """Prepare; reading begins when the context is entered.

        Args:
            source: gives frames.
            unpack: makes an item of what is in a frame; None at the end. May raise what went wrong.
            ahead: how many may wait to be taken; a few small ones more.
        """
        self._source = source
        self._unpack = unpack
        self._ahead = ahead
        self._loop = asyncio.get_running_loop()
        self._frames = Frames()
        # Used again and again: to get as much memory each time takes longer than to read.
        self._buffer = memoryview(bytearray(_READ))
        self._items: asyncio.Queue[Planned | None] = asyncio.Queue()
        self._is_reading = False
        self._has_ended = False
        self._error: Exception | None = None

    def __enter__(self) -> Self:
        self._source.settimeout(0)
        self._read_on()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.close()
        if self._error is not None and kind is None:
            raise self._error

    async def get(self) -> Planned | None:
        """What comes next; None at the end."""
        item = await self._items.get()
        if item is None:
            # For the next one who asks.
            self._items.put_nowait(None)
        elif not self._is_reading and not self._has_ended and self._items.qsize() < self._ahead:
            self._read_on()
        return item

    def close(self) -> None:
        """Read no more. Takers that wait get None."""
        while not self._items.empty():
            self._items.get_nowait()
        self._end()

    def _read_on(self) -> None:
        self._is_reading = True
        self._loop.add_reader(self._source, self._read)

    def _pause(self) -> None:
        self._is_reading = False
        self._loop.remove_reader(self._source)

    def _end(self) -> None:
        self._has_ended = True
        self._pause()
        self._items.put_nowait(None)

    def _read(self) -> None:
        try:
            for thing, body in self._frames.add(self._received()):
                item = self._unpack(thing, body)
                if item is None:
                    self._end()
                    return
                self._items.put_nowait(item)
        except BlockingIOError:
            return
        except Exception as error:  # noqa: BLE001 -- raised again when the context is left
            self._error = error
            self._end()
            return
        if self._items.qsize() >= self._ahead:
            self._pause()

    def _received(self) -> memoryview:
        try:
            size = self._source.recv_into(self._buffer)
        except ConnectionResetError:
            size = 0
        if not size:
            raise DefectError("the process that reads the input died: it was killed, or ran out of memory")
        return self._buffer[:size]
