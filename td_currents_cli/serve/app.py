"""The local endpoint as an ASGI application: how it responds to a request, and what it stores.

Faults are injected by a layer around it.
"""

import hmac
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias
from urllib.parse import parse_qs

import orjson
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from td_currents_cli.errors import InputError, UsageError
from td_currents_cli.secrets import mask
from td_currents_cli.serve.settings import HttpError, PostbackApi, ServeSettings
from td_currents_cli.serve.stats import RequestCounter, RequestLog, RequestResult
from td_currents_cli.serve.store import DelayedStore, parse_row

if TYPE_CHECKING:
    from td_currents_cli.serve.settings import Fault


class SenderDisconnected(Exception):  # noqa: N818 -- happens to a request, not an error of this program
    """The sender closed the connection before its request was complete."""


class Body:
    """A body that is being received: `size` bytes so far, all of them if `ended`."""

    __slots__ = ("_headers", "_receive", "ended", "size")

    def __init__(self, headers: Mapping[bytes, bytes], receive: Receive) -> None:
        self._headers = headers
        self._receive = receive
        self.size = 0
        self.ended = False

    async def read(self, limit: int) -> bytes:
        """Read the whole body.

        Raises:
            HttpError: 413, the body, or its declared length, is larger than `limit` bytes.
            SenderDisconnected: the body is incomplete.
        """
        if int(self._headers.get(b"content-length", b"0")) > limit:
            raise _too_large(limit)
        chunks: list[bytes] = []
        while not self.ended:
            chunks.append(await self._next())
            if self.size > limit:
                raise _too_large(limit)
        return b"".join(chunks)

    async def skip(self) -> None:
        """Discard the rest. Raises SenderDisconnected.

        If the server responds and closes while the sender still writes, the sender sees a reset, not the response.
        """
        while not self.ended:
            await self._next()

    @property
    def awaits_continue(self) -> bool:
        """Whether the sender waits for a 100 before it sends the body, as curl does above 1 MB."""
        return not self.size and self._headers.get(b"expect", b"").lower() == b"100-continue"

    async def _next(self) -> bytes:
        message = await self._receive()
        if message["type"] != "http.request":
            raise SenderDisconnected
        chunk: bytes = message.get("body", b"")
        self.size += len(chunk)
        self.ended = not message.get("more_body", False)
        return chunk


def _too_large(limit: int) -> HttpError:
    return HttpError(413, f"the body is larger than {limit:,} bytes")


VARIABLE: Final = "TD_WRITE_KEY"

_PARAMETER: Final = "td_write_key"


def presented_key(headers: Mapping[bytes, bytes], query: bytes, api: PostbackApi) -> bytes:
    """Find the key of a request, without checking it.

    v1: `X-TD-Write-Key`, else `?td_write_key=`. v2: `Authorization: TD1`, else `X-TD-Write-Key`; a key in the URL is
    always rejected. [U] Treasure Data documents neither the status for a URL key on v2 nor for a missing key: 403 is
    its documented status for wrong credentials, and makes Braze stop until a person acts; 400 would make it drop the
    events.

    Raises:
        HttpError: 403, there is no acceptable key.
    """
    in_url = _key_in(query)
    if api is PostbackApi.v2:
        if in_url is not None:
            raise HttpError(403, "v2 does not accept a write key in the URL")
        scheme, _, token = headers.get(b"authorization", b"").partition(b" ")
        # [U] Another scheme (Braze can send Bearer) is ignored.
        key = token.strip() if scheme.upper() == b"TD1" else b""
        key = key or headers.get(b"x-td-write-key", b"").strip()
    else:
        key = headers.get(b"x-td-write-key", b"").strip() or (in_url or b"")
    if not key:
        raise HttpError(403, f"no write key: {_WHERE[api]}")
    return key


_WHERE: Final = {
    PostbackApi.v1: "v1 expects it as X-TD-Write-Key or td_write_key",
    PostbackApi.v2: "v2 expects it as Authorization: TD1 or X-TD-Write-Key",
}


def _key_in(query: bytes) -> bytes | None:
    if not query:
        return None
    values = parse_qs(query.decode("latin-1"), keep_blank_values=True).get(_PARAMETER)
    return None if values is None else values[0].encode()


def expected_key(file: Path | None, environment: Mapping[str, str]) -> str | None:
    """Read the key whose rows are stored, from the file, or else the environment. None: any key.

    Raises:
        InputError: the file cannot be read.
        UsageError: the file does not contain exactly one key.
    """
    if file is None:
        return environment.get(VARIABLE, "").strip() or None
    try:
        words = file.read_text("utf-8").split()
    except UnicodeDecodeError:
        words = []
    except OSError as error:
        raise InputError(f"cannot read the write key file {file}: {error.strerror}") from error
    if len(words) != 1:
        # The message says nothing about the content of a secret file.
        raise UsageError(
            f"the write key file {file} does not contain one write key",
            hint="The file must contain only the key, on one line.",
        )
    return words[0]


FAULT: Final = "tdcur.fault"  # key in a request's scope of the `Fault` that is injected, if any

Now: TypeAlias = Callable[[], float]
Headers: TypeAlias = Mapping[bytes, bytes]

_MAX_TARGET: Final = 300


@dataclass(frozen=True, slots=True)
class PostbackResponse:
    status: int
    result: RequestResult
    reason: str = ""  # for the response's body and the log
    events: int | None = None  # in the stored row
    retry_after: int | None = None  # seconds


