"""The only door to the network: one request, one answer or failure. No other module knows the HTTP library."""

import asyncio
import os
import ssl
from types import TracebackType
from typing import Final, Self
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

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
)
from td_currents_cli.send.endpoint import Endpoint

_IDLE: Final = 4.0
"""Seconds an unused connection is kept: less than the 5 s after which common servers close theirs, since a request
that meets the close has an unknown result."""

_DRAINED: Final = 65_536
"""Bytes of an answer that are read so that its connection can be used again; nobody needs more."""


class Client:
    """Connections to one endpoint.

    Follows no redirects. Proxies and certificates of the environment (`https_proxy`, `no_proxy`, `SSL_CERT_FILE`)
    are taken.

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
            UsageError: settings of the environment that cannot work.
        """
        try:
            self._url = httpx.URL(endpoint.url.reveal())
        except httpx.InvalidURL:
            raise UsageError(f"{endpoint.shown} is not a URL that can be requested") from None
        self._headers = httpx.Headers({**endpoint.headers(), "Accept": "*/*", "Accept-Encoding": "identity"})
        self._extensions = {"timeout": httpx.Timeout(timeout).as_dict()}
        # Covers what the library has no timeout for: a peer that does not read, an answer that trickles.
        self._longest = 2 * timeout
        self._transport = AiohttpTransport(
            verify=_tls(),
            proxy=_proxy(self._url),
            limits=httpx.Limits(max_connections=concurrency, keepalive_expiry=_IDLE),
        )

    async def __aenter__(self) -> Self:
        await self._transport.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._transport.__aexit__(kind, error, trace)

    async def post(self, body: bytes) -> Answer | Failure:
        """Send one payload."""
        request = httpx.Request("POST", self._url, headers=self._headers, content=body, extensions=self._extensions)
        # Said once, or httpx tries encodings at each look at a header.
        request.headers.encoding = "ascii"
        try:
            async with asyncio.timeout(self._longest):
                response = await self._transport.handle_async_request(request)
        except FOREIGN as error:
            return failure(error)
        try:
            async with asyncio.timeout(self._longest):
                await _drain(response)
        except FOREIGN:
            # The status is known: what happens to the rest of the answer changes nothing.
            pass
        finally:
            await response.aclose()
        return _answer(response)


def _answer(response: httpx.Response) -> Answer:
    if response.is_success:
        return Answer(status=response.status_code)
    return Answer(
        status=response.status_code,
        retry_after=response.headers.get("retry-after"),
        redirect_host=_host(response.headers.get("location", "")),
    )


def _host(location: str) -> str:
    try:
        return urlsplit(location).hostname or ""
    except ValueError:
        return ""


async def _drain(response: httpx.Response) -> None:
    size = 0
    async for chunk in response.aiter_raw():
        size += len(chunk)
        if size > _DRAINED:
            return


def _proxy(url: httpx.URL) -> httpx.Proxy | None:
    """The proxy that the environment names for this URL."""
    proxies = getproxies()
    address = proxies.get(url.scheme) or proxies.get("all")
    if not address or proxy_bypass(url.netloc.decode("ascii")):
        return None
    try:
        proxy = httpx.Proxy(address if "://" in address else f"http://{address}")
    except (ValueError, httpx.InvalidURL):
        proxy = None
    if proxy is None or not proxy.url.scheme.startswith("http"):
        raise UsageError(
            f"the environment names a proxy for {url.scheme} that is not an HTTP proxy",
            hint=f"Set {url.scheme}_proxy to an http:// URL, or add the host to no_proxy.",
        )
    return proxy


def _tls() -> ssl.SSLContext:
    try:
        return httpx.create_ssl_context()
    except OSError as error:
        raise UsageError(
            f"the certificates cannot be loaded: {error.strerror or 'not a file of certificates'}",
            hint="Check SSL_CERT_FILE and SSL_CERT_DIR.",
        ) from None


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
)
"""What each foreign exception means; the first entry that fits counts."""

FOREIGN: Final = tuple(foreign for foreign, _ in CAUSES)

_REASONS: Final[dict[type[Failure], str]] = {
    UnknownHost: "the name of the host cannot be resolved",
    UntrustedHost: "the TLS connection cannot be trusted",
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
    if isinstance(cause, aiohttp.ClientHttpProxyError):
        # A proxy that has trouble itself may mend; one that asks for credentials will not.
        kind = NotConnected if cause.status >= 500 else ProxyRefused
    detail = _detail(cause)
    return kind(f"{_REASONS[kind]}: {detail}" if detail else _REASONS[kind])


def _detail(cause: BaseException) -> str:
    if isinstance(cause, aiohttp.ClientHttpProxyError):
        return f"the proxy answered {cause.status}"
    if isinstance(cause, aiohttp.ConnectionTimeoutError):
        return "timed out"
    reason = cause.os_error if isinstance(cause, aiohttp.ClientConnectorError) else cause
    if isinstance(reason, ssl.SSLCertVerificationError):
        return reason.verify_message
    if isinstance(reason, ssl.SSLError):
        return (reason.reason or "").replace("_", " ").lower()
    if isinstance(cause, aiohttp.ClientConnectorDNSError) or not isinstance(reason, OSError) or not reason.errno:
        return ""
    at_proxy = "proxy: " if isinstance(cause, aiohttp.ClientProxyConnectionError) else ""
    return at_proxy + os.strerror(reason.errno).lower()
