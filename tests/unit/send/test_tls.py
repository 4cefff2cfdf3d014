"""TLS and proxies of the client, against real servers on loopback, with certificates made for the test."""

import asyncio
import ssl
import subprocess
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import pytest
import trustme

from td_currents_cli.errors import UsageError
from td_currents_cli.secrets import Secret
from td_currents_cli.send.endpoint import Destination, Endpoint, resolve
from td_currents_cli.send.http import HttpxClient
from td_currents_cli.send.retry import (
    ClientCertificateRejected,
    HttpResponse,
    ProxyRefused,
    RequestFailure,
    UntrustedHost,
)
from td_currents_cli.send.tls import TlsFiles, TlsSession, proxy_for

KEY = "1/" + "5ec4e7" * 6 + "5ec4"
OK = HttpResponse(status=200)
Heads = list[str]


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate authority of the test's own, and what it has issued.

    Attributes:
        file: its certificate.
        client: certificate and key of a client, in one file.
    """

    ca: trustme.CA
    folder: Path
    file: str = field(init=False)
    client: str = field(init=False)

    def __post_init__(self) -> None:
        self.folder.mkdir()
        object.__setattr__(self, "file", str(self.folder / "ca.pem"))
        self.ca.cert_pem.write_to_path(self.file)
        object.__setattr__(self, "client", self.issued("client.pem", "client@example.com"))

    def issued(self, name: str, identity: str) -> str:
        """Certificate and key for an identity, in one file."""
        path = self.folder / name
        self.ca.issue_cert(identity).private_key_and_cert_chain_pem.write_to_path(str(path))
        return str(path)

    def server(self, identity: str = "localhost", *, not_after: datetime | None = None) -> ssl.SSLContext:
        """What a server of that name speaks TLS with."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.ca.issue_cert(identity, not_after=not_after).configure_cert(context)
        return context


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine's own proxies and authorities are none of these tests' business."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "ssl_cert_file", "ssl_cert_dir"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """One that only those trust who are told to."""
    return Authority(trustme.CA(), tmp_path / "authority")


@asynccontextmanager
async def serving(
    handle: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]],
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[int]:
    """A server on a free port, which is given."""
    tasks: set[asyncio.Task[None]] = set()

    async def handled(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
                await handle(reader, writer)
        finally:
            writer.transport.abort()

    def start(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.ensure_future(handled(reader, writer)))

    server = await asyncio.start_server(start, "127.0.0.1", 0, ssl=tls)
    async with server:
        yield server.sockets[0].getsockname()[1]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0.01)


async def read_head(reader: asyncio.StreamReader) -> str:
    """A request up to its empty line."""
    return (await reader.readuntil(b"\r\n\r\n")).decode()


def answering(heads: Heads, line: str = "200 OK") -> Callable[..., Coroutine[Any, Any, None]]:
    """Answers every request in the same way and keeps the heads."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = await read_head(reader)
            heads.append(head)
            length = next(line for line in head.lower().split("\r\n") if line.startswith("content-length"))
            await reader.readexactly(int(length.partition(":")[2]))
            writer.write(f"HTTP/1.1 {line}\r\nContent-Length: 2\r\n\r\n{{}}".encode())

    return handle


def tunnelling(port: int, heads: Heads) -> Callable[..., Coroutine[Any, Any, None]]:
    """A proxy that connects to that port of loopback, wherever it is asked to connect to."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await read_head(reader))
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        try:
            await asyncio.gather(pump(reader, there_writer), pump(there_reader, writer))
        finally:
            there_writer.transport.abort()

    return handle


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Bytes from here to there, until there are no more."""
    while data := await reader.read(65_536):
        writer.write(data)
        await writer.drain()


def to(url: str, files: TlsFiles) -> Endpoint:
    destination = Destination(url=f"{url}/postback/v3/event/my_db/my_table", tls=files, allow_http=True)
    return resolve(destination, {"TD_WRITE_KEY": KEY})


async def posted(url: str, files: TlsFiles, times: int = 1) -> tuple[HttpResponse | RequestFailure, TlsSession | None]:
    """The last result of some posts on one client, and what secured its connection."""
    async with HttpxClient(to(url, files), concurrency=2, timeout=5) as client:
        results = [await client.post(b'{"events":[]}') for _ in range(times)]
        return results[-1], client.tls


def post(server: ssl.SSLContext, files: TlsFiles) -> tuple[HttpResponse | RequestFailure, TlsSession | None]:
    """Post to a server on localhost that has that certificate."""

    async def main() -> tuple[HttpResponse | RequestFailure, TlsSession | None]:
        async with serving(answering([]), server) as port:
            return await posted(f"https://localhost:{port}", files)

    return asyncio.run(main())


