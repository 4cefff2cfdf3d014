"""TLS and proxies of the client, against real servers on loopback, with certificates made for the test."""

import asyncio
import ssl
import subprocess
from base64 import b64encode
from contextlib import aclosing
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import pytest

from td_currents_cli.errors import UsageError
from td_currents_cli.secrets import Secret
from td_currents_cli.send.destination import Destination
from td_currents_cli.send.endpoint import Endpoint, resolve
from td_currents_cli.send.http import HttpxClient
from td_currents_cli.send.retry import (
    ClientCertificateRejected,
    HttpResponse,
    ProxyRefused,
    RequestFailure,
    UntrustedHost,
)
from td_currents_cli.send.tls import TlsFiles, TlsSession, proxy_for
from tests.loopback import Authority, Received, answering, serving, status, tunnelling, without_proxies

KEY = "1/" + "5ec4e7" * 6 + "5ec4"
OK = HttpResponse(status=200)


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    without_proxies(monkeypatch)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def to(url: str, files: TlsFiles) -> Endpoint:
    destination = Destination(url=f"{url}/postback/v3/event/my_db/my_table", tls=files, allow_http=True)
    return resolve(destination, {"TD_WRITE_KEY": KEY})


async def posted(url: str, files: TlsFiles, times: int = 1) -> tuple[HttpResponse | RequestFailure, TlsSession | None]:
    """The last result of some posts on one client, and what secured its connection."""
    async with aclosing(HttpxClient(to(url, files), concurrency=2, timeout=5)) as client:
        results = [await client.post(b'{"events":[]}') for _ in range(times)]
        return results[-1], client.latest_session()


def post(
    server: ssl.SSLContext, files: TlsFiles, received: Received | None = None
) -> tuple[HttpResponse | RequestFailure, TlsSession | None]:
    """Post to a server on localhost that has that certificate."""

    async def main() -> tuple[HttpResponse | RequestFailure, TlsSession | None]:
        async with serving(answering(received=received), server) as port:
            return await posted(f"https://localhost:{port}", files)

    return asyncio.run(main())


def test_ssl_cert_file_is_trusted(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", authority.file)
    assert post(authority.server(), TlsFiles())[0] == OK


def test_an_authority_of_ones_own(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
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
        async with serving(answering()) as port:
            result, session = await posted(f"http://127.0.0.1:{port}", TlsFiles())
            assert result == OK
            return session

    assert asyncio.run(main()) is None


def test_certificates_that_are_not_trusted_say_why(authority: Authority) -> None:
    files = TlsFiles(cacert=authority.file)
    for server, trusted, why in (
        (authority.server(), TlsFiles(), "unable to get local issuer certificate"),
        (authority.server("example.org"), files, "not valid for 'localhost'"),
        (authority.server(not_after=datetime(2020, 1, 1, tzinfo=UTC)), files, "expired"),
    ):
        received: Received = []
        result, session = post(server, trusted, received)
        assert isinstance(result, UntrustedHost)
        assert why in result.reason
        assert (session, received) == (None, [])


def test_a_client_certificate_is_shown(authority: Authority, tmp_path: Path) -> None:
    server = authority.server()
    server.verify_mode = ssl.CERT_REQUIRED
    authority.ca.configure_trust(server)
    assert post(server, TlsFiles(cacert=authority.file, client_cert=authority.issued("client.pem")))[0] == OK
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
            stranger = Authority(tmp_path).issued("stranger.pem")
            for client, why in ((None, "certificate required|handshake failure"), (stranger, "unknown ca")):
                files = TlsFiles(cacert=authority.file, client_cert=client)
                result, _ = asyncio.run(posted(f"https://localhost:{port}", files))
                assert isinstance(result, ClientCertificateRejected), result
                assert any(each in result.reason for each in why.split("|"))
        finally:
            process.kill()


def listening_port(output: IO[str]) -> int:
    for line in output:
        if line.startswith("ACCEPT"):
            return int(line.rpartition(":")[2])
    pytest.fail("openssl s_server does not listen")


def test_files_that_cannot_be_used_are_usage_errors(authority: Authority, tmp_path: Path) -> None:
    encrypted = tmp_path / "encrypted.pem"
    subprocess.run(
        ["openssl", "pkey", "-aes256", "-passout", "pass:x", "-in", authority.issued("client.pem"), "-out", encrypted],
        check=True,
    )
    nothing = tmp_path / "nothing.pem"
    nothing.write_text("nothing\n")
    other = authority.issued("other.pem", "other@example.com")
    for files, said in (
        (TlsFiles(cacert="missing.pem"), "missing.pem"),
        (TlsFiles(cacert=str(nothing)), "nothing.pem"),
        (TlsFiles(client_cert="missing.pem"), "missing.pem"),
        (TlsFiles(client_cert=str(nothing)), "not a certificate in PEM"),
        (TlsFiles(client_cert=authority.issued("client.pem"), client_key=other), "does not match the certificate"),
        (TlsFiles(client_cert=authority.issued("client.pem"), client_key=str(encrypted)), "encrypted"),
    ):
        with pytest.raises(UsageError) as caught:
            HttpxClient(to("https://localhost", files), concurrency=1, timeout=1)
        assert said in caught.value.message
    with pytest.raises(UsageError, match="needs --client-cert"):
        to("https://localhost", TlsFiles(client_key=other))


def test_a_proxy_is_asked_to_connect_and_sees_nothing_else(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy_heads: list[str] = []
    received: Received = []

    async def main() -> tuple[HttpResponse | RequestFailure, TlsSession | None]:
        async with (
            serving(answering(received=received), authority.server("far.invalid")) as endpoint,
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
    assert len(received) == 3
    assert all(headers["x-td-write-key"] == KEY and "proxy-authorization" not in headers for _, headers, _ in received)


def test_a_proxy_without_tls_gets_its_credentials_with_each_request(monkeypatch: pytest.MonkeyPatch) -> None:
    received: Received = []

    async def main(line: str) -> HttpResponse | RequestFailure:
        async with serving(answering(status(line), received)) as proxy:
            monkeypatch.setenv("http_proxy", f"user:password@127.0.0.1:{proxy}")
            return (await posted("http://far.invalid", TlsFiles()))[0]

    assert asyncio.run(main("200 OK")) == OK
    assert received[0][1]["proxy-authorization"] == f"Basic {b64encode(b'user:password').decode()}"
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
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    found = proxy_for(url)
    assert (found.url if found else None) == proxy


def test_nothing_shows_a_proxys_password(monkeypatch: pytest.MonkeyPatch) -> None:
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
