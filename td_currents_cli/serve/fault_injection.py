"""Fault injection: an ASGI layer around the endpoint."""

import asyncio
import math
import random
import socket
import struct
from collections.abc import Iterator
from typing import Any, Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from td_currents_cli.serve.app import FAULT, AsgiEndpoint, Body, Headers, Now, PostbackResponse
from td_currents_cli.serve.settings import HANG, RESET, Fault, FaultSettings
from td_currents_cli.serve.stats import RequestCounter, RequestResult

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

    def __init__(
        self, app: ASGIApp, settings: FaultSettings, counter: RequestCounter, now: Now, stopping: asyncio.Event
    ) -> None:
        self._app = app
        self._fault_endpoint = _FaultEndpoint(counter, now)
        self._faults = draw_faults(settings.faults, settings.seed)
        self._latency = settings.latency
        self._stopping = stopping

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        fault = next(self._faults)
        if fault is None:
            await self._app(scope, receive, self._delay(send, self._latency))
            return
        scope[FAULT] = fault
        app = self._app if fault.stores else self._fault_endpoint
        await app(scope, receive, self._inject(fault, receive, send))

    def _inject(self, fault: Fault, receive: Receive, send: Send) -> Send:
        if fault.answers:
            return self._delay(send, self._latency + (fault.seconds or 0.0 if fault.stores else 0.0))

        async def never(message: Message) -> None:
            if message["type"] == "http.response.start":
                if fault.name == HANG:
                    await self._until_stop_or(_disconnected(receive))
                await _reset(receive, send)

        return never

    def _delay(self, send: Send, seconds: float) -> Send:
        if not seconds:
            return send

        async def late(message: Message) -> None:
            if message["type"] == "http.response.start":
                await self._until_stop_or(asyncio.sleep(seconds))
            await send(message)

        return late

    async def _until_stop_or(self, end: Any) -> None:  # noqa: ANN401 -- any coroutine
        tasks = asyncio.ensure_future(end), asyncio.ensure_future(self._stopping.wait())
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()


class _FaultEndpoint(AsgiEndpoint):
    """Replaces the application where nothing is stored."""

    async def respond(self, scope: Scope, headers: Headers, body: Body) -> PostbackResponse:  # noqa: ARG002 -- as the base
        fault: Fault = scope[FAULT]
        if fault.name != RESET:
            await body.skip()
        status = int(fault.name) if fault.answers else 0  # 0 is never sent
        wait = None if fault.seconds is None else math.ceil(fault.seconds)
        return PostbackResponse(status, RequestResult.FAULT, f"fault {fault.name}", retry_after=wait)


async def _reset(receive: Receive, send: Send) -> None:
    """Abort the connection with a TCP reset, and wait until the server has noticed."""
    # Not part of ASGI: the server's connection is behind the function that it passed.
    transport: asyncio.Transport = getattr(send, "__self__").transport  # noqa: B009 -- unknown to mypy
    if not transport.is_closing():
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        transport.abort()
    await _disconnected(receive)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