class AsgiEndpoint:
    def __init__(self, counter: RequestCounter, now: Now) -> None:
        self._counter = counter
        self._now = now

    async def respond(self, scope: Scope, headers: Headers, body: Body) -> PostbackResponse:
        """Process one request. Raises HttpError and SenderDisconnected."""
        raise NotImplementedError

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers: Headers = dict(scope["headers"])
        body = Body(headers, receive)
        closing = False
        try:
            try:
                response = await self.respond(scope, headers, body)
            except HttpError as error:
                response = PostbackResponse(error.status, RequestResult.REFUSED, error.reason)
                closing = body.awaits_continue
                if not closing:
                    await body.skip()
        except SenderDisconnected:
            self._counter.add(self._log(scope, body, None, _DISCONNECTED))
            return
        # Before the response, so that its recipient finds the request counted.
        self._counter.add(self._log(scope, body, response.status, response))
        await _send(send, response, closing=closing)

    def _log(self, scope: Scope, body: Body, status: int | None, response: PostbackResponse) -> RequestLog:
        fault: Fault | None = scope.get(FAULT)
        return RequestLog(
            at=self._now(),
            method=scope["method"],
            target=_target(scope),
            status=status if fault is None or fault.answers else None,
            size=body.size,
            result=response.result,
            events=response.events,
            reason=response.reason,
            fault="" if fault is None else fault.name,
        )


async def _send(send: Send, response: PostbackResponse, *, closing: bool) -> None:
    # [U] Only the body of a success is documented.
    body = b"{}" if response.status < 300 else orjson.dumps({"error": response.reason})
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    if response.status in _WITHOUT_BODY:
        body, headers = b"", []
    if response.status == 405:
        headers.append((b"allow", b"POST"))
    if response.retry_after is not None:
        headers.append((b"retry-after", b"%d" % response.retry_after))
    if closing:
        # The sender may send the body, which nobody reads, as the next bytes of this connection.
        headers.append((b"connection", b"close"))
    start: dict[str, Any] = {"type": "http.response.start", "status": response.status, "headers": headers}
    await send(start)
    await send({"type": "http.response.body", "body": body})


def _target(scope: Scope) -> str:
    """Path and query as sent, safe to print: no key, no control characters, shortened."""
    query: bytes = scope["query_string"]
    sent: bytes = scope["raw_path"] + b"?" + query if query else scope["raw_path"]
    text = mask(sent.decode("ascii", "backslashreplace"))
    return text if len(text) <= _MAX_TARGET else text[:_MAX_TARGET] + "…"


_WITHOUT_BODY: Final = frozenset({204, 304})
_DISCONNECTED: Final = PostbackResponse(0, RequestResult.ABORTED, "the sender disconnected")


PATH: Final = "/postback/v3/event/{database}/{table}"

_NAME: Final = re.compile(r"[a-z0-9_]{3,128}")


def application(settings: ServeSettings, store: DelayedStore, counter: RequestCounter, now: Now = time.time) -> ASGIApp:
    """Build the endpoint: `POST` to `PATH` stores a row, everything else is rejected."""
    postback = _PostbackEndpoint(settings, store, counter, now)
    return Router([Route(PATH, endpoint=postback)], redirect_slashes=False, default=_NotFoundEndpoint(counter, now))


class _PostbackEndpoint(AsgiEndpoint):
    def __init__(self, settings: ServeSettings, store: DelayedStore, counter: RequestCounter, now: Now) -> None:
        super().__init__(counter, now)
        self._store = store
        self._api = settings.api
        self._limit = settings.api.body_limit
        self._key = None if settings.write_key is None else settings.write_key.encode()

    async def respond(self, scope: Scope, headers: Headers, body: Body) -> PostbackResponse:
        """Apply the rules of the Postback API, in the order in which their inputs arrive."""
        if scope["method"] != "POST":
            raise HttpError(405, "only POST is allowed")
        for what, name in scope["path_params"].items():
            if not _NAME.fullmatch(name):
                # [U] 400 is a documented status, but not for an invalid name.
                raise HttpError(400, f"invalid {what} name: use 3 to 128 lowercase letters, digits, or underscores")
        key = presented_key(headers, scope["query_string"], self._api)
        content = await body.read(self._limit)
        try:
            return self._store_row(content, key)
        except HttpError as error:
            coding = headers.get(b"content-encoding", b"identity")
            if error.status != 400 or coding == b"identity":
                raise
            shown = coding.decode() if coding.isalpha() else "of another kind"
            raise HttpError(400, f"{error.reason}: Content-Encoding {shown} is not supported") from None

    def _store_row(self, body: bytes, key: bytes) -> PostbackResponse:
        row = parse_row(body, self._now())
        # The key is checked last, and silently: Treasure Data returns 200 and drops the row.
        if self._key is not None and not hmac.compare_digest(key, self._key):
            return PostbackResponse(200, RequestResult.WRONG_KEY)
        if row is None:
            return PostbackResponse(200, RequestResult.CONNECTION_TEST)
        try:
            self._store.append(row)
        except OSError as error:
            reason = f"cannot write the store: {error.strerror or type(error).__name__}"
            return PostbackResponse(500, RequestResult.FAILED, reason)
        return PostbackResponse(200, RequestResult.STORED, events=row.events)


class _NotFoundEndpoint(AsgiEndpoint):
    async def respond(self, scope: Scope, headers: Headers, body: Body) -> PostbackResponse:  # noqa: ARG002 -- as the base
        raise HttpError(404, f"unknown path: use POST {_PATH_SHOWN}")


_PATH_SHOWN: Final = PATH.format(database="DATABASE", table="TABLE")