def test_an_authority_of_ones_own(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    """--cacert is what is trusted, also where SSL_CERT_FILE says otherwise; the session tells what came of it."""
    monkeypatch.setenv("SSL_CERT_FILE", str(Path(authority.file).with_name("missing.pem")))
    expires = datetime(2999, 1, 2, 3, 4, 5, tzinfo=UTC)
    result, session = post(authority.server(not_after=expires), TlsFiles(cacert=authority.file))
    assert result == OK
    assert session is not None
    assert session.version == "TLSv1.3"
    assert "trustme" in session.issuer
    assert session.expires == expires


def test_plain_http_has_no_session() -> None:
    async def main() -> TlsSession | None:
        async with serving(answering([])) as port:
            result, session = await posted(f"http://127.0.0.1:{port}", TlsFiles())
            assert result == OK
            return session

    assert asyncio.run(main()) is None


def test_certificates_that_are_not_trusted_say_why(authority: Authority) -> None:
    """Nobody vouches for it; it is another host's; its time is over."""
    files = TlsFiles(cacert=authority.file)
    for server, trusted, why in (
        (authority.server(), TlsFiles(), "unable to get local issuer certificate"),
        (authority.server("example.org"), files, "not valid for 'localhost'"),
        (authority.server(not_after=datetime(2020, 1, 1, tzinfo=UTC)), files, "expired"),
    ):
        result, session = post(server, trusted)
        assert isinstance(result, UntrustedHost)
        assert why in result.reason
        assert session is None


def test_a_client_certificate_is_shown(authority: Authority, tmp_path: Path) -> None:
    """From one file, or with its key in another."""
    server = authority.server()
    server.verify_mode = ssl.CERT_REQUIRED
    authority.ca.configure_trust(server)
    assert post(server, TlsFiles(cacert=authority.file, client_cert=authority.client))[0] == OK
    issued = authority.ca.issue_cert("other@example.com")
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    issued.cert_chain_pems[0].write_to_path(str(certificate))
    issued.private_key_pem.write_to_path(str(key))
    files = TlsFiles(cacert=authority.file, client_cert=str(certificate), client_key=str(key))
    assert post(server, files)[0] == OK


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_an_endpoint_that_wants_another_client_certificate(authority: Authority, version: str, tmp_path: Path) -> None:
    """With TLS 1.3 it says so only after the request was written: that is no lost connection."""
    server = authority.issued("server.pem", "localhost")
    # asyncio closes the connection without the alert that other servers send.
    command = f"openssl s_server -www {version} -Verify 1 -verify_return_error -accept 127.0.0.1:0"
    with subprocess.Popen(
        [*command.split(), "-cert", server, "-key", server, "-CAfile", authority.file],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            port = listening_port(process.stdout)
            stranger = Authority(trustme.CA(), tmp_path / "stranger")
            for client, why in ((None, "certificate required|handshake failure"), (stranger.client, "unknown ca")):
                files = TlsFiles(cacert=authority.file, client_cert=client)
                result, _ = asyncio.run(posted(f"https://localhost:{port}", files))
                assert isinstance(result, ClientCertificateRejected), result
                assert any(each in result.reason for each in why.split("|"))
        finally:
            process.kill()


def listening_port(output: IO[str]) -> int:
    """The port that openssl says it listens on, as soon as it does."""
    for line in output:
        if line.startswith("ACCEPT"):
            return int(line.rpartition(":")[2])
    pytest.fail("openssl s_server does not listen")


def test_files_that_cannot_be_used_are_usage_errors(authority: Authority, tmp_path: Path) -> None:
    """Before the first request, with the name of the file; an encrypted key is not asked a passphrase for."""
    encrypted = tmp_path / "encrypted.pem"
    subprocess.run(
        ["openssl", "pkey", "-aes256", "-passout", "pass:x", "-in", authority.client, "-out", encrypted], check=True
    )
    nothing = tmp_path / "nothing.pem"
    nothing.write_text("nothing\n")
    other = authority.issued("other.pem", "other@example.com")
    for files, said in (
        (TlsFiles(cacert="missing.pem"), "missing.pem"),
        (TlsFiles(cacert=str(nothing)), "nothing.pem"),
        (TlsFiles(client_cert="missing.pem"), "missing.pem"),
        (TlsFiles(client_cert=str(nothing)), "not a certificate in PEM"),
        (TlsFiles(client_cert=authority.client, client_key=other), "does not match the certificate"),
        (TlsFiles(client_cert=authority.client, client_key=str(encrypted)), "encrypted"),
    ):
        with pytest.raises(UsageError) as caught:
            HttpxClient(to("https://localhost", files), concurrency=1, timeout=1)
        assert said in caught.value.message
    with pytest.raises(UsageError, match="needs --client-cert"):
        to("https://localhost", TlsFiles(client_key=other))


def test_a_proxy_is_asked_to_connect_and_sees_nothing_else(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its credentials are for it, the key is for the endpoint; both as they were given. The connection is kept."""
    proxy_heads: Heads = []
    endpoint_heads: Heads = []

    async def main() -> tuple[HttpResponse | RequestFailure, TlsSession | None]:
        async with (
            serving(answering(endpoint_heads), authority.server("far.invalid")) as endpoint,
            serving(tunnelling(endpoint, proxy_heads)) as proxy,
        ):
            monkeypatch.setenv("https_proxy", f"http://us%40er:p%3Aass@127.0.0.1:{proxy}")
            return await posted("https://far.invalid", TlsFiles(cacert=authority.file), times=3)

    result, session = asyncio.run(main())
    assert result == OK
    assert session is not None
    (connect,) = proxy_heads
    assert connect.startswith("CONNECT far.invalid:443 HTTP/1.1\r\n")
    assert f"proxy-authorization: basic {b64encode(b'us@er:p:ass').decode()}".lower() in connect.lower()
    assert "x-td-write-key" not in connect.lower()
    assert KEY not in connect
    assert len(endpoint_heads) == 3
    assert all(KEY in head and "proxy-authorization" not in head.lower() for head in endpoint_heads)


def test_a_proxy_without_tls_gets_its_credentials_with_each_request(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no CONNECT then. One that wants others is not taken for the endpoint."""
    heads: Heads = []

    async def main(line: str) -> HttpResponse | RequestFailure:
        async with serving(answering(heads, line)) as proxy:
            monkeypatch.setenv("http_proxy", f"user:password@127.0.0.1:{proxy}")
            return (await posted("http://far.invalid", TlsFiles()))[0]

    assert asyncio.run(main("200 OK")) == OK
    assert f"proxy-authorization: Basic {b64encode(b'user:password').decode()}" in heads[0]
    refused = asyncio.run(main("407 Proxy Authentication Required"))
    assert isinstance(refused, ProxyRefused)
    assert "407" in refused.reason


@pytest.mark.parametrize(
    ("url", "environ", "proxy"),
    [
        ("https://far.invalid/x", {"https_proxy": "http://p:1"}, "http://p:1"),
        ("https://far.invalid/x", {"HTTPS_PROXY": "p:1"}, "http://p:1"),
        ("https://far.invalid/x", {"all_proxy": "https://p:1"}, "https://p:1"),
        ("https://far.invalid/x", {"http_proxy": "http://p:1"}, None),
        ("https://far.invalid/x", {"https_proxy": "http://p:1", "no_proxy": "a.example,.invalid"}, None),
        ("https://far.invalid:8443/x", {"https_proxy": "http://p:1", "no_proxy": "far.invalid:8443"}, None),
        ("https://far.invalid/x", {"https_proxy": "http://p:1", "no_proxy": "*"}, None),
        ("https://far.invalid/x", {"https_proxy": "http://p:1", "no_proxy": "near.invalid"}, "http://p:1"),
        ("https://far.invalid/x", {"https_proxy": ""}, None),
        ("http://localhost:80/x", {"http_proxy": "http://p:1"}, None),
        ("http://127.0.0.1:80/x", {"http_proxy": "http://p:1"}, None),
        ("http://[::1]:80/x", {"http_proxy": "http://p:1"}, None),
    ],
)
def test_which_proxy_is_used(
    url: str, environ: dict[str, str], proxy: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As curl reads the variables; but what runs on this machine is no proxy's business."""
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    found = proxy_for(url)
    assert (found.url if found else None) == proxy


def test_nothing_shows_a_proxys_password(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the proxy nor the message about one that cannot be used."""
    monkeypatch.setenv("https_proxy", "http://user:5ec4e7@p:1")
    proxy = proxy_for("https://far.invalid/")
    assert proxy is not None
    assert proxy.authorization == Secret("Basic " + b64encode(b"user:5ec4e7").decode())
    assert b64encode(b"user:5ec4e7").decode() not in repr(proxy)
    assert "5ec4e7" not in repr(proxy)
    monkeypatch.setenv("https_proxy", "socks5://user:5ec4e7@p:1")
    with pytest.raises(UsageError) as caught:
        proxy_for("https://far.invalid/")
    assert "5ec4e7" not in caught.value.message + caught.value.hint
