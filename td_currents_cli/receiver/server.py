"""A running endpoint: socket, thread, store."""

import os
import socket
import threading
import time
from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from td_currents_cli.errors import OutputError, UsageError
from td_currents_cli.receiver.ingestion import DelayedStore
from td_currents_cli.receiver.settings import ServeSettings
from td_currents_cli.receiver.store import Store
from td_currents_cli.receiver.tally import RequestCounter, RequestLog, ServeStats

if TYPE_CHECKING:
    from td_currents_cli.receiver.http_server import Layer

_POLL: Final = 0.005


class Receiver:
    """A local Postback endpoint that runs in its own thread during the `with` block.

    At the end of the block it stops listening, lets the requests in flight finish (bounded by
    `ServeSettings.stop_within`), writes the pending rows, and closes the store. `listener` is called for each request,
    in the server's thread, just before the response is sent. Tests wrap the application in a `layer`.
    """

    host: str
    port: int  # the actual port, also for port 0
    repaired: bool  # the store ended in an incomplete row, which was ended

    def __init__(
        self,
        settings: ServeSettings,
        listener: Callable[[RequestLog], None] | None = None,
        layer: "Layer" = lambda application: application,
    ) -> None:
        self.settings = settings
        self._layer = layer
        self._counter = RequestCounter(listener)

    @property
    def store(self) -> Path:
        return self.settings.store

    @property
    def base_url(self) -> str:
        """Scheme, host and port for senders on this machine."""
        address = ip_address(self.host)
        if address.is_unspecified:
            return f"http://localhost:{self.port}"
        return f"http://{f'[{self.host}]' if address.version == 6 else self.host}:{self.port}"

    @property
    def is_public(self) -> bool:
        """Whether other machines may be able to reach it."""
        return not ip_address(self.host).is_loopback

    @property
    def running(self) -> bool:
        return self._thread.is_alive()

    def url(self, database: str, table: str) -> str:
        """Return the Postback URL of a table. Any database and table name works."""
        return f"{self.base_url}/postback/v3/event/{database}/{table}"

    @property
    def stats(self) -> ServeStats:
        return self._counter.stats()

    def __enter__(self) -> Self:
        """Start listening.

        Raises:
            UsageError: the host or the port is not available.
            OutputError: the store cannot be opened.
        """
        from td_currents_cli.receiver.http_server import BACKLOG, http_server  # noqa: PLC0415 -- slow to import

        listening = _listen(self.settings.host, self.settings.port, BACKLOG)
        try:
            store = Store(self.settings.store)
        except BaseException:
            listening.close()
            raise
        self.host, self.port = listening.getsockname()[:2]
        self.repaired = store.repaired
        faults = self.settings.fault_settings
        self._delayed_store = DelayedStore(store, delay=faults.ingest_delay, max_rows=faults.max_rows)
        self._server = http_server(self.settings, self._delayed_store, self._counter, self._layer)
        # A daemon: a second Ctrl-C does not wait for requests in flight.
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [listening]}, name="serve", daemon=True
        )
        self._thread.start()
        while not self._server.started and self._thread.is_alive():
            time.sleep(_POLL)
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._server.should_exit = True
        self._thread.join()
        try:
            self._delayed_store.close()
        except OSError as error:
            raise OutputError(f"cannot write all rows to {self.store}: {os.strerror(error.errno or 0)}") from error


def _listen(host: str, port: int, backlog: int) -> socket.socket:
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.create_server((str(address[0]), int(address[1])), family=family, backlog=backlog)
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
