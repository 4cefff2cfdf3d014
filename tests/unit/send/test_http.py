"""The door to the network, against real servers on free ports."""

import asyncio
import inspect
import re
import socket
from contextlib import aclosing
from pathlib import Path

import aiohttp
import httpx
import pytest

from td_currents_cli.errors import UsageError
from td_currents_cli.send import http as module
from td_currents_cli.send.destination import Destination
from td_currents_cli.send.endpoint import Endpoint, resolve
from td_currents_cli.send.http import HttpxClient
from td_currents_cli.send.retry import (
    BadAddress,
    ConnectionLost,
    HttpResponse,
    NotConnected,
    ProxyRefused,
    RequestFailure,
    TimedOut,
    UnknownHost,
    UnknownResult,
    UntrustedHost,
)
from tests.loopback import Received, Serve, answering, read_request, serving, status, without_proxies

BODY = b'{"events":[{"id":"1"}]}'
KEY = "1/" + "5ec4e7" * 6 + "5ec4"


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    without_proxies(monkeypatch)


def to(url: str) -> Endpoint:
    return resolve(Destination(url=url, allow_http=True), {"TD_WRITE_KEY": KEY})


def post(
    serve: Serve,
    *,
    url: str = "http://127.0.0.1:{port}/postback/v3/event/my_db/my_table",
    times: int = 1,
    timeout: float = 5.0,
    body: bytes = BODY,
    proxy_for: str | None = None,
) -> list[HttpResponse | RequestFailure]:
    """Post to a server, which is the proxy of a scheme if one is given."""

    async def main() -> list[HttpResponse | RequestFailure]:
        with pytest.MonkeyPatch.context() as patch:
            async with serving(serve) as port:
                if proxy_for is not None:
                    patch.setenv(f"{proxy_for}_proxy", f"127.0.0.1:{port}")
                endpoint = to(url.format(port=port))
                async with aclosing(HttpxClient(endpoint, concurrency=2, timeout=timeout)) as client:
                    return [await client.post(body) for _ in range(times)]

    return asyncio.run(main())


def test_the_request_is_that_of_brazes_sender() -> None:
    """Which keeps no cookies."""
    received: Received = []
    answers = post(answering(status("200 OK", "Set-Cookie: a=b", body="fine"), received), times=2)
    assert answers == [HttpResponse(status=200)] * 2
    line, headers, body = received[1]
    assert line == "POST /postback/v3/event/my_db/my_table HTTP/1.1"
    assert body == BODY
    assert headers.pop("user-agent").startswith("tdcur/")
    assert headers.pop("host").startswith("127.0.0.1:")
    assert headers == {
        "accept": "*/*",
        "accept-encoding": "identity",
        "content-type": "application/json",
        "braze-currents-version": "1",
        "x-td-write-key": KEY,
        "content-length": str(len(BODY)),
    }


@pytest.mark.parametrize(
    ("sent", "answer"),
    [
        (status("429 Slow", "Retry-After: 17"), HttpResponse(status=429, retry_after="17", text=b"{}")),
        (
            status("302 Found", "Location: https://other.example/path?secret=1"),
            HttpResponse(status=302, redirect_host="other.example", text=b"{}"),
        ),
        (status("400 Bad", body="why " * 1000), HttpResponse(status=400, text=b"why " * 1000)),
        *(
            (status("307 Temporary", f"Location: {broken}"), HttpResponse(status=307, redirect_host=host, text=b"{}"))
            for broken, host in (("ftp://x/", "x"), ("https://[bad/", ""), ("/relative", ""), ("", ""), ("\x7f", ""))
        ),
    ],
)
def test_responses_carry_what_follows_from_them(sent: bytes, answer: HttpResponse) -> None:
    """The library may not turn a broken redirect into an error of the connection."""
    received: Received = []
    assert post(answering(sent, received)) == [answer]
    assert len(received) == 1


