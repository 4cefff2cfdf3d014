"""A running endpoint: its socket, its thread, its store."""

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
    """A local Postback endpoint that runs in a thread of its own while the `with` block does.

    On leaving the block it stops listening, lets the requests in flight finish (bounded by `Settings.stop_within`),
    writes the rows that wait for their time, and closes the store.

    Attributes:
        settings: what it was started with.
        host: address it listens on.
        port: port it listens on, also when a free one was asked for.
        healed: whether the store ended in an unfinished row, which has been ended.
    """

    host: str
    port: int
    healed: bool

    def __init__(
        self,
        settings: ServeSettings,
        listener: Callable[[RequestLog], None] | None = None,
        layer: "Layer" = lambda application: application,
    ) -> None:
        """Start nothing yet.

        Args:
            settings: see there.
            listener: told of each exchange, in the receiver's thread, just before its answer is sent.
            layer: goes around the application, for tests whose answers depend on what is in a body.
        """
        self.settings = settings
        self._layer = layer
        self._tally = RequestCounter(listener)

    @property
    def store(self) -> Path:
        """The file that rows are appended to."""
        return self.settings.store

    @property
    def base_url(self) -> str:
        """Scheme, host and port, as a sender on this machine reaches it."""
        address = ip_address(self.host)
        if address.is_unspecified:
            return f"http://localhost:{self.port}"
        return f"http://{f'[{self.host}]' if address.version == 6 else self.host}:{self.port}"

    @property
    def is_public(self) -> bool:
        """Whether other machines may reach it."""
        return not ip_address(self.host).is_loopback

    @property
    def running(self) -> bool:
        """Whether requests are still answered."""
        return self._thread.is_alive()

    def url(self, database: str, table: str) -> str:
        """The Postback URL of a table. Any database and table will do."""
        return f"{self.base_url}/postback/v3/event/{database}/{table}"

    @property
    def stats(self) -> ServeStats:
        """The figures so far; the final ones after the block."""
        return self._tally.stats()

    def __enter__(self) -> Self:
        """Start listening.

        Raises:
            UsageError: the host or the port cannot be listened on.
            OutputError: the store cannot be opened.
        """
        from td_currents_cli.receiver.http_server import BACKLOG, http_server  # noqa: PLC0415 -- heavy; only to run

        listening = _listen(self.settings.host, self.settings.port, BACKLOG)
        try:
            store = Store(self.settings.store)
        except BaseException:
            listening.close()
            raise
        self.host, self.port = listening.getsockname()[:2]
        self.healed = store.healed
        asked = self.settings.misbehaviour
        self._ingestion = DelayedStore(store, delay=asked.ingest_delay, max_rows=asked.max_rows)
        self._server = http_server(self.settings, self._ingestion, self._tally, self._layer)
        # A daemon: a second Ctrl-C does not wait for requests in flight.
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [listening]}, name="receiver", daemon=True
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
            self._ingestion.close()
        except OSError as error:
            raise OutputError(f"cannot write all of {self.store}: {os.strerror(error.errno or 0)}") from error


def _listen(host: str, port: int, backlog: int) -> socket.socket:
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.create_server((str(address[0]), int(address[1])), family=family, backlog=backlog)
    except (socket.gaierror, UnicodeError) as error:
        raise UsageError(
            f"cannot listen on {host}: no such host", hint="--host takes an address of this machine"
        ) from error
    except OSError as error:
        raise UsageError(
            f"cannot listen on {host}:{port}: {os.strerror(error.errno or 0)}", hint="--port 0 takes a free port"
        ) from error
    # Connections inherit it. asyncio sets it only on sockets made in another way, and without it an answer, which is
    # two small writes, waits 40 ms for the sender's delayed acknowledgement.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening
