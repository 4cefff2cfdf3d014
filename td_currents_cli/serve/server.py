"""`tdcur serve`: run the local endpoint until it is stopped, and summarize the requests."""

import asyncio
import errno
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from ipaddress import ip_address
from pathlib import Path
from queue import Empty, SimpleQueue
from types import FrameType
from typing import Any, ClassVar, Final, Self, TypeAlias

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from td_currents_cli.errors import ExitCode, OutputError, UsageError
from td_currents_cli.outcome import Outcome
from td_currents_cli.serve.app import MALFORMED_BODY, PATH, ASGIApp, PostbackEndpoint, expected_key
from td_currents_cli.serve.fault_injection import FaultInjector
from td_currents_cli.serve.settings import ServeSettings
from td_currents_cli.serve.stats import RequestLog, RequestResult, ServeStats
from td_currents_cli.serve.store import Store

PageLayer: TypeAlias = Callable[[ASGIApp, ServeStats, asyncio.Event], ASGIApp]
"""Wraps an application, to show its statistics; the event is set when the server stops."""


class Receiver:
    """A local Postback endpoint that runs in its own thread during the `with` block.

    At the end of the block it stops listening, lets the requests in flight finish (bounded by
    `ServeSettings.stop_within`), writes the pending rows, and closes the store. `listener` is called for each request,
    in the server's thread, just before the response is sent. `page` answers requests for the page, which are not
    counted, and get no fault. Tests wrap the application in a `layer`.
    """

    host: str
    port: int  # the actual port, also for port 0
    repaired: bool  # the store ended in an incomplete row, which was ended

    def __init__(
        self,
        settings: ServeSettings,
        listener: Callable[[RequestLog], None] = lambda _: None,
        layer: Callable[[ASGIApp], ASGIApp] = lambda application: application,
        page: PageLayer = lambda application, _stats, _stopping: application,
    ) -> None:
        self.settings = settings
        self.stats = ServeStats(listener)
        self._layer = layer
        self._page = page

    @property
    def store(self) -> Path:
        return self.settings.store

    @property
    def is_public(self) -> bool:
        """Whether other machines may be able to reach it."""
        return not ip_address(self.host).is_loopback

    @property
    def running(self) -> bool:
        return self._thread.is_alive()

    @property
    def page_url(self) -> str:
        return f"http://{self._authority}/"

    def url(self, database: str, table: str) -> str:
        """Return the Postback URL of a table for senders on this machine. Any database and table name works."""
        return f"http://{self._authority}{PATH.format(database=database, table=table)}"

    @property
    def _authority(self) -> str:
        address = ip_address(self.host)
        host = "localhost" if address.is_unspecified else f"[{self.host}]" if address.version == 6 else self.host
        return f"{host}:{self.port}"

    def __enter__(self) -> Self:
        """Start listening.

        Raises:
            UsageError: the host or the port is not available.
            OutputError: the store cannot be opened.
        """
        listening = _listen(self.settings.host, self.settings.port)
        faults = self.settings.fault_settings
        try:
            self._store = Store(self.store, delay=faults.ingest_delay, max_rows=faults.max_rows)
        except BaseException:
            listening.close()
            raise
        self.host, self.port = listening.getsockname()[:2]
        self.repaired = self._store.repaired
        self._server = _http_server(self.settings, self._store, self.stats, self._layer, self._page)
        # A daemon: a second Ctrl-C does not wait for requests in flight.
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [listening]}, name="serve", daemon=True
        )
        self._thread.start()
        while not self._server.started and self._thread.is_alive():
            time.sleep(0.005)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join()
        try:
            self._store.close()
        except OSError as error:
            raise OutputError(f"cannot write all rows to {self.store}: {os.strerror(error.errno or 0)}") from error


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.create_server((str(address[0]), int(address[1])), family=family, backlog=BACKLOG)
    except (socket.gaierror, UnicodeError) as error:
        raise UsageError(
            f"cannot listen on {host}: unknown host", hint="Use an address of this machine for --host."
        ) from error
    except OSError as error:
        raise UsageError(
            f"cannot listen on {host}:{port}: {os.strerror(error.errno or 0)}", hint="Use --port 0 for any free port."
        ) from error
    # Connections inherit it. asyncio sets it only on sockets created in other ways, and without it a response, which is
    # two small writes, waits 40 ms for the sender's delayed acknowledgement.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeRequest:
    settings: ServeSettings  # without the write key
    write_key_file: Path | None  # None: the key of the environment, if any


class ServeOutcome(Outcome, frozen=True, kw_only=True):
    command: ClassVar[str] = "serve"

    stats: ServeStats
    store: Path

    def summary(self) -> dict[str, object]:
        return self.stats.summary() | {"store": str(self.store)}


def run(
    request: ServeRequest,
    *,
    started: Callable[[Receiver], None],
    listener: Callable[[RequestLog], None],
    page: PageLayer,
) -> ServeOutcome:
    """Serve until SIGINT or SIGTERM; must run in the main thread.

    `started` is called once, when requests are accepted; `listener` for each request, in another thread.

    Raises:
        UsageError: the host, the port or the write key file is invalid.
        InputError: the write key file cannot be read.
        OutputError: the store cannot be opened or synced to the disk.
    """
    settings = replace(request.settings, write_key=expected_key(request.write_key_file, os.environ))
    # Only the first signal is handled here: during the shutdown, a second one ends the program at once.
    with Receiver(settings, listener, page=page) as receiver, _signal_queue(*_EXIT_CODES) as signals:
        started(receiver)
        stop = _wait_for_signal(signals, receiver)
    stats = receiver.stats
    failed = stats.by_result[RequestResult.FAILED]
    return ServeOutcome(stats=stats, store=receiver.store, exit_code=ExitCode.IO if failed else _EXIT_CODES[stop])


