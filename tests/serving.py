"""An endpoint of `tdcur serve` in this process, and requests to it."""

import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import fields
from http.client import HTTPConnection, HTTPMessage
from pathlib import Path
from typing import Any, Final, NamedTuple

from td_currents_cli.live_page import LivePage
from td_currents_cli.render.serve import page_files
from td_currents_cli.serve import FaultSettings, Receiver, RequestLog, ServeSettings
from td_currents_cli.serve.settings import parse_faults

KEY: Final = {"X-TD-Write-Key": "1/key"}
PATH: Final = "/postback/v3/event/braze/currents"
BODY: Final = b'{"events":[{"id":"a"}]}'

Start = Callable[..., "Served"]


def head(length: int = len(BODY), *more: str, target: str = PATH, key: str = "k") -> bytes:
    """The request line and the headers of a body of this length."""
    lines = [f"POST {target} HTTP/1.1", "Host: x", f"X-TD-Write-Key: {key}", f"Content-Length: {length}", *more]
    return "\r\n".join([*lines, "", ""]).encode()


def body(event_id: str) -> bytes:
    return json.dumps({"events": [{"id": event_id}]}).encode()


class Answer(NamedTuple):
    status: int
    body: bytes
    headers: HTTPMessage


class Served(Receiver):
    """A receiver that keeps what it logs. The options are those of both kinds of settings.

    With `watched`, it has a page: personal data is on it if that is "unmasked".
    """

    def __init__(
        self, store: Path, fail: str = "", layer: Any = lambda app: app, watched: str = "", **options: Any
    ) -> None:
        faults = {each.name: options.pop(each.name) for each in fields(FaultSettings) if each.name in options}
        settings = FaultSettings(faults=parse_faults(fail) if fail else (), **faults)
        self.heard: list[RequestLog] = []
        serve_settings = ServeSettings(store=store, fault_settings=settings, **options)
        if not watched:
            super().__init__(serve_settings, self.heard.append, layer)
            return
        page = LivePage(serve_settings.host, page_files(), show_personal_data=watched == "unmasked")

        def listener(log: RequestLog) -> None:
            self.heard.append(log)
            page.add(log)

        super().__init__(serve_settings, listener, layer, page.layer)

    @contextmanager
    def connected(self, timeout: float = 20) -> Iterator[HTTPConnection]:
        with closing(HTTPConnection(self.host, self.port, timeout=timeout)) as connection:
            yield connection

    def opened(self) -> socket.socket:
        return socket.create_connection((self.host, self.port), timeout=20)

    def ask(self, sent: Any = BODY, **options: Any) -> Answer:
        """A request on a connection of its own."""
        with self.connected() as connection:
            return ask(connection, sent, **options)

    def raw(self, sent: bytes) -> bytes:
        """Send bytes, and return all that comes back until the connection is closed."""
        with self.opened() as sender:
            sender.sendall(sent)
            return b"".join(iter(lambda: sender.recv(4096), b""))

    def get(self, path: str, host: str = "") -> Answer:
        """A request for the page, or what it loads."""
        return self.ask(b"", method="GET", path=path, headers={"Host": host or f"localhost:{self.port}"})

    def json(self, path: str) -> Any:
        return json.loads(self.get(path).body)

    def wait_for(self, requests: int) -> None:
        """Wait until so many are counted."""
        deadline = time.monotonic() + 20
        while self.stats.requests < requests and time.monotonic() < deadline:
            time.sleep(0.01)

    def events(self) -> list[Any]:
        """The ids of the events in the store."""
        rows = map(json.loads, self.store.read_text("utf-8").splitlines())
        return [event["id"] for row in rows for event in json.loads(row["events"])]


def ask(
    connection: HTTPConnection,
    sent: Any = BODY,
    *,
    method: str = "POST",
    path: str = PATH,
    headers: dict[str, str] = KEY,
) -> Answer:
    connection.request(method, path, sent, headers)
    response = connection.getresponse()
    return Answer(response.status, response.read(), response.headers)
