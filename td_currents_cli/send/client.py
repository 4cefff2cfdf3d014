"""The only door to the network: one request, one answer or failure. No other module knows the HTTP library."""

import asyncio
import os
import ssl
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self, cast
from urllib.parse import urlsplit

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from td_currents_cli.errors import UsageError
from td_currents_cli.send.answers import (
    Answer,
    BadAddress,
    ConnectionLost,
    Failure,
    NotConnected,
    ProxyRefused,
    TimedOut,
    UnknownHost,
    UntrustedHost,
    Unwelcome,
)
from td_currents_cli.send.endpoint import Endpoint
from td_currents_cli.send.proxy import Proxy, proxy_for
from td_currents_cli.send.tls import TlsSession, is_unwelcome, tls_context, tls_detail, watch

if TYPE_CHECKING:
    from collections.abc import AsyncIterable

_IDLE: Final = 4.0
"""Seconds an unused connection is kept: less than the 5 s after which common servers close theirs, since a request
that meets the close has an unknown result."""

_DRAINED: Final = 65_536
"""Bytes of an answer that are read: so that its connection can be used again, and to tell why an event was refused."""


class Client:
    """Connections to one endpoint.

    Follows no redirects, keeps no cookies. Proxies and certificates of the environment (`https_proxy`, `no_proxy`,
    `SSL_CERT_FILE`) are taken.

    The transport is used without `httpx.AsyncClient`, whose cookies, redirects and merging of headers nobody needs
    here: measured with bodies of 95 kB, they cost as much time as all the rest of a request.
    """

    def __init__(self, endpoint: Endpoint, *, concurrency: int, timeout: float) -> None:
        """Prepare, without connecting.

        Args:
            endpoint: where to.
            concurrency: at most so many connections.
            timeout: seconds for a connection to be made, and seconds for an answer to come.

        Raises:
            UsageError: settings that cannot work, of the endpoint or of the environment.
        """
        address = endpoint.url.reveal()
        proxy = proxy_for(address)
        try:
            self._like = _Like(endpoint, proxy, timeout)
        except httpx.InvalidURL:
            raise UsageError(f"{endpoint.shown} is not a URL that can be requested") from None
        # Loading the authorities takes 15 ms, and plain http needs none.
        plain = self._like.url.scheme == "http"
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if plain else tls_context(endpoint.tls, _trusting)
        self._secured = watch(self._tls)
        # Covers what the library has no timeout for: a peer that does not read, an answer that trickles.
        self._longest = 2 * timeout
        self._concurrency = concurrency
        self._transport = AiohttpTransport(
            verify=self._tls,
            client=self._session,
            proxy=None if proxy is None else httpx.Proxy(proxy.url, headers=proxy.headers()),
        )

    @property
    def tls(self) -> TlsSession | None:
        """What secures the latest connection; None without TLS, or without a connection."""
        return self._secured()

    async def __aenter__(self) -> Self:
        await self._transport.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._transport.__aexit__(kind, error, trace)

    async def post(self, body: bytes) -> Answer | Failure:
        """Send one payload."""
        response: httpx.Response | None = None
        text = bytearray()
        is_whole = False
        try:
            async with asyncio.timeout(self._longest):
                response = await self._transport.handle_async_request(_Post(self._like, body))
                is_whole = await _drain(response, text)
        except FOREIGN as error:
            # Once the status is known, what happens to the rest of the answer changes nothing.
            if response is None:
                return failure(error)
        finally:
            if response is not None:
                await response.aclose()
        return _answer(response, bytes(text), is_cut=not is_whole)

    def _session(self) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(limit=self._concurrency, keepalive_timeout=_IDLE, ssl=self._tls)
        # No headers of its own: those of a session also go to the proxy, and there is a key in ours.
        return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())


class _Like(httpx.Request):
    """What all requests have in common."""

    def __init__(self, endpoint: Endpoint, proxy: Proxy | None, timeout: float) -> None:
        headers = {**endpoint.headers(), "Accept": "*/*", "Accept-Encoding": "identity"}
        super().__init__("POST", endpoint.url.reveal(), extensions={"timeout": httpx.Timeout(timeout).as_dict()})
        if proxy is not None and self.url.scheme == "http":
            # Without TLS there is no CONNECT: the proxy looks for it in each request.
            headers |= proxy.headers()
        self.headers = httpx.Headers(headers)
        # Said once, or httpx tries encodings at each look at a header.
        self.headers.encoding = "ascii"


class _Post(httpx.Request):
    """A request of which only the body is its own.

    httpx would make URL, headers and a stream for the body anew: measured with bodies of 95 kB, that takes a fifth of
    the time of a request. The transport looks at no more than is here.
    """

    def __init__(self, like: _Like, body: bytes) -> None:
        self.method = like.method
        self.url = like.url
        self.headers = like.headers
        self.extensions = like.extensions
        self._body = body

    @property
    def content(self) -> bytes:
        """The body."""
        return self._body


def _trusting() -> ssl.SSLContext:
    """Whom the environment says is to be trusted, else whom the package certifi does."""
    return httpx.create_ssl_context()


async def _drain(response: httpx.Response, text: bytearray) -> bool:
    """Read the answer into `text`; whether that is all of it."""
    # Not `aiter_raw`, which takes every chunk through two more generators.
    async for chunk in cast("AsyncIterable[bytes]", response.stream):
        text += chunk
        if len(text) > _DRAINED:
            return False
    return True


