"""Fault injection: an ASGI layer around the endpoint."""

import asyncio
import math
import random
import socket
import struct
from collections.abc import Iterator
from typing import Any, Final

from td_currents_cli.serve.app import FAULT, ASGIApp, Message, Receive, Send, disconnected
from td_currents_cli.serve.settings import HANG, Fault, FaultSettings

_NO_LINGER: Final = struct.pack("ii", 1, 0)


def draw_faults(faults: tuple[Fault, ...], seed: int) -> Iterator[Fault | None]:
    """Draw the fault of the first request, of the second, and so on."""
    draw = random.Random(seed).random  # noqa: S311 -- must be reproducible
    # Exact sums: ten times 0.1 is 1, and leaves no request without a fault.
    bounds = [math.fsum(fault.share for fault in faults[: number + 1]) for number in range(len(faults))]
    while True:
        drawn = draw()
        yield next((fault for fault, bound in zip(faults, bounds, strict=True) if drawn < bound), None)


class FaultInjector:
    """Wraps an application; once `stopping` is set, nothing waits any longer."""

    def __init__(self, app: ASGIApp, settings: FaultSettings, stopping: asyncio.Event) -> None:
        self._app = app
        self._faults = draw_faults(settings.faults, settings.seed)
        self._latency = settings.latency
        self._stopping = stopping

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        fault = scope[FAULT] = next(self._faults)
        delay = self._latency + (fault.seconds or 0.0 if fault and fault.stores else 0.0)

        async def faulty_send(message: Message) -> None:
            starts = message["type"] == "http.response.start"
            if fault is None or fault.answers:
                if starts and delay:
                    await self._until_stop_or(asyncio.sleep(delay))
                await send(message)
            elif starts:
                if fault.name == HANG:
                    await self._until_stop_or(disconnected(receive))
                await _reset(receive, send)

        await self._app(scope, receive, faulty_send)

    async def _until_stop_or(self, end: Any) -> None:  # noqa: ANN401 -- any coroutine
        tasks = asyncio.ensure_future(end), asyncio.ensure_future(self._stopping.wait())
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()


async def _reset(receive: Receive, send: Send) -> None:
    """Abort the connection with a TCP reset, and wait until the server has noticed."""
    # Not part of ASGI: the server's connection is behind the function that it passed.
    transport: asyncio.Transport = getattr(send, "__self__").transport  # noqa: B009 -- unknown to mypy
    if not transport.is_closing():
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        transport.abort()
    await disconnected(receive)
