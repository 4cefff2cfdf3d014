"""Faults happen here: an ASGI layer around the endpoint that spoils answers as it has been asked to."""

import asyncio
import math
import random
import socket
import struct
from collections.abc import Iterator
from typing import Any, Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from td_currents_cli.receiver.body import Body
from td_currents_cli.receiver.endpoint import FAULT, AsgiEndpoint, Headers, Now, PostbackResponse
from td_currents_cli.receiver.faults import HANG, RESET, Fault
from td_currents_cli.receiver.settings import FaultSettings
from td_currents_cli.receiver.tally import RequestCounter, RequestResult

_LINGER_NOT: Final = struct.pack("ii", 1, 0)


def draw_faults(faults: tuple[Fault, ...], seed: int) -> Iterator[Fault | None]:
    """What the first request meets, what the second, and so on without end: the same for the same seed."""
    draw = random.Random(seed).random  # noqa: S311 -- it has to come out the same again
    # Exact sums: ten times 0.1 are 1, and leave no request without a fault.
    bounds = [math.fsum(fault.share for fault in faults[: number + 1]) for number in range(len(faults))]
    while True:
        drawn = draw()
        yield next((fault for fault, bound in zip(faults, bounds, strict=True) if drawn < bound), None)


class FaultInjector:
    """An application that fails, or answers late, as it has been asked to."""

    def __init__(
        self, app: ASGIApp, misbehaviour: FaultSettings, tally: RequestCounter, clock: Now, stopping: asyncio.Event
    ) -> None:
        """Go around an application.

        Args:
            app: it.
            misbehaviour: what is asked for.
            tally: counts the requests that `app` does not see.
            clock: for their time.
            stopping: set when the receiver stops: nothing waits any longer then.
        """
        self._app = app
        self._refusing = _FaultEndpoint(tally, clock)
        self._deals = draw_faults(misbehaviour.faults, misbehaviour.seed)
        self._latency = misbehaviour.latency
        self._stopping = stopping

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        fault = next(self._deals)
        if fault is None:
            await self._app(scope, receive, self._late(send, self._latency))
            return
        scope[FAULT] = fault
        app = self._app if fault.stores else self._refusing
        await app(scope, receive, self._spoilt(fault, receive, send))

    def _spoilt(self, fault: Fault, receive: Receive, send: Send) -> Send:
        """What the application sends its answer with."""
        if fault.answers:
            return self._late(send, self._latency + (fault.seconds or 0.0 if fault.stores else 0.0))

        async def never(message: Message) -> None:
            if message["type"] == "http.response.start":
                if fault.name == HANG:
                    await self._until_stop_or(_gone(receive))
                await _reset(receive, send)

        return never

    def _late(self, send: Send, seconds: float) -> Send:
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
    """What stands in for the application where nothing is to be stored."""

    async def answer(self, scope: Scope, headers: Headers, body: Body) -> PostbackResponse:  # noqa: ARG002 -- as the base has it
        """The status that has been dealt; or none at all, and then this answer is never sent."""
        fault: Fault = scope[FAULT]
        if fault.name != RESET:
            await body.skip()
        status = int(fault.name) if fault.answers else 0
        wait = None if fault.seconds is None else math.ceil(fault.seconds)
        return PostbackResponse(status, RequestResult.FAULT, f"fault {fault.name}", retry_after=wait)


async def _reset(receive: Receive, send: Send) -> None:
    """Break the connection off with a TCP reset, and wait until the server has noticed."""
    # ASGI has no word for it: the server's own connection is behind the function it gave us.
    transport: asyncio.Transport = getattr(send, "__self__").transport  # noqa: B009 -- mypy knows no such attribute
    if not transport.is_closing():
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
        transport.abort()
    await _gone(receive)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
