"""The page of `serve` as an ASGI application around the endpoint: the page, its files, and the JSON behind them."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from ipaddress import ip_address
from typing import Final

import msgspec
from msgspec import Struct

from td_currents_cli.live_page.payload import count_problems, view
from td_currents_cli.live_page.recent import RecentRequests
from td_currents_cli.live_page.summary import Summary
from td_currents_cli.patterns import pattern
from td_currents_cli.serve.app import ASGIApp, Message, Receive, Send, disconnected
from td_currents_cli.serve.stats import RequestLog, ServeStats

PAGE: Final = "/"
SUMMARY: Final = "/api/summary"
STREAM: Final = "/api/stream"
_PAYLOAD: Final = pattern(r"/api/payloads/(\d{1,15})")
_FAVICON: Final = "/favicon.ico"  # requested by browsers; without an answer, it would be a rejected request

MAX_READERS: Final = 16  # of the stream
_INTERVAL: Final = 0.5  # seconds between summaries in the stream, if something has changed
_IDLE_INTERVAL: Final = 5.0
_CHECK_SHARE: Final = 50  # while requests arrive, payloads are checked in one part of this number of the time
_CHECK_FIRST: Final = 0.2  # seconds for checks before the page is sent

_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
_HEADERS: Final = (
    (b"cache-control", b"no-store"),
    (b"content-security-policy", _POLICY.encode()),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
)
_HTML: Final = b"text/html; charset=utf-8"
_JSON: Final = b"application/json"
_TEXT: Final = b"text/plain; charset=utf-8"


class PageFiles(Struct, frozen=True):
    """How the page looks."""

    render: Callable[[Summary, str], str]  # the HTML of the page, given the address of this server
    files: Mapping[str, tuple[str, bytes]]  # media type and content by path: the script and the styles


class LivePage:
    """Shows the requests that it is given by `add` on the page that it puts around an application by `layer`.

    The page answers only if the request's Host names this machine, as its user sees it (DNS rebinding lets another
    site's page ask under a name of its own), and never allows another origin.
    """

    def __init__(self, host: str, page_files: PageFiles, *, show_personal_data: bool = False) -> None:
        self._host = host
        self._page_files = page_files
        self._masked = not show_personal_data
        self._recent = RecentRequests(masked=self._masked)
        self._readers = 0
        self._checking: asyncio.Task[None] | None = None
        self._streamed = (-1, 0.0, b"")  # changes, time, and JSON of the latest summary in the stream

    def add(self, request: RequestLog) -> None:
        """Called for each request, in the thread of the server."""
        self._recent.add(request)

    def layer(self, app: ASGIApp, stats: ServeStats, stopping: asyncio.Event) -> ASGIApp:
        self._stats = stats
        self._stopping = stopping

        async def page_or_app(scope: Message, receive: Receive, send: Send) -> None:
            respond = self._responder(scope["path"]) if scope["method"] in {"GET", "HEAD"} else None
            if respond is None:
                await app(scope, receive, send)
            elif not is_own_host(scope, self._host):
                await _send(send, 403, _TEXT, _WRONG_HOST)
            else:
                await respond(scope, receive, send)

        return page_or_app

    def _responder(self, path: str) -> Callable[[Message, Receive, Send], Awaitable[None]] | None:
        if path in self._page_files.files or path == _FAVICON:
            return self._send_file
        if _PAYLOAD.fullmatch(path):
            return self._send_payload
        return {PAGE: self._send_page, SUMMARY: self._send_summary, STREAM: self._stream}.get(path)

    async def _send_page(self, scope: Message, _receive: Receive, send: Send) -> None:
        deadline = time.monotonic() + _CHECK_FIRST
        while time.monotonic() < deadline and (payload := self._recent.unchecked()):
            await asyncio.to_thread(count_problems, payload)
        summary = self._recent.summary(self._stats)
        # Not in this thread: jinja2 is imported for the first one.
        html = await asyncio.to_thread(self._page_files.render, summary, _host_of(scope))
        await _send(send, 200, _HTML, html.encode())

    async def _send_file(self, scope: Message, _receive: Receive, send: Send) -> None:
        if scope["path"] == _FAVICON:
            await _send(send, 204, _TEXT, b"")
        else:
            media_type, content = self._page_files.files[scope["path"]]
            await _send(send, 200, media_type.encode(), content)

    async def _send_summary(self, _scope: Message, _receive: Receive, send: Send) -> None:
        await _send(send, 200, _JSON, msgspec.json.encode(self._recent.summary(self._stats)))

    async def _send_payload(self, scope: Message, _receive: Receive, send: Send) -> None:
        found = _PAYLOAD.fullmatch(scope["path"])
        payload = self._recent.payload(int(found.group(1))) if found else None
        if payload is None:
            await _send(send, 404, _JSON, b'{"error":"no payload of this number, or it is no longer kept"}')
            return
        described = await asyncio.to_thread(view, payload, masked=self._masked)
        await _send(send, 200, _JSON, msgspec.json.encode(described))

    async def _stream(self, scope: Message, receive: Receive, send: Send) -> None:
        if self._readers >= MAX_READERS:
            await _send(send, 503, _TEXT, b"too many readers: close another page\n")
            return
        if scope["method"] == "HEAD":
            await _send(send, 200, _EVENT_STREAM, b"")
            return
        self._readers += 1
        if self._checking is None:
            self._checking = asyncio.create_task(self._check_shown())
        ends = [
            asyncio.ensure_future(each)
            for each in (self._send_summaries(send), disconnected(receive), self._stopping.wait())
        ]
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._readers -= 1
            if not self._readers:
                self._checking.cancel()
                self._checking = None
            for end in ends:
                end.cancel()
        if self._stopping.is_set():
            # A reader that does not read is left.
            with suppress(TimeoutError):
                async with asyncio.timeout(1):
                    await send({"type": "http.response.body", "body": b""})

    async def _send_summaries(self, send: Send) -> None:
        headers = [(b"content-type", _EVENT_STREAM), *_HEADERS]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        changes, sent_at = -1, 0.0
        while True:
            if changes != self._recent.changes or time.monotonic() - sent_at > _IDLE_INTERVAL:
                changes, sent_at, summary = self._summary_for_stream()
                # A slow reader is waited for: it gets fewer summaries, and none is queued.
                body = b"event: summary\ndata: %b\n\n" % summary
                await send({"type": "http.response.body", "body": body, "more_body": True})
            await asyncio.sleep(_INTERVAL)

    def _summary_for_stream(self) -> tuple[int, float, bytes]:
        """A new summary, or one that another reader has just got."""
        if time.monotonic() - self._streamed[1] > _INTERVAL / 2:
            summary = msgspec.json.encode(self._recent.summary(self._stats))
            self._streamed = (self._recent.changes, time.monotonic(), summary)
        return self._streamed

    async def _check_shown(self) -> None:
        """Check the shown payloads, the latest first, without taking much time from the requests."""
        while True:
            pause = _INTERVAL / 10
            if payload := self._recent.unchecked():
                before, began = self._recent.changes, time.monotonic()
                await asyncio.to_thread(count_problems, payload)
                if self._recent.changes != before:
                    pause = max(pause, _CHECK_SHARE * (time.monotonic() - began))
                self._recent.changes += 1
            await asyncio.sleep(pause)


_EVENT_STREAM: Final = b"text/event-stream"
_WRONG_HOST: Final = (
    b"The page of tdcur answers only under the names of this machine: open http://localhost with the port of this "
    b"server, or start `tdcur serve --host` with the name or address.\n"
)


def is_own_host(scope: Message, listens_on: str) -> bool:
    """Whether the request's Host is a loopback address, localhost, or the host that the server listens on.

    If it listens on all addresses, that is the one at which the request arrived.
    """
    name = _name_in(_host_of(scope))
    own = listens_on.lower()
    if name in {"localhost", own}:
        return bool(name)
    try:
        address = ip_address(name)
    except ValueError:
        return False
    if address.is_loopback:
        return True
    with suppress(ValueError):
        return ip_address(own).is_unspecified and address == ip_address(scope["server"][0])
    return False


def _host_of(scope: Message) -> str:
    """The one Host header; empty if there is none, or several."""
    hosts = [value for name, value in scope["headers"] if name == b"host"]
    return str(hosts[0].decode("latin-1")).lower() if len(hosts) == 1 else ""


def _name_in(host: str) -> str:
    """The name of `name:port` or `[address]:port`, without a final dot; empty if it is neither."""
    found = _AUTHORITY.fullmatch(host)
    return (found["address"] or found["name"].removesuffix(".")) if found else ""


_AUTHORITY: Final = pattern(r"(?:\[(?P<address>[0-9a-f:.]+)\]|(?P<name>[a-z0-9._-]+))(?::\d{1,5})?")


async def _send(send: Send, status: int, media_type: bytes, body: bytes) -> None:
    headers = [(b"content-type", media_type), (b"content-length", b"%d" % len(body)), *_HEADERS]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