def test_a_response_that_is_not_read_to_its_end_says_so() -> None:
    (answer,) = post(answering(status("400 Bad", body="why " * 100_000)))
    assert isinstance(answer, HttpResponse)
    assert answer.is_cut
    assert 65_536 < len(answer.text) < 400_000
    broken = status("400 Bad", body="why").replace(b"Content-Length: 3", b"Content-Length: 4")
    (answer,) = post(answering(broken), timeout=0.1)
    assert isinstance(answer, HttpResponse)
    assert (answer.status, answer.is_cut) == (400, True)


async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await read_request(reader)
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
    await writer.drain()
    writer.transport.abort()


async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await read_request(reader)
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while not writer.is_closing():
        writer.write(b"4000\r\n" + b"x" * 0x4000 + b"\r\n")
        await writer.drain()


@pytest.mark.parametrize("serve", [cut, endless])
def test_a_status_counts_whatever_becomes_of_the_rest_of_the_response(serve: Serve) -> None:
    assert post(serve) == [HttpResponse(status=200)]


def test_a_response_that_comes_before_the_body_is_read() -> None:
    async def early(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(status("413 Too Large", "Connection: close"))
        await writer.drain()
        await reader.read()

    assert post(early, body=b"x" * 1_000_000) == [HttpResponse(status=413, text=b"{}")]


async def reset_before_answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await read_request(reader)
    writer.transport.abort()


async def close_before_answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await read_request(reader)
    writer.close()


async def reset_in_the_middle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readexactly(40)
    writer.transport.abort()


async def not_http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await read_request(reader)
    writer.write(b"220 smtp ready\r\n\r\n")
    writer.close()


@pytest.mark.parametrize("serve", [reset_before_answer, close_before_answer, reset_in_the_middle, not_http])
def test_a_connection_that_breaks_leaves_the_result_unknown(serve: Serve) -> None:
    (failure,) = post(serve)
    assert isinstance(failure, ConnectionLost)


async def silent(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    await reader.read()


async def deaf(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    assert isinstance(writer.transport, asyncio.Transport)
    writer.transport.pause_reading()
    await asyncio.sleep(60)


@pytest.mark.filterwarnings("ignore:Sending a large body directly:ResourceWarning")
@pytest.mark.parametrize(("serve", "body"), [(silent, BODY), (deaf, b"x" * 1_040_000 * 8)])
def test_no_response_in_time_is_unknown(serve: Serve, body: bytes) -> None:
    """The library has no timeout for a peer that does not read: ours covers it."""
    (failure,) = post(serve, timeout=0.2, body=body)
    assert isinstance(failure, TimedOut)


def outcome_at(url: str) -> HttpResponse | RequestFailure:
    return post(silent, url=url)[0]


def test_a_refused_connection_is_not_sent_and_an_unknown_host_is_named() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        result = outcome_at(f"http://127.0.0.1:{unused.getsockname()[1]}/")
    assert type(result) is NotConnected
    assert "refused" in result.reason
    assert isinstance(outcome_at("http://nobody.invalid/"), UnknownHost)


def test_what_does_not_speak_tls() -> None:
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        writer.write(status("400 Bad Request"))
        await writer.drain()

    (failure,) = post(plain, url="https://127.0.0.1:{port}/")
    assert isinstance(failure, UntrustedHost)
    assert "wrong version" in failure.reason


@pytest.mark.parametrize("name", ["missing.pem", "empty.pem"])
def test_certificates_that_cannot_be_loaded_are_a_usage_error(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "empty.pem").write_text("")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / name))
    with pytest.raises(UsageError, match="certificates") as caught:
        HttpxClient(to("https://localhost/"), concurrency=1, timeout=1)
    assert "SSL_CERT_FILE" in caught.value.hint


def test_the_proxy_of_the_environment_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "direct.invalid")
    received: Received = []
    through, direct = (
        post(answering(received=received), url=f"http://{host}/x%2Fy?z=%2f", proxy_for="http")[0]
        for host in ("far.invalid", "direct.invalid")
    )
    assert through == HttpResponse(status=200)
    assert isinstance(direct, UnknownHost)
    assert received[0][0] == "POST http://far.invalid/x%2Fy?z=%2f HTTP/1.1"


