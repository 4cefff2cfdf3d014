"""The door to the network, against real servers on free ports."""

import asyncio
import inspect
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import httpx
import pytest

from td_currents_cli.errors import UsageError
from td_currents_cli.send import http as module
from td_currents_cli.send.endpoint import Destination, Endpoint, resolve
from td_currents_cli.send.http import HttpxClient
from td_currents_cli.send.retry import (
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

BODY = b'{"events":[{"id":"1"}]}'
KEY = "1/" + "5ec4e7" * 6 + "5ec4"
CERTIFICATE = """\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgfk1QuM9af8F3cJHi
T95Y4Jp3k2vIljY/uCxXaQd5uC2hRANCAARKSsSxVtAUOwXKNgEURm73DmfQutlG
8g6g236Jir1QYlbOUDyZA866MD21+QsX4hvSBEoaS5IyeenP5LIgWjbr
-----END PRIVATE KEY-----
-----BEGIN CERTIFICATE-----
MIIBmjCCAUGgAwIBAgIUUj92sTtxUsanFXWD3B+NuA3DsoIwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMzEyMzcwNloYDzIxMjYxMDMw
MTIzNzA2WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAARKSsSxVtAUOwXKNgEURm73DmfQutlG8g6g236Jir1QYlbOUDyZA866
MD21+QsX4hvSBEoaS5IyeenP5LIgWjbro28wbTAdBgNVHQ4EFgQUl5LtDLYjwIuX
KbJEwyGEEC7TIBkwHwYDVR0jBBgwFoAUl5LtDLYjwIuXKbJEwyGEEC7TIBkwDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
zj0EAwIDRwAwRAIgTDZQsepQn1bulrgUAprONMLkw0Bb7wwpcJRdLmaOIzECIEnu
La3ZvEWtEJmp4/XixrehWNVlDV2v9JoQdl/P0v3W
-----END CERTIFICATE-----
"""
"""Signed by itself for localhost, valid until 2126: trusted by nobody; its key opens nothing."""

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Received = list[tuple[str, dict[str, str], bytes]]


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine's own proxies are none of these tests' business."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


async def read_request(reader: asyncio.StreamReader) -> tuple[str, dict[str, str], bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:-2])}
    return head[0], headers, await reader.readexactly(int(headers.get("content-length", 0)))


