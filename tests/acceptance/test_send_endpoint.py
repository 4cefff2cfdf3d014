"""How `tdcur send` gets to its endpoint and how fast it goes: processes, real servers on loopback, exit codes."""

import json
import os
import pty
import socket
import socketserver
import ssl
import subprocess
import sys
import threading
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import trustme

HEX = "5ec4e7" * 6 + "5ec4"
KEY = f"4711/{HEX}"
PATH = "/postback/v3/event/my_db/my_table"


@dataclass
class Web:
    """A server in threads of its own, on a free port: an endpoint, and a proxy that only connects to itself.

    Attributes:
        status: of every answer.
        delay: seconds before it.
        arrivals: when each request had been read, and how many events it held.
        heads: request lines and headers, in lower case.
        most: requests that were worked on at once, at most.
    """

    status: int = 200
    delay: float = 0.0
    tls: ssl.SSLContext | None = None
    arrivals: list[tuple[float, int]] = field(default_factory=list)
    heads: list[str] = field(default_factory=list)
    port: int = 0
    most: int = 0
    now: int = 0

    @contextmanager
    def serving(self) -> Iterator["Web"]:
        server = Server(("127.0.0.1", 0), handler(self))
        self.port = server.server_address[1]
        if self.tls is not None:
            server.socket = self.tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield self
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


class Server(ThreadingHTTPServer):
    """One that waits for its connections to end."""

    daemon_threads = False
    request_queue_size = 128

    def handle_error(self, *_: object) -> None:
        """A sender that does not trust us hangs up: nothing to print."""


