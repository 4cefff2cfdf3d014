"""An endpoint that answers as it is told, and `tdcur send` in a process of its own."""

import json
import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

from tests.command import TDCUR

HEX: Final = "5ec4e7" * 6 + "5ec4"
KEY: Final = f"4711/{HEX}"
PATH: Final = "/postback/v3/event/braze/currents"


@dataclass
class Scripted:
    """An endpoint on a free loopback port.

    Attributes:
        answer: the status that a body is answered with; `reset` and `hang` are answers, too.
        text: what an answer other than 200 says.
        location: of a redirect.
        delay: seconds before each answer.
        permits: one is taken for each answer; None for any number.
        heads: request lines and headers of all that were received, in order.
        bodies: of the same.
        taken: those of them that were answered 200.
        arrived: released once for each request.
    """

    answer: Callable[[bytes], int | str] = lambda _: 200
    text: str = "refused"
    content_type: str = "application/json"
    location: str = ""
    delay: float = 0.0
    permits: threading.Semaphore | None = None
    heads: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    taken: list[bytes] = field(default_factory=list)
    arrived: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}{PATH}"

    @property
    def events(self) -> list[Any]:
        """The events that were answered 200, in order."""
        return [event for body in self.taken for event in json.loads(body)["events"]]

    def wait_for(self, requests: int) -> None:
        for _ in range(requests):
            assert self.arrived.acquire(timeout=60)

    @contextmanager
    def serving(self) -> Iterator["Scripted"]:
        ended, lock, endpoint = threading.Event(), threading.Lock(), self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with lock:
                    endpoint.bodies.append(body)
                    endpoint.heads.append(f"{self.requestline}\r\n{self.headers}")
                    answer = endpoint.answer(body)
                    if answer == 200:
                        endpoint.taken.append(body)
                endpoint.arrived.release()
                if endpoint.permits is not None:
                    endpoint.permits.acquire()
                time.sleep(endpoint.delay)
                if isinstance(answer, str):
                    ended.wait(3600 if answer == "hang" else 0)
                    self.close_connection = True
                    return
                text = {200: "{}", 204: ""}.get(answer, endpoint.text).encode()
                self.send_response(answer)
                self.send_header("Content-Type", endpoint.content_type)
                self.send_header("Content-Length", str(len(text)))
                if endpoint.location:
                    self.send_header("Location", endpoint.location)
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        class Server(ThreadingHTTPServer):
            request_queue_size = 128

            def handle_error(self, *_: object) -> None:
                """A sender that was stopped hangs up: nothing to print."""

        with Server(("127.0.0.1", 0), Handler) as server:
            self.port = server.server_address[1]
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
            thread.start()
            try:
                yield self
            finally:
                ended.set()
                if self.permits is not None:
                    self.permits.release(10_000)
                server.shutdown()
                thread.join()


@dataclass(frozen=True, slots=True)
class Sent:
    """How a process of `tdcur send` ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.out)
        return document

    @property
    def summary(self) -> dict[str, Any]:
        """The figures of a run, which balance."""
        summary: dict[str, Any] = self.document["summary"]
        states = ("delivered", "already_delivered", "dead", "undelivered")
        assert summary["read"] == sum(summary[state] for state in states)
        assert summary["requests"] == sum(summary["requests_by_status"].values())
        return summary


def start(
    *arguments: object, stdin: int = subprocess.DEVNULL, stderr: int = subprocess.PIPE, **environ: Any
) -> "subprocess.Popen[str]":
    """Start `tdcur send` with a key, without proxies and authorities of the machine; leaks are errors."""
    own = {name: value for name, value in os.environ.items() if "proxy" not in name.lower() and name != "SSL_CERT_FILE"}
    return subprocess.Popen(
        [*TDCUR, "send", *map(str, arguments)],
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
        env={**own, "TD_WRITE_KEY": KEY, "PYTHONWARNINGS": "error::ResourceWarning", **environ},
        # Of its own, so that it can be told whether a process stays behind.
        process_group=0,
    )


def end(process: "subprocess.Popen[str]", *, stdin: str | None = None, seconds: float = 120) -> Sent:
    """Wait for the end; nothing of the key, no traceback and no payload content may have been printed."""
    with process:
        try:
            out, err = process.communicate(stdin, timeout=seconds)
        finally:
            process.kill()
    for unwanted in (HEX, "payload-content"):
        assert unwanted not in out.lower() + (err or "").lower()
    assert "Traceback" not in (err or "") or process.returncode == 2
    return Sent(process.returncode, out, err)


def send(*arguments: object, **environ: Any) -> Sent:
    return end(start(*arguments, **environ))


def write(path: Path, *documents: object) -> Path:
    """Write documents as JSON Lines."""
    path.write_text("".join(json.dumps(document) + "\n" for document in documents), encoding="utf-8")
    return path


def letters(path: Path | None) -> list[dict[str, Any]]:
    """The dead letters in a file."""
    assert path is not None
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]