@asynccontextmanager
async def serving(serve: Serve, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """A server on a free port, which is given; all its connections are gone afterwards."""
    handlers: list[asyncio.Task[object] | None] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        handlers.append(asyncio.current_task())
        try:
            await serve(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=tls)
    async with server:
        yield server.sockets[0].getsockname()[1]
        await asyncio.wait([handler for handler in handlers if handler] or [asyncio.ensure_future(asyncio.sleep(0))])
        # An aborted transport closes its socket in the next round of the loop.
        await asyncio.sleep(0.01)


def answering(answer: bytes, received: Received | None = None) -> Serve:
    """A server that gives every request the same answer."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            request = await read_request(reader)
            if received is not None:
                received.append(request)
            writer.write(answer)

    return serve


def status(line: str, *headers: str, body: str = "{}") -> bytes:
    return "\r\n".join([f"HTTP/1.1 {line}", *headers, f"Content-Length: {len(body)}", "", body]).encode()


def to(url: str) -> Endpoint:
    """An endpoint with a key."""
    return resolve(Destination(url=url, allow_http=True), {"TD_WRITE_KEY": KEY})


def post(
    serve: Serve,
    *,
    url: str = "http://127.0.0.1:{port}/postback/v3/event/d/t",
    times: int = 1,
    timeout: float = 5.0,
    tls: ssl.SSLContext | None = None,
    body: bytes = BODY,
) -> list[HttpResponse | RequestFailure]:
    """Post to a server of one's own, again and again on the same client."""

    async def main() -> list[HttpResponse | RequestFailure]:
        async with (
            serving(serve, tls) as port,
            HttpxClient(to(url.format(port=port)), concurrency=2, timeout=timeout) as client,
        ):
            return [await client.post(body) for _ in range(times)]

    return asyncio.run(main())


def test_the_request_is_that_of_brazes_sender() -> None:
    received: Received = []
    assert post(answering(status("200 OK"), received), times=2) == [HttpResponse(status=200)] * 2
    line, headers, body = received[1]
    assert line == "POST /postback/v3/event/d/t HTTP/1.1"
    assert body == BODY
    assert headers["content-type"] == "application/json"
    assert headers["braze-currents-version"] == "1"
    assert headers["x-td-write-key"] == KEY
    assert headers["user-agent"].startswith("tdcur/")
    assert headers["content-length"] == str(len(BODY))
    assert "cookie" not in headers


def test_responses_carry_what_follows_from_them() -> None:
    """Status, Retry-After unchanged, and the host of a redirect, which is not followed."""
    (answer,) = post(answering(status("429 Slow", "Retry-After: 17")))
    assert answer == HttpResponse(status=429, retry_after="17", text=b"{}")
    received: Received = []
    (answer,) = post(answering(status("302 Found", "Location: https://other.example/path?secret=1"), received))
    assert answer == HttpResponse(status=302, redirect_host="other.example", text=b"{}")
    assert len(received) == 1


def test_the_body_of_a_rejection_is_returned_and_that_of_a_success_is_not() -> None:
    """Why an event was refused is for the dead letter."""
    (answer,) = post(answering(status("400 Bad", body="why " * 1000)))
    assert answer == HttpResponse(status=400, text=b"why " * 1000)
    assert post(answering(status("200 OK", body="fine"))) == [HttpResponse(status=200)]


def test_a_response_that_is_not_read_to_its_end_says_so() -> None:
    """One that is too long, and one that breaks off: what it repeats at its end need not be whole."""
    (answer,) = post(answering(status("400 Bad", body="why " * 100_000)))
    assert isinstance(answer, HttpResponse)
    assert answer.is_cut
    assert 65_536 < len(answer.text) < 400_000
    broken = status("400 Bad", body="why").replace(b"Content-Length: 3", b"Content-Length: 4")
    (answer,) = post(answering(broken), timeout=0.1)
    assert isinstance(answer, HttpResponse)
    assert (answer.status, answer.is_cut) == (400, True)


@pytest.mark.parametrize("location", ["ftp://x/", "https://[bad/", "/relative", "", "\x7f"])
def test_a_broken_location_is_still_a_redirect(location: str) -> None:
    """The library may not turn it into an error of the connection."""
    (answer,) = post(answering(status("307 Temporary", f"Location: {location}")))
    assert isinstance(answer, HttpResponse)
    assert answer.status == 307


def test_cookies_are_not_kept() -> None:
    """Braze's sender has none."""
    received: Received = []
    post(answering(status("200 OK", "Set-Cookie: a=b"), received), times=2)
    assert "cookie" not in received[1][1]


def test_a_status_counts_even_when_the_rest_of_the_response_is_lost() -> None:
    """What was got 200 has arrived, however the answer ends."""

    async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
        await writer.drain()
        writer.transport.abort()

    assert post(cut) == [HttpResponse(status=200)]


def test_an_endless_response_is_not_read_to_its_end() -> None:
    """Memory and time are bounded whatever the peer sends."""

    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while not writer.is_closing():
            writer.write(b"4000\r\n" + b"x" * 0x4000 + b"\r\n")
            await writer.drain()

    assert post(endless) == [HttpResponse(status=200)]


def test_a_response_that_comes_before_the_body_is_read() -> None:
    """An endpoint may say 413 at once; it must not look like a lost connection."""

    async def early(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(status("413 Too Large", "Connection: close"))
        await writer.drain()
        await reader.read()

    assert post(early, body=b"x" * 1_000_000) == [HttpResponse(status=413, text=b"{}")]


async def reset_before_answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Takes the request, then breaks the connection."""
    await read_request(reader)
    writer.transport.abort()


async def close_before_answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Takes the request, then closes the connection properly."""
    await read_request(reader)
    writer.close()


async def reset_in_the_middle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Takes a part of the request."""
    await reader.readexactly(40)
    writer.transport.abort()


async def not_http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await read_request(reader)
    writer.write(b"220 smtp ready\r\n\r\n")
    writer.close()


@pytest.mark.parametrize("serve", [reset_before_answer, close_before_answer, reset_in_the_middle, not_http])
def test_a_connection_that_breaks_leaves_the_result_unknown(serve: Serve) -> None:
    """The body was sent, or a part of it: it may have arrived."""
    (failure,) = post(serve)
    assert isinstance(failure, ConnectionLost)


def test_no_response_in_time_is_unknown() -> None:
    """The request has arrived; whether it was stored nobody knows."""

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    (failure,) = post(silent, timeout=0.1)
    assert isinstance(failure, TimedOut)


@pytest.mark.filterwarnings("ignore:Sending a large body directly:ResourceWarning")
def test_a_peer_that_does_not_read_is_unknown() -> None:
    """The library has no timeout for writing: ours covers it."""

    async def deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert isinstance(writer.transport, asyncio.Transport)
        writer.transport.pause_reading()
        await asyncio.sleep(0.6)

    (failure,) = post(deaf, timeout=0.2, body=b"x" * 1_040_000 * 8)
    assert isinstance(failure, TimedOut)


def outcome_at(url: str, timeout: float = 5.0) -> HttpResponse | RequestFailure:
    """One post to where nothing of ours listens."""

    async def main() -> HttpResponse | RequestFailure:
        async with HttpxClient(to(url), concurrency=1, timeout=timeout) as client:
            return await client.post(BODY)

    return asyncio.run(main())


def test_a_refused_connection_is_not_sent() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        result = outcome_at(f"http://127.0.0.1:{unused.getsockname()[1]}/")
    assert type(result) is NotConnected
    assert "refused" in result.reason


def test_an_unknown_host_is_named_as_such() -> None:
    """The top-level domain is reserved for this."""
    assert isinstance(outcome_at("http://nobody.invalid/"), UnknownHost)


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Certificate and key in one file."""
    file = tmp_path / "certificate.pem"
    file.write_text(CERTIFICATE)
    return file


def test_a_certificate_nobody_trusts(certificate: Path) -> None:
    """TLS says what is wrong, and nothing is sent."""
    received: Received = []
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(certificate)
    (failure,) = post(answering(status("200 OK"), received), url="https://127.0.0.1:{port}/", tls=server)
    assert isinstance(failure, UntrustedHost)
    assert "self-signed" in failure.reason
    assert received == []


def test_ssl_cert_file_is_taken(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A company's own authority."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(certificate)
    assert post(answering(status("200 OK")), url="https://localhost:{port}/", tls=server) == [HttpResponse(status=200)]


def test_what_does_not_speak_tls() -> None:
    """Where https is given and http is meant."""

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
    """For http, the proxy gets the whole URL; no_proxy takes hosts out."""
    received: Received = []

    async def main() -> list[HttpResponse | RequestFailure]:
        results: list[HttpResponse | RequestFailure] = []
        async with serving(answering(status("200 OK"), received)) as port:
            monkeypatch.setenv("http_proxy", f"127.0.0.1:{port}")
            monkeypatch.setenv("no_proxy", "direct.invalid")
            for host in ("far.invalid", "direct.invalid"):
                async with HttpxClient(to(f"http://{host}/x"), concurrency=1, timeout=5) as client:
                    results.append(await client.post(BODY))
        return results

    through, direct = asyncio.run(main())
    assert through == HttpResponse(status=200)
    assert isinstance(direct, UnknownHost)
    assert received[0][0] == "POST http://far.invalid/x HTTP/1.1"


@pytest.mark.parametrize(
    ("line", "kind"), [("407 Proxy Authentication Required", ProxyRefused), ("503 Busy", NotConnected)]
)
def test_a_proxy_that_does_not_connect(line: str, kind: type[RequestFailure], monkeypatch: pytest.MonkeyPatch) -> None:
    """For https the proxy is asked to connect: nothing has been sent when it says no."""

    async def main() -> HttpResponse | RequestFailure:
        async with serving(answering(status(line))) as port:
            monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{port}")
            async with HttpxClient(to("https://far.invalid/"), concurrency=1, timeout=5) as client:
                return await client.post(BODY)

    result = asyncio.run(main())
    assert type(result) is kind
    assert line[:3] in result.reason


@pytest.mark.parametrize("proxy", ["socks5://localhost:1", "nonsense://x"])
def test_a_proxy_that_cannot_be_used_is_a_usage_error(proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the first request, without the proxy's password."""
    monkeypatch.setenv("https_proxy", proxy)
    with pytest.raises(UsageError, match="proxy"):
        HttpxClient(to("https://example.com/"), concurrency=1, timeout=1)


HTTPX = [
    found
    for _, found in inspect.getmembers(httpx, inspect.isclass)
    if issubclass(found, Exception) and found.__module__ == "httpx"
]
AIOHTTP = [found for _, found in inspect.getmembers(aiohttp, inspect.isclass) if issubclass(found, aiohttp.ClientError)]


@pytest.mark.parametrize("foreign", HTTPX, ids=lambda foreign: foreign.__name__)
def test_every_exception_of_httpx_has_a_meaning_of_its_own(foreign: type[Exception]) -> None:
    """A new one has to be placed in the table by a person."""
    assert foreign in module.FOREIGN


@pytest.mark.parametrize("foreign", AIOHTTP, ids=lambda foreign: foreign.__name__)
def test_every_exception_of_the_transport_is_distinguished(foreign: type[Exception]) -> None:
    """What is not known as "not sent" counts as unknown: the cautious side."""
    kind = next(meaning for known, meaning in module.CAUSES if issubclass(foreign, known))
    not_sent = (aiohttp.ClientConnectorError, aiohttp.ClientHttpProxyError, aiohttp.InvalidURL)
    others = (aiohttp.ConnectionTimeoutError, aiohttp.NonHttpUrlClientError, aiohttp.ServerFingerprintMismatch)
    assert issubclass(kind, UnknownResult) is not issubclass(foreign, not_sent + others)


def test_the_original_exception_counts_not_what_the_transport_makes_of_it() -> None:
    """httpx-aiohttp says ConnectTimeout when a server hangs up after the body was sent."""
    mapped = httpx.ConnectTimeout("Server disconnected")
    mapped.__cause__ = aiohttp.ServerDisconnectedError()
    assert isinstance(module.failure(mapped), ConnectionLost)


def test_reasons_never_contain_the_text_of_an_exception_of_a_library() -> None:
    """It may contain the URL, and the URL a key."""
    for foreign in (httpx.ReadError(KEY), aiohttp.InvalidURL(KEY), OSError(5, KEY), TimeoutError(KEY)):
        assert KEY not in module.failure(foreign).reason