def handler(web: Web) -> type[socketserver.BaseRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        lock = threading.Lock()

        def do_POST(self) -> None:
            self.note()
            body = self.rfile.read(int(self.headers["Content-Length"]))
            with self.lock:
                web.arrivals.append((time.monotonic(), len(json.loads(body)["events"])))
                web.now += 1
                web.most = max(web.most, web.now)
            time.sleep(web.delay)
            with self.lock:
                web.now -= 1
            self.wfile.write(f"HTTP/1.1 {web.status} X\r\nContent-Length: 2\r\n\r\n{{}}".encode())

        def do_CONNECT(self) -> None:
            self.note()
            self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            port = int(self.path.rpartition(":")[2])
            with socket.create_connection(("127.0.0.1", port)) as there:
                back = threading.Thread(target=pump, args=(there, self.connection))
                back.start()
                pump(self.connection, there)
                back.join()
            self.close_connection = True

        def note(self) -> None:
            with self.lock:
                web.heads.append(f"{self.requestline}\r\n{self.headers}".lower())

        def log_message(self, *_: object) -> None:
            pass

    return Handler


def pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65_536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


@dataclass
class Result:
    code: int
    out: str
    err: str

    @property
    def envelope(self) -> dict[str, Any]:
        parsed: dict[str, Any] = json.loads(self.out)
        return parsed


def environment(tmp_path: Path, **more: str) -> dict[str, str]:
    """Of every process here: a key, a state folder of its own, no proxy of the machine, and leaks are errors."""
    own = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    own.pop("SSL_CERT_FILE", None)
    state = {"XDG_STATE_HOME": str(tmp_path / "state"), "TDCUR_JOURNAL": str(tmp_path / "journal.sqlite")}
    return {**own, **state, "TD_WRITE_KEY": KEY, "PYTHONWARNINGS": "error::ResourceWarning", **more}


@pytest.fixture
def send(tmp_path: Path) -> Any:
    """Run `tdcur send` to its end; it prints no key and no traceback, whatever happens."""

    def run(*arguments: object, **environ: str) -> Result:
        ended = subprocess.run(
            [sys.executable, "-m", "td_currents_cli", "send", *map(str, arguments)],
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            env=environment(tmp_path, **environ),
            timeout=60,
            check=False,
        )
        assert HEX not in ended.stdout + ended.stderr
        assert "Traceback" not in ended.stderr
        return Result(ended.returncode, ended.stdout, ended.stderr)

    return run


@pytest.fixture
def documents(tmp_path: Path) -> Any:
    def write(count: int, events: int) -> Path:
        file = tmp_path / "payloads.jsonl"
        payloads = (
            {"events": [{"event_type": "t", "id": f"{n}-{m}", "time": 1} for m in range(events)]} for n in range(count)
        )
        file.write_text("".join(json.dumps(payload) + "\n" for payload in payloads), encoding="utf-8")
        return file

    return write


@pytest.fixture
def authority(tmp_path: Path) -> tuple[trustme.CA, Path]:
    """A certificate authority of the test's own, and the file with its certificate."""
    ca, file = trustme.CA(), tmp_path / "ca.pem"
    ca.cert_pem.write_to_path(str(file))
    return ca, file


def secured(ca: trustme.CA, name: str) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    ca.issue_cert(name).configure_cert(context)
    return context


def test_the_connection_test_stores_nothing_and_proves_no_key(endpoint: Any, send: Any) -> None:
    for key in (endpoint.key, "1/" + "0" * 40):
        result = send("--check-endpoint", "--url", endpoint.url, "--format", "json", TD_WRITE_KEY=key)
        assert result.code == 0
        assert result.envelope["command"] == "send"
        assert result.envelope["summary"]["status"] == 200
        assert result.envelope["summary"]["latency_ms"] > 0
        assert result.envelope["summary"]["tls"] is None
    text = send("--check-endpoint", "--url", endpoint.url)
    assert text.code == 0
    assert "status   200" in text.out
    assert "does not prove that the write key is valid" in text.err
    assert endpoint.rows() == []
    assert endpoint.receiver.stats.requests == 3


def test_the_connection_test_says_what_secures_the_connection(authority: tuple[trustme.CA, Path], send: Any) -> None:
    ca, file = authority
    with Web(tls=secured(ca, "localhost")).serving() as web:
        url = f"https://localhost:{web.port}{PATH}"
        result = send("--check-endpoint", "--url", url, "--cacert", file, "--format", "json")
        text = send("--check-endpoint", "--url", url, SSL_CERT_FILE=str(file))
    assert (result.code, text.code) == (0, 0)
    tls = result.envelope["summary"]["tls"]
    assert tls["version"] == "TLSv1.3"
    assert "trustme" in tls["issuer"]
    assert tls["expires"].endswith("Z")
    assert "TLSv1.3, certificate issued by trustme" in text.out


@pytest.mark.parametrize(("status", "code"), [(403, 4), (503, 5)])
def test_the_connection_test_exits_as_sending_would(status: int, code: int, send: Any) -> None:
    with Web(status=status).serving() as web:
        result = send("--check-endpoint", "--url", f"http://127.0.0.1:{web.port}{PATH}", "--format", "json")
    assert result.code == result.envelope["exit_code"] == code
    assert result.envelope["summary"]["status"] == status
    assert len(web.arrivals) == 1
    assert (str(status) in result.envelope.get("error", {}).get("message", "")) is (code != 0)


def test_the_connection_test_without_a_response_is_exit_5(send: Any) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        for url in (f"http://127.0.0.1:{unused.getsockname()[1]}/", "https://nobody.invalid/"):
            result = send("--check-endpoint", "--url", url, "--format", "json")
            assert result.code == 5
            assert result.envelope["summary"] == {"status": None, "latency_ms": None, "tls": None}
            assert result.envelope["error"]["hint"]


def test_the_connection_test_needs_no_input(send: Any, endpoint: Any, tmp_path: Path) -> None:
    controller, terminal = pty.openpty()
    try:
        ended = subprocess.run(
            [sys.executable, "-m", "td_currents_cli", "send", "--check-endpoint", "--url", endpoint.url],
            stdin=terminal,
            capture_output=True,
            env=environment(tmp_path),
            timeout=60,
            check=False,
        )
    finally:
        os.close(controller)
        os.close(terminal)
    assert ended.returncode == 0
    assert send("--check-endpoint").code == 2


def test_a_certificate_that_is_not_trusted_stops_at_once(
    authority: tuple[trustme.CA, Path], send: Any, documents: Any
) -> None:
    ca, file = authority
    payloads = documents(5, 2)
    with Web(tls=secured(ca, "localhost")).serving() as web:
        url = f"https://localhost:{web.port}{PATH}"
        refused = send(payloads, "--url", url, "--no-check", "--format", "json")
        assert refused.code == 5
        assert refused.envelope["summary"]["requests_by_status"] == {"tls": 1}
        assert "certificate" in refused.envelope["error"]["message"]
        assert "--cacert" in refused.envelope["error"]["hint"]
        assert web.arrivals == []
        assert send(payloads, "--url", url, "--no-check", "--cacert", file).code == 0
    assert sum(events for _, events in web.arrivals) == 10


def test_a_proxy_with_credentials(authority: tuple[trustme.CA, Path], send: Any, documents: Any) -> None:
    ca, file = authority
    with Web(tls=secured(ca, "far.invalid")).serving() as web, Web().serving() as proxy:
        arguments = (documents(5, 2), "--no-check", "--cacert", file, "--format", "json", "--url")
        url = f"https://far.invalid:{web.port}{PATH}"
        https_proxy = f"http://user:{HEX}@127.0.0.1:{proxy.port}"
        through = send(*arguments, url, https_proxy=https_proxy)
        past = send(*arguments, url, "--no-journal", https_proxy=https_proxy, no_proxy="far.invalid")
    assert through.code == 0
    assert sum(events for _, events in web.arrivals) == 10
    connect = proxy.heads[0]
    assert connect.startswith(f"connect far.invalid:{web.port} ")
    assert b64encode(f"user:{HEX}".encode()).decode().lower() in connect
    assert "write-key" not in connect
    assert all(f"x-td-write-key: {KEY}" in head for head in web.heads)
    assert past.code == 5
    assert "resolved" in past.envelope["error"]["message"]


@pytest.mark.parametrize("arguments", [("--concurrency", "many"), ("--rate", "0"), ("--client-cert", "no-such-file")])
def test_settings_that_cannot_work_are_exit_2(arguments: tuple[str, ...], send: Any, documents: Any) -> None:
    result = send(documents(1, 1), "--url", f"https://localhost:1{PATH}", *arguments)
    assert result.code == 2
    assert result.err.strip()


def test_the_rate_is_a_maximum(send: Any, documents: Any) -> None:
    """From the first request on. The exact rate is tested with a clock of its own, since a busy machine is slower."""
    with Web().serving() as web:
        url = f"http://127.0.0.1:{web.port}{PATH}"
        result = send(documents(16, 10), "--no-check", "--url", url, "--rate", 100, "--format", "json")
    assert result.code == 0
    assert sum(events for _, events in web.arrivals) == 160
    assert 16 * 10 / result.envelope["summary"]["seconds"] <= 100 * 1.05


def test_automatic_concurrency_rises_above_its_start_and_a_number_is_a_bound(send: Any, documents: Any) -> None:
    with Web(delay=0.05).serving() as web:
        url = f"http://127.0.0.1:{web.port}{PATH}"
        payloads = documents(200, 1)
        assert send(payloads, "--no-check", "--url", url, "--no-journal").code == 0
        assert 12 <= web.most <= 64
        web.most = 0
        assert send(payloads, "--no-check", "--url", url, "--no-journal", "--concurrency", 5).code == 0
        assert web.most == 5


def test_on_a_terminal_there_is_a_bar_and_standard_output_is_left_alone(documents: Any, tmp_path: Path) -> None:
    controller, terminal = pty.openpty()
    with Web(delay=0.2).serving() as web:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "td_currents_cli", "send", str(documents(20, 2)), "--no-check"),
                *("--url", f"http://127.0.0.1:{web.port}{PATH}", "--format", "json", "--concurrency", "2"),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=terminal,
            env=environment(tmp_path, TERM="xterm"),
        )
        with process:
            os.close(terminal)
            shown = read_all(controller)
            assert process.stdout is not None
            summary = json.loads(process.stdout.read())["summary"]
    os.close(controller)
    assert summary["delivered"] == 40
    assert "━" in shown
    assert "events/s" in shown
    assert "2 in flight" in shown


def read_all(terminal: int) -> str:
    pieces = []
    with suppress(OSError):
        while piece := os.read(terminal, 65_536):
            pieces.append(piece)
    return b"".join(pieces).decode()
