"""The only access to the network: one request, one response or failure. No other module knows the HTTP library."""

import asyncio
import os
import ssl
from contextlib import suppress
from typing import Final
from urllib.parse import quote, urlsplit

from td_currents_cli.errors import UsageError
from td_currents_cli.send.endpoint import Endpoint
from td_currents_cli.send.lean_imports import lean_imports
from td_currents_cli.send.retry import (
    BadAddress,
    ClientCertificateRejected,
    ConnectionLost,
    HttpResponse,
    NotConnected,
    ProxyRefused,
    RequestFailure,
    TimedOut,
    UnknownHost,
    UntrustedHost,
)
from td_currents_cli.send.tls import proxy_for, rejects_client, tls_context, tls_detail, watch_handshakes

with lean_imports():
    import aiohttp
    import httpx
    from httpx_aiohttp import AiohttpTransport

# Seconds an unused connection is kept: less than the 5 s after which common servers close theirs, since a request
# that meets the close has an unknown result.
_IDLE: Final = 4.0

# Maximum bytes of a response that are read: so that its connection can be used again, and to tell why an event was
# refused.
_DRAINED: Final = 65_536


class HttpxClient:
    """Connections to one endpoint.

    Follows no redirects, keeps no cookies. Takes proxies and certificates from the environment (`https_proxy`,
    `no_proxy`, `SSL_CERT_FILE`).

    Requests go to the transport without `httpx.AsyncClient`, whose cookies, redirects, and merging of headers are not
    needed here: measured with bodies of 95 kB, they cost as much time as all the rest of a request.

    `timeout` are seconds for a connection to be made, and seconds for a response to come.
    """

    def __init__(self, endpoint: Endpoint, *, concurrency: int, timeout: float) -> None:
        address = endpoint.url.reveal()
        self._target = _target_of(address)
        proxy = proxy_for(address)
        self._proxy = "" if proxy is None else urlsplit(proxy.url).netloc  # host and port
        try:
            self._url = httpx.URL(address)
        except httpx.InvalidURL:
            raise UsageError(f"{endpoint.shown} is not a URL that can be requested") from None
        is_plain = self._url.scheme == "http"
        headers = {**endpoint.headers(), "Accept": "*/*", "Accept-Encoding": "identity"}
        if proxy is not None and is_plain:
            # Without TLS there is no CONNECT: the proxy looks for it in each request.
            headers |= proxy.headers()
        self._headers = httpx.Headers(headers)  # encoded once
        self._extensions = {"timeout": httpx.Timeout(timeout).as_dict()}
        # Loading the authorities takes 15 ms, and plain http needs none.
        self._tls = (
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if is_plain else tls_context(endpoint.tls, httpx.create_ssl_context)
        )
        self.latest_session = watch_handshakes(self._tls)
        # Covers what the library has no timeout for: a peer that does not read, a response that trickles.
        self._longest = 2 * timeout
        self._concurrency = concurrency
        self._transport = AiohttpTransport(
            verify=self._tls,
            client=self._session,
            proxy=None if proxy is None else httpx.Proxy(proxy.url, headers=proxy.headers()),
        )

    async def aclose(self) -> None:
        await self._transport.aclose()

    async def post(self, body: bytes) -> HttpResponse | RequestFailure:
        response: httpx.Response | None = None
        text = bytearray()
        is_whole = False
        try:
            async with asyncio.timeout(self._longest):
                request = httpx.Request(
                    "POST", self._url, headers=self._headers, content=body, extensions=self._extensions
                )
                response = await self._transport.handle_async_request(request)
                async for chunk in response.aiter_raw():
                    text += chunk
                    if len(text) > _DRAINED:
                        break
                else:
                    is_whole = True
        except FOREIGN as error:
            # Once the status is known, what happens to the rest of the response changes nothing.
            if response is None:
                return failure(error, self._proxy)
        finally:
            if response is not None:
                await response.aclose()
        return _result(response, bytes(text), is_cut=not is_whole, proxy=self._proxy)

    def _session(self) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(limit=self._concurrency, keepalive_timeout=_IDLE, ssl=self._tls)
        # No headers of its own: those of a session also go to the proxy, and there is a key in ours.
        return aiohttp.ClientSession(
            connector=connector, cookie_jar=aiohttp.DummyCookieJar(), middlewares=(self._with_exact_target,)
        )

    async def _with_exact_target(
        self, request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        # The libraries would write `%2F` as `/`.
        request.url = request.url.with_path(self._target, encoded=True)
        return await send(request)


def _target_of(address: str) -> str:
    """Return the path and the query of a URL as they are written, with UTF-8 for what HTTP cannot transmit."""
    written = address.partition("#")[0].partition("://")[2].removeprefix(urlsplit(address).netloc)
    target = written if written.startswith("/") else f"/{written}"
    return "".join(each if each.isascii() else quote(each) for each in target)


def _result(response: httpx.Response, text: bytes, *, is_cut: bool, proxy: str) -> HttpResponse | RequestFailure:
    if response.is_success:
        is_page = response.headers.get("content-type", "").startswith("text/html")
        return HttpResponse(status=response.status_code, is_page=is_page)
    if response.status_code == 407:
        # Of a proxy that was not asked to connect, since there is no TLS.
        return ProxyRefused(f"the proxy {proxy} refused to connect: HTTP 407")
    redirect_host = ""
    with suppress(ValueError):
        redirect_host = urlsplit(response.headers.get("location", "")).hostname or ""
    return HttpResponse(
        status=response.status_code,
        retry_after=response.headers.get("retry-after"),
        redirect_host=redirect_host,
        text=text,
        is_cut=is_cut,
    )


# What the exceptions of the libraries mean; the first row that fits counts, so a subclass comes before its base. They
# are those of aiohttp where it raised one: httpx-aiohttp makes a ConnectTimeout of a connection that breaks after the
# body was sent.
CAUSES: Final[tuple[tuple[type[RequestFailure], tuple[type[BaseException], ...]], ...]] = (
    (UnknownHost, (aiohttp.ClientConnectorDNSError,)),
    (UntrustedHost, (aiohttp.ClientSSLError, aiohttp.ServerFingerprintMismatch)),
    (ProxyRefused, (aiohttp.ClientHttpProxyError, httpx.ProxyError)),
    (NotConnected, (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)),
    (NotConnected, (httpx.ConnectError, httpx.PoolTimeout)),
    # UnicodeError: a host name that cannot be encoded.
    (BadAddress, (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError, UnicodeError)),
    (BadAddress, (httpx.InvalidURL, httpx.UnsupportedProtocol)),
    (TimedOut, (aiohttp.ServerTimeoutError, httpx.TimeoutException, TimeoutError)),
    # In doubt the request may have arrived.
    (ConnectionLost, (aiohttp.ClientError, httpx.HTTPError, httpx.StreamError, httpx.CookieConflict, OSError)),
)

FOREIGN: Final = tuple(foreign for _, group in CAUSES for foreign in group)

_REASONS: Final[dict[type[RequestFailure], str]] = {
    UnknownHost: "the host name cannot be resolved",
    UntrustedHost: "the TLS connection cannot be trusted",
    ClientCertificateRejected: "the endpoint does not accept the TLS connection",
    BadAddress: "not a URL that can be requested",
    TimedOut: "no response in time",
    ConnectionLost: "the connection was lost before a response came",
}


def failure(error: BaseException, proxy: str = "") -> RequestFailure:
    """Return what an exception means for the request. Nothing of its own text is taken: it may contain the URL.

    `proxy` are host and port of the proxy, without which there is no connection.
    """
    cause = error.__cause__ if isinstance(error.__cause__, FOREIGN) else error
    kind = next(meaning for meaning, group in CAUSES if isinstance(cause, group))
    reason = _origin(cause)
    if isinstance(cause, aiohttp.ClientHttpProxyError):
        # A proxy that has a failure itself may recover; one that asks for credentials will not.
        kind = NotConnected if cause.status >= 500 else ProxyRefused
        return kind(f"the proxy {proxy} refused to connect: HTTP {cause.status}")
    if proxy and isinstance(cause, aiohttp.ClientConnectorDNSError):
        # It is the proxy that looks for the endpoint.
        return ProxyRefused(f"the host name of the proxy {proxy} cannot be resolved")
    if isinstance(reason, ssl.SSLError) and rejects_client(reason):
        # With TLS 1.3 it only shows when the response is read. What was sent has not been looked at.
        kind = ClientCertificateRejected
    detail = _detail(cause, reason)
    if kind is NotConnected:
        at_proxy = proxy and not isinstance(reason, ssl.SSLError)
        return kind(f"no connection to the proxy {proxy}: {detail}" if at_proxy else detail or "no connection")
    return kind(f"{_REASONS[kind]}: {detail}" if detail else _REASONS[kind])


def _origin(cause: BaseException) -> BaseException:
    """Return the exception of the operating system or of TLS that the library has wrapped."""
    if isinstance(cause, aiohttp.ClientConnectorCertificateError):
        return cause.certificate_error
    if isinstance(cause, aiohttp.ClientConnectorError):
        return cause.os_error
    return cause.__cause__ if isinstance(cause.__cause__, ssl.SSLError) else cause


def _detail(cause: BaseException, reason: BaseException) -> str:
    if isinstance(cause, aiohttp.ConnectionTimeoutError):
        return "the connection timed out"
    if isinstance(reason, ssl.SSLError):
        return tls_detail(reason)
    if not isinstance(reason, OSError):
        return ""
    if isinstance(cause, aiohttp.ClientConnectorDNSError):
        return (reason.strerror or "").lower()
    return os.strerror(reason.errno).lower() if reason.errno else ""
