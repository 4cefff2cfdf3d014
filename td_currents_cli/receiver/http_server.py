"""The HTTP server of the endpoint: uvicorn."""

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

BACKLOG: Final = 2048  # connections that may wait to be accepted

_KEEP_ALIVE: Final = 75  # seconds; long enough for a sender with pauses


class HttpServer(uvicorn.Server):
    """Sets an event when it stops."""

    def __init__(self, config: uvicorn.Config, stopping: asyncio.Event) -> None:
        super().__init__(config)
        self._stopping = stopping

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Release delayed responses first: otherwise they would last until `stop_within` is over."""
        self._stopping.set()
        await super().shutdown(sockets)


def http_server(settings: ServeSettings, store: DelayedStore, counter: RequestCounter, layer: Layer) -> HttpServer:
    stopping = asyncio.Event()
    # uvicorn logs the traceback of a failing application, which is for developers.
    level = "warning" if os.environ.get("TDCUR_DEBUG") == "1" else "critical"
    config = uvicorn.Config(
        _application(settings, store, counter, layer, stopping),
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
    settings: ServeSettings, store: DelayedStore, counter: RequestCounter, layer: Layer, stopping: asyncio.Event
) -> ASGIApp:
    app = layer(application(settings, store, counter))
    fault_settings = settings.fault_settings
    if fault_settings.faults or fault_settings.latency:
        return FaultInjector(app, fault_settings, counter, time.time, stopping)
    return app