@pytest.mark.parametrize(
    ("line", "kind"), [("407 Proxy Authentication Required", ProxyRefused), ("503 Busy", NotConnected)]
)
def test_a_proxy_that_does_not_connect(line: str, kind: type[RequestFailure]) -> None:
    (result,) = post(answering(status(line)), url="https://far.invalid/", proxy_for="https")
    assert isinstance(result, RequestFailure)
    assert type(result) is kind
    assert re.fullmatch(rf"the proxy 127.0.0.1:\d+ refused to connect: HTTP {line[:3]}", result.reason)


@pytest.mark.parametrize(
    ("proxy", "kind", "reason"),
    [
        ("http://u:5ec4e7@nobody.invalid:3128", ProxyRefused, "the host name of the proxy nobody.invalid:3128 cannot"),
        ("http://127.0.0.1:1", NotConnected, "no connection to the proxy 127.0.0.1:1: connection refused"),
    ],
)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_cannot_be_reached_is_named(
    proxy: str, kind: type[RequestFailure], reason: str, scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"{scheme}_proxy", proxy)
    result = outcome_at(f"{scheme}://far.invalid/x")
    assert type(result) is kind
    assert isinstance(result, RequestFailure)
    assert result.reason.startswith(reason)
    assert "5ec4e7" not in result.reason


@pytest.mark.parametrize("proxy", ["socks5://localhost:1", "nonsense://x"])
def test_a_proxy_that_cannot_be_used_is_a_usage_error(proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", proxy)
    with pytest.raises(UsageError, match="proxy"):
        HttpxClient(to("https://example.com/"), concurrency=1, timeout=1)


HTTPX = [
    found
    for _, found in inspect.getmembers(httpx, inspect.isclass)
    if issubclass(found, Exception) and found.__module__ == "httpx"
]
AIOHTTP = [found for _, found in inspect.getmembers(aiohttp, inspect.isclass) if issubclass(found, aiohttp.ClientError)]


def meaning_of(foreign: type[Exception]) -> type[RequestFailure]:
    return next(meaning for meaning, group in module.CAUSES if issubclass(foreign, group))


NOT_SENT = {
    "ConnectError": NotConnected,
    "InvalidURL": BadAddress,
    "PoolTimeout": NotConnected,
    "ProxyError": ProxyRefused,
    "UnsupportedProtocol": BadAddress,
}
TIMEOUTS = {"ConnectTimeout", "ReadTimeout", "TimeoutException", "WriteTimeout"}


@pytest.mark.parametrize("foreign", HTTPX, ids=lambda foreign: foreign.__name__)
def test_every_exception_of_httpx_has_a_meaning(foreign: type[Exception]) -> None:
    """In doubt the request may have arrived."""
    name = foreign.__name__
    assert meaning_of(foreign) is NOT_SENT.get(name, TimedOut if name in TIMEOUTS else ConnectionLost)


@pytest.mark.parametrize("foreign", AIOHTTP, ids=lambda foreign: foreign.__name__)
def test_every_exception_of_the_transport_is_distinguished(foreign: type[Exception]) -> None:
    kind = meaning_of(foreign)
    not_sent = (aiohttp.ClientConnectorError, aiohttp.ClientHttpProxyError, aiohttp.InvalidURL)
    others = (aiohttp.ConnectionTimeoutError, aiohttp.NonHttpUrlClientError, aiohttp.ServerFingerprintMismatch)
    assert issubclass(kind, UnknownResult) is not issubclass(foreign, not_sent + others)


def test_the_original_exception_counts_not_what_the_transport_makes_of_it() -> None:
    """httpx-aiohttp says ConnectTimeout when a server hangs up after the body was sent."""
    mapped = httpx.ConnectTimeout("Server disconnected")
    mapped.__cause__ = aiohttp.ServerDisconnectedError()
    assert isinstance(module.failure(mapped), ConnectionLost)


def test_reasons_never_contain_the_text_of_an_exception_of_a_library() -> None:
    for foreign in (httpx.ReadError(KEY), aiohttp.InvalidURL(KEY), OSError(5, KEY), TimeoutError(KEY)):
        assert KEY not in module.failure(foreign).reason