_EXIT_CODES: Final = {signal.SIGINT: ExitCode.INTERRUPTED, signal.SIGTERM: ExitCode.TERMINATED}


@contextmanager
def _signal_queue(*signals: signal.Signals) -> Iterator["SimpleQueue[signal.Signals]"]:
    """Queue the signals that arrive, instead of their normal effect."""
    # Python's only queue that a signal handler may use.
    caught: SimpleQueue[signal.Signals] = SimpleQueue()

    def catch(number: int, _frame: FrameType | None) -> None:
        caught.put(signal.Signals(number))

    before = {number: signal.signal(number, catch) for number in signals}
    try:
        yield caught
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _wait_for_signal(signals: "SimpleQueue[signal.Signals]", receiver: Receiver) -> signal.Signals:
    while True:
        try:
            return signals.get(timeout=1)
        except Empty:
            if not receiver.running:
                raise OutputError(
                    "the server stopped unexpectedly", hint="Set TDCUR_DEBUG=1 to see the reason."
                ) from None


BACKLOG: Final = 2048  # connections that may wait to be accepted


class _HttpServer(uvicorn.Server):
    """Sets an event when it stops, and logs what concerns no request that the application gets."""

    def __init__(self, config: uvicorn.Config, stopping: asyncio.Event, stats: ServeStats) -> None:
        super().__init__(config)
        self._stopping = stopping
        self._stats = stats
        self._is_full = False

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        asyncio.get_running_loop().set_exception_handler(self._log_exception)
        await super().startup(sockets)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Release delayed responses first: otherwise they would last until `stop_within` is over."""
        self._stopping.set()
        await super().shutdown(sockets)

    def _log_exception(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Log once that connections cannot be accepted: asyncio reports each that waits, and again every second."""
        error = context.get("exception")
        if not isinstance(error, OSError) or error.errno not in {errno.EMFILE, errno.ENFILE}:
            # asyncio's attempts to accept again fail once the socket is closed.
            if not self._stopping.is_set():
                loop.default_exception_handler(context)
        elif not self._is_full:
            self._is_full = True
            # It is logged again after a minute.
            loop.call_later(60.0, setattr, self, "_is_full", False)  # noqa: FBT003 -- the value
            reason = f"cannot accept connections: {os.strerror(error.errno or 0).lower()} (see ulimit -n)"
            # It is not counted: there was no request.
            self._stats.listener(RequestLog(status=None, result=RequestResult.FAILED, reason=reason))


class _HttpProtocol(H11Protocol):
    """uvicorn's protocol, with a time limit for headers; logs what is not HTTP. A server has a subclass with values."""

    stats: ServeStats
    headers_within: float

    _start = b""  # of a request whose headers are incomplete
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait_for_headers()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        if self._start:
            reason = "the sender disconnected before the end of its headers"
            self.stats.add(RequestLog(status=None, result=RequestResult.ABORTED, reason=reason))
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._start = self._start or data[:3]
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._start = b""
            self._stop_waiting()
        elif self._timer is None:
            self._wait_for_headers()

    def send_400_response(self, msg: str) -> None:
        if not getattr(self.cycle, "response_complete", True):  # None before the first request
            # The application, to which this is a disconnection, logs the request.
            self.cycle.scope["state"][MALFORMED_BODY] = True
        else:
            is_tls = self._start.startswith(b"\x16\x03")
            reason = "not HTTP but TLS: use http://, not https://" if is_tls else "malformed HTTP"
            self.stats.add(RequestLog(status=400, result=RequestResult.REFUSED, reason=reason))
        super().send_400_response(msg)

    def _wait_for_headers(self) -> None:
        self._timer = self.loop.call_later(self.headers_within, self._time_is_up)

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _time_is_up(self) -> None:
        if self._start and not self.transport.is_closing():
            reason = f"no complete headers within {self.headers_within:g} s"
            self.stats.add(RequestLog(status=408, result=RequestResult.REFUSED, reason=reason))
            self.transport.write(_TIMEOUT_RESPONSE)
            self._start = b""
        self.transport.close()


_TIMEOUT_RESPONSE: Final = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


def _http_server(
    settings: ServeSettings, store: Store, stats: ServeStats, layer: Callable[[ASGIApp], ASGIApp], page: PageLayer
) -> _HttpServer:
    stopping = asyncio.Event()
    app = layer(PostbackEndpoint(settings, store, stats))
    if settings.fault_settings.faults or settings.fault_settings.latency:
        app = FaultInjector(app, settings.fault_settings, stopping)
    config = uvicorn.Config(
        page(app, stats, stopping),
        http=type("Protocol", (_HttpProtocol,), {"stats": stats, "headers_within": settings.headers_within}),
        loop="asyncio",
        ws="none",
        lifespan="off",
        log_config=None,
        # uvicorn logs the traceback of a failing application, which is for developers.
        log_level="warning" if os.environ.get("TDCUR_DEBUG") == "1" else "critical",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        backlog=BACKLOG,
        timeout_keep_alive=75,  # long enough for a sender with pauses
        timeout_graceful_shutdown=settings.stop_within,
    )
    return _HttpServer(config, stopping, stats)
