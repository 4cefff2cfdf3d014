"""How `tdcur send` gets to its endpoint: processes, real servers on loopback, exit codes."""

import asyncio
import json
import os
import pty
import socket
from base64 import b64encode
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.loopback import Authority, Received, answering, serving, tunnelling
from tests.scripted import HEX, KEY, PATH, Scripted, Sent, end, send, start, write


@pytest.fixture
def payloads(tmp_path: Path) -> Path:
    """Five requests with two events each."""
    event = {"event_type": "t", "time": 1, "user": {}, "properties": {}}
    documents = ({"events": [event | {"id": f"{n}-{m}"} for m in range(2)]} for n in range(5))
    return write(tmp_path / "payloads.jsonl", *documents)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def ids(received: Received) -> set[str]:
    return {event["id"] for _, _, body in received for event in json.loads(body)["events"]}


def test_the_connection_test_stores_nothing_and_proves_no_key(endpoint: Any) -> None:
    for key in (endpoint.key, "1/" + "0" * 40):
        result = send("--check-endpoint", "--url", endpoint.url, "--format", "json", TD_WRITE_KEY=key)
        assert (result.code, result.document["command"]) == (0, "send")
        assert result.document["summary"]["status"] == 200
        assert result.document["summary"]["latency_ms"] > 0
        assert result.document["summary"]["tls"] is None
    text = send("--check-endpoint", "--url", endpoint.url)
    assert text.code == 0
    assert "status   200" in text.out
    assert "does not prove that the write key is valid" in text.err
    assert endpoint.rows() == []
    assert endpoint.receiver.stats.requests == 3


def test_the_connection_test_says_what_secures_the_connection(authority: Authority) -> None:
    async def main() -> tuple[Sent, Sent]:
        async with serving(answering(), authority.server()) as port:
            check = ("--check-endpoint", "--url", f"https://localhost:{port}{PATH}")
            result = await asyncio.to_thread(send, *check, "--cacert", authority.file, "--format", "json")
            return result, await asyncio.to_thread(send, *check, SSL_CERT_FILE=authority.file)

    result, text = asyncio.run(main())
    assert (result.code, text.code) == (0, 0)
    tls = result.document["summary"]["tls"]
    assert tls["version"] == "TLSv1.3"
    assert "trustme" in tls["issuer"]
    assert tls["expires"].endswith("Z")
    assert "TLSv1.3, certificate issued by trustme" in text.out


@pytest.mark.parametrize(("status", "code"), [(403, 4), (503, 5)])
def test_the_connection_test_exits_as_sending_would(status: int, code: int, scripted: Scripted) -> None:
    scripted.answer = lambda _: status
    result = send("--check-endpoint", "--url", scripted.url, "--format", "json")
    assert result.code == result.document["exit_code"] == code
    assert result.document["summary"]["status"] == status
    assert len(scripted.bodies) == 1
    assert str(status) in result.document["error"]["message"]


def test_the_connection_test_without_a_response_is_exit_5() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        for url in (f"http://127.0.0.1:{unused.getsockname()[1]}/", "https://nobody.invalid/"):
            result = send("--check-endpoint", "--url", url, "--format", "json")
            assert result.code == 5
            assert result.document["summary"] == {"status": None, "latency_ms": None, "tls": None}
            assert result.document["error"]["hint"]


def test_the_connection_test_needs_no_input(scripted: Scripted) -> None:
    controller, terminal = pty.openpty()
    try:
        assert end(start("--check-endpoint", "--url", scripted.url, stdin=terminal)).code == 0
    finally:
        os.close(controller)
        os.close(terminal)


def test_a_certificate_that_is_not_trusted_stops_at_once(authority: Authority, payloads: Path) -> None:
    received: Received = []

    async def main() -> tuple[Sent, Sent]:
        async with serving(answering(received=received), authority.server()) as port:
            options = (payloads, "--url", f"https://localhost:{port}{PATH}", "--format", "json")
            refused = await asyncio.to_thread(send, *options)
            assert received == []
            return refused, await asyncio.to_thread(send, *options, "--cacert", authority.file)

    refused, accepted = asyncio.run(main())
    assert (refused.code, accepted.code) == (5, 0)
    assert refused.summary["requests_by_status"] == {"tls": 1}
    assert "certificate" in refused.document["error"]["message"]
    assert "--cacert" in refused.document["error"]["hint"]
    assert len(ids(received)) == 10


def test_a_proxy_with_credentials(authority: Authority, payloads: Path) -> None:
    received: Received = []
    connects: list[str] = []

    async def main() -> tuple[Sent, Sent]:
        async with (
            serving(answering(received=received), authority.server("far.invalid")) as port,
            serving(tunnelling(port, connects)) as proxy,
        ):
            url = f"https://far.invalid:{port}{PATH}"
            options = (
                payloads,
                "--url",
                url,
                "--cacert",
                authority.file,
                "--no-journal",
                "--format",
                "json",
            )
            environ = {"https_proxy": f"http://user:{HEX}@127.0.0.1:{proxy}"}
            through = await asyncio.to_thread(send, *options, **environ)
            return through, await asyncio.to_thread(send, *options, no_proxy="far.invalid", **environ)

    through, past = asyncio.run(main())
    assert (through.code, past.code) == (0, 5)
    assert len(ids(received)) == 10
    assert connects[0].startswith("CONNECT far.invalid:")
    assert b64encode(f"user:{HEX}".encode()).decode() in connects[0]
    assert "write-key" not in connects[0].lower()
    assert all(headers["x-td-write-key"] == KEY for _, headers, _ in received)
    assert "resolved" in past.document["error"]["message"]


def test_the_rate_is_a_maximum(payloads: Path, scripted: Scripted) -> None:
    """From the first request on. The exact rate is tested with a clock of its own, since a busy machine is slower."""
    result = send(payloads, "--url", scripted.url, "--rate", 10, "--format", "json")
    assert result.code == 0
    assert len(scripted.events) == 10
    assert 10 / result.summary["seconds"] <= 10 * 1.05


def test_on_a_terminal_there_is_a_bar_and_standard_output_is_left_alone(payloads: Path, scripted: Scripted) -> None:
    scripted.delay = 0.7
    controller, terminal = pty.openpty()
    process = start(
        *(payloads, "--url", scripted.url, "--format", "json", "--concurrency", 2),
        stderr=terminal,
        TERM="xterm",
    )
    os.close(terminal)
    shown = read_all(controller)
    os.close(controller)
    assert end(process).summary["delivered"] == 10
    assert "━" in shown
    assert "events/s" in shown
    assert "2 in flight" in shown


def read_all(terminal: int) -> str:
    pieces = []
    with suppress(OSError):
        while piece := os.read(terminal, 65_536):
            pieces.append(piece)
    return b"".join(pieces).decode()