def _answer(response: httpx.Response, text: bytes, *, is_cut: bool) -> Answer | Failure:
    if response.is_success:
        return Answer(status=response.status_code)
    if response.status_code == 407:
        # Of a proxy that was not asked to connect, since there is no TLS.
        return ProxyRefused(f"{_REASONS[ProxyRefused]}: it answered 407")
    return Answer(
        status=response.status_code,
        retry_after=response.headers.get("retry-after"),
        redirect_host=_host(response.headers.get("location", "")),
        text=text,
        is_cut=is_cut,
    )


def _host(location: str) -> str:
    try:
        return urlsplit(location).hostname or ""
    except ValueError:
        return ""


CAUSES: Final[tuple[tuple[type[BaseException], type[Failure]], ...]] = (
    # What the aiohttp transport meets; a subclass before its base. Told apart by the original exception, since
    # httpx-aiohttp makes a ConnectTimeout of connections that break after the body was sent.
    (aiohttp.ClientConnectorDNSError, UnknownHost),
    (aiohttp.ClientSSLError, UntrustedHost),
    (aiohttp.ServerFingerprintMismatch, UntrustedHost),
    (aiohttp.ClientHttpProxyError, ProxyRefused),
    (aiohttp.ClientConnectorError, NotConnected),
    (aiohttp.ConnectionTimeoutError, NotConnected),
    (aiohttp.InvalidURL, BadAddress),
    (aiohttp.NonHttpUrlClientError, BadAddress),
    (aiohttp.ServerTimeoutError, TimedOut),
    (aiohttp.ClientError, ConnectionLost),
    # What httpx itself may raise. In doubt the request may have arrived.
    (httpx.InvalidURL, BadAddress),
    (httpx.UnsupportedProtocol, BadAddress),
    (httpx.ConnectError, NotConnected),
    (httpx.PoolTimeout, NotConnected),
    (httpx.ProxyError, ProxyRefused),
    (httpx.ConnectTimeout, TimedOut),
    (httpx.ReadTimeout, TimedOut),
    (httpx.WriteTimeout, TimedOut),
    (httpx.TimeoutException, TimedOut),
    (httpx.ReadError, ConnectionLost),
    (httpx.WriteError, ConnectionLost),
    (httpx.CloseError, ConnectionLost),
    (httpx.NetworkError, ConnectionLost),
    (httpx.LocalProtocolError, ConnectionLost),
    (httpx.RemoteProtocolError, ConnectionLost),
    (httpx.ProtocolError, ConnectionLost),
    (httpx.DecodingError, ConnectionLost),
    (httpx.TooManyRedirects, ConnectionLost),
    (httpx.TransportError, ConnectionLost),
    (httpx.RequestError, ConnectionLost),
    (httpx.HTTPStatusError, ConnectionLost),
    (httpx.HTTPError, ConnectionLost),
    (httpx.CookieConflict, ConnectionLost),
    (httpx.StreamConsumed, ConnectionLost),
    (httpx.StreamClosed, ConnectionLost),
    (httpx.ResponseNotRead, ConnectionLost),
    (httpx.RequestNotRead, ConnectionLost),
    (httpx.StreamError, ConnectionLost),
    (TimeoutError, TimedOut),
    (OSError, ConnectionLost),
    # A host name that cannot be encoded.
    (UnicodeError, BadAddress),
)
"""What each foreign exception means; the first entry that fits counts."""

FOREIGN: Final = tuple(foreign for foreign, _ in CAUSES)

_REASONS: Final[dict[type[Failure], str]] = {
    UnknownHost: "the name of the host cannot be resolved",
    UntrustedHost: "the TLS connection cannot be trusted",
    Unwelcome: "the endpoint does not accept the TLS connection",
    ProxyRefused: "the proxy refuses to connect",
    NotConnected: "no connection",
    BadAddress: "not a URL that can be requested",
    TimedOut: "no answer in time",
    ConnectionLost: "the connection was lost before an answer came",
}


def failure(error: BaseException) -> Failure:
    """What a foreign exception means for the request. Nothing of its own text is taken: it may hold the URL."""
    cause = error.__cause__ if isinstance(error.__cause__, FOREIGN) else error
    kind = next(meaning for foreign, meaning in CAUSES if isinstance(cause, foreign))
    reason = _origin(cause)
    if isinstance(cause, aiohttp.ClientHttpProxyError):
        # A proxy that has trouble itself may mend; one that asks for credentials will not.
        kind = NotConnected if cause.status >= 500 else ProxyRefused
    elif isinstance(reason, ssl.SSLError) and is_unwelcome(reason):
        # With TLS 1.3 it only shows when the answer is read. What was sent has not been looked at.
        kind = Unwelcome
    detail = _detail(cause, reason)
    return kind(f"{_REASONS[kind]}: {detail}" if detail else _REASONS[kind])


def _origin(cause: BaseException) -> BaseException:
    """The exception of the operating system or of TLS that the library has wrapped."""
    if isinstance(cause, aiohttp.ClientConnectorCertificateError):
        return cause.certificate_error
    if isinstance(cause, aiohttp.ClientConnectorError):
        return cause.os_error
    return cause.__cause__ if isinstance(cause.__cause__, ssl.SSLError) else cause


def _detail(cause: BaseException, reason: BaseException) -> str:
    if isinstance(cause, aiohttp.ClientHttpProxyError):
        return f"it answered {cause.status}"
    if isinstance(cause, aiohttp.ConnectionTimeoutError):
        return "timed out"
    if isinstance(reason, ssl.SSLError):
        return tls_detail(reason)
    if not isinstance(reason, OSError):
        return ""
    if isinstance(cause, aiohttp.ClientConnectorDNSError):
        return (reason.strerror or "").lower()
    at_proxy = "proxy: " if isinstance(cause, aiohttp.ClientProxyConnectionError) else ""
    return at_proxy + os.strerror(reason.errno).lower() if reason.errno else ""
