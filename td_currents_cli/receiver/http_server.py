"""The HTTP server under the endpoint: uvicorn, and what it is told."""

import asyncio
import os
import socket
import time
from collections.abc import Callable
from typing import Final, TypeAlias

import uvicorn
from starlette.types import ASGIApp

from td_currents_cli.receiver.app import application
from td_currents_cli.receiver.ingestion import DelayedStore
from td_currents_cli.receiver.misbehaviour import FaultInjector
from td_currents_cli.receiver.settings import ServeSettings
from td_currents_cli.receiver.tally import RequestCounter

Layer: TypeAlias = Callable[[ASGIApp], ASGIApp]

BACKLOG: Final = 2048
"""Connections that may wait to be accepted."""

_KEEP_ALIVE: Final = 75
"""Seconds an idle connection is kept: long enough that a sender with pauses does not find it closed."""


class HttpServer(uvicorn.Server):
    """Serves an application that is told when it stops."""

    def __init__(self, config: uvicorn.Config, stopping: asyncio.Event) -> None:
        super().__init__(config)
        self._stopping = stopping

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let answers that are held back go first: nothing else would end them before `stop_within` is over."""
        self._stopping.set()
        await super().shutdown(sockets)


def http_server(settings: ServeSettings, store: DelayedStore, tally: RequestCounter, layer: Layer) -> HttpServer:
    """The server of an endpoint, not yet running."""
    stopping = asyncio.Event()
    # uvicorn logs a failing application with its traceback, which is for whoever mends this program.
    level = "warning" if os.environ.get("TDCUR_DEBUG") == "1" else "critical"
    config = uvicorn.Config(
        _application(settings, store, tally, layer, stopping),
        http="auto",
        loop="asyncio",
        ws="none",
        lifespan="off",
        log_config=None,
        log_level=level,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        backlog=BACKLOG,
        timeout_keep_alive=_KEEP_ALIVE,
        timeout_graceful_shutdown=settings.stop_within,
    )
    return HttpServer(config, stopping)


def _application(
    settings: ServeSettings, store: DelayedStore, tally: RequestCounter, layer: Layer, stopping: asyncio.Event
) -> ASGIApp:
    app = layer(application(settings, store, tally))
    asked = settings.misbehaviour
    if asked.faults or asked.latency:
        return FaultInjector(app, asked, tally, time.time, stopping)
    return app
