"""The local endpoint as an ASGI application: how it responds to a request, and what it stores."""

import hmac
import math
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias
from urllib.parse import parse_qs

import orjson

from td_currents_cli.errors import InputError, UsageError
from td_currents_cli.patterns import pattern
from td_currents_cli.secrets import KEY_PARAMETER, mask
from td_currents_cli.serve.settings import RESET, Fault, HttpError, PostbackApi, ServeSettings
from td_currents_cli.serve.stats import RequestLog, RequestResult, ServeStats
from td_currents_cli.serve.store import Store, parse_row

Message: TypeAlias = dict[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
ASGIApp: TypeAlias = Callable[[Message, Receive, Send], Awaitable[None]]


async def disconnected(receive: Receive) -> None:
    """Wait until the connection of a request is closed."""
    while (await receive())["type"] != "http.disconnect":
        pass


class SenderDisconnected(Exception):  # noqa: N818 -- happens to a request, not an error of this program
    """The sender closed the connection before its request was complete."""


class Body:
    """A body that is being received: `size` bytes so far, all of them if `ended`; `content` once it was read whole."""

    __slots__ = ("_headers", "_receive", "content", "ended", "size")

    def __init__(self, headers: Mapping[bytes, bytes], receive: Receive) -> None:
        self._headers = headers
        self._receive = receive
        self.content = b""
        self.size = 0
        self.ended = False

    async def read(self, limit: int) -> bytes:
        """Read the whole body.

        Raises:
            HttpError: 413, the body, or its declared length, is larger than `limit` bytes.
            SenderDisconnected: the body is incomplete.
        """
        declared = int(self._headers.get(b"content-length", b"0"))
        chunks: list[bytes] = []
        while max(declared, self.size) <= limit:
            if self.ended:
                self.content = b"".join(chunks)
                return self.content
            chunks.append(await self._next())
        raise HttpError(413, f"the body is larger than {limit:,} bytes")

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


def presented_key(headers: Mapping[bytes, bytes], query: bytes, api: PostbackApi) -> bytes:
    """Find the key of a request, without checking it.

    v1: `X-TD-Write-Key`, else `?td_write_key=`. v2: `Authorization: TD1`, else `X-TD-Write-Key`; a key in the URL is
    always rejected. [U] Treasure Data documents neither the status for a URL key on v2 nor for a missing key: 403 is
    its documented status for wrong credentials, and makes Braze stop until a person acts; 400 would make it drop the
    events.

    Raises:
        HttpError: 403, there is no acceptable key.
    """
    # Most requests have no query.
    in_url = parse_qs(query.decode("latin-1"), keep_blank_values=True).get(KEY_PARAMETER) if query else None
    if api is PostbackApi.v2:
        if in_url is not None:
            raise HttpError(403, "v2 does not accept a write key in the URL")
        scheme, _, token = headers.get(b"authorization", b"").partition(b" ")
        # [U] Another scheme (Braze can send Bearer) is ignored.
        key = token.strip() if scheme.upper() == b"TD1" else b""
        key = key or headers.get(b"x-td-write-key", b"").strip()
        places = "Authorization: TD1 or X-TD-Write-Key"
    else:
        key = headers.get(b"x-td-write-key", b"").strip() or (in_url[0].encode() if in_url else b"")
        places = "X-TD-Write-Key or td_write_key"
    if not key:
        raise HttpError(403, f"no write key: {api} expects it as {places}")
    return key


def expected_key(file: Path | None, environment: Mapping[str, str]) -> str | None:
    """Read the key whose rows are stored, from the file, or else the environment. None: any key.

    Raises:
        InputError: the file cannot be read.
        UsageError: the file does not contain exactly one key.
    """
    if file is None:
        return environment.get("TD_WRITE_KEY", "").strip() or None
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
MALFORMED_BODY: Final = "tdcur.malformed"  # key in the `state` of a scope: the server has responded 400

PATH: Final = "/postback/v3/event/{database}/{table}"

_PATH_SHOWN: Final = PATH.format(database="DATABASE", table="TABLE")
_PATH: Final = pattern(PATH.format(database="(?P<database>[^/]+)", table="(?P<table>[^/]+)"))
_NAME: Final = pattern(r"[a-z0-9_]{3,128}")
_MAX_TARGET: Final = 300


@dataclass(frozen=True, slots=True)
class PostbackResponse:
    status: int
    result: RequestResult
    reason: str = ""  # for the response's body and the log
    events: int | None = None  # in the stored row
    event_types: Sequence[object] = ()  # of these events
    retry_after: int | None = None  # seconds


class PostbackEndpoint:
    """An ASGI application: `POST` to `PATH` stores a row, everything else is rejected."""

    def __init__(self, settings: ServeSettings, store: Store, stats: ServeStats) -> None:
        self._store = store
        self._stats = stats
        self._api = settings.api
        self._limit = settings.api.body_limit
        self._key = None if settings.write_key is None else settings.write_key.encode()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if not scope["path"].startswith("/"):
            # A request target may be a whole URL, as sent to a proxy.
            scope["path"] = "/" + "/".join(scope["path"].split("/")[3:])
            scope["raw_path"] = b"/" + b"/".join(scope["raw_path"].split(b"/")[3:])
        headers = dict(scope["headers"])
        body = Body(headers, receive)
        closing = False
        try:
            try:
                response = await self._respond(scope, headers, body)
            except HttpError as error:
                response = PostbackResponse(error.status, RequestResult.REFUSED, error.reason)
                closing = body.awaits_continue
                if not closing:
                    await body.skip()
        except SenderDisconnected:
            if MALFORMED_BODY in scope["state"]:
                self._log(scope, body, 400, PostbackResponse(400, RequestResult.REFUSED, "malformed HTTP body"))
            else:
                self._log(scope, body, None, PostbackResponse(0, RequestResult.ABORTED, "the sender disconnected"))
            return
        # Before the response, so that its recipient finds the request counted.
        self._log(scope, body, response.status, response)
        await _send(send, response, closing=closing)

    async def _respond(self, scope: Message, headers: Mapping[bytes, bytes], body: Body) -> PostbackResponse:
        """Apply the rules of the Postback API, in the order in which their inputs arrive."""
        fault: Fault | None = scope.get(FAULT)
        if fault is not None and not fault.stores:
            return await _fault_response(fault, body)
        path = _PATH.fullmatch(scope["path"])
        if path is None:
            raise HttpError(404, f"unknown path: use POST {_PATH_SHOWN}")
        if scope["method"] != "POST":
            raise HttpError(405, "only POST is allowed")
        for what, name in path.groupdict().items():
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
        row = parse_row(body, time.time())
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
        return PostbackResponse(200, RequestResult.STORED, events=row.events, event_types=row.event_types)

    def _log(self, scope: Message, body: Body, status: int | None, response: PostbackResponse) -> None:
        fault: Fault | None = scope.get(FAULT)
        self._stats.add(
            RequestLog(
                method=scope["method"],
                target=_target(scope),
                status=status if fault is None or fault.answers else None,
                size=body.size,
                result=response.result,
                events=response.events,
                reason=response.reason,
                fault="" if fault is None else fault.name,
                body=body.content,
                event_types=response.event_types,
            )
        )


async def _fault_response(fault: Fault, body: Body) -> PostbackResponse:
    if fault.name != RESET:
        await body.skip()
    status = int(fault.name) if fault.answers else 0  # 0 is never sent
    wait = None if fault.seconds is None else math.ceil(fault.seconds)
    return PostbackResponse(status, RequestResult.FAULT, f"fault {fault.name}", retry_after=wait)


async def _send(send: Send, response: PostbackResponse, *, closing: bool) -> None:
    # [U] Only the body of a success is documented.
    body = b"{}" if response.status < 300 else orjson.dumps({"error": response.reason})
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    if response.status in {204, 304}:
        body, headers = b"", []
    if response.status == 405:
        headers.append((b"allow", b"POST"))
    if response.retry_after is not None:
        headers.append((b"retry-after", b"%d" % response.retry_after))
    if closing:
        # The sender may send the body, which nobody reads, as the next bytes of this connection.
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _target(scope: Message) -> str:
    """Path and query as sent, safe to print: no key, no control characters, shortened."""
    query: bytes = scope["query_string"]
    sent: bytes = scope["raw_path"] + b"?" + query if query else scope["raw_path"]
    text = mask(sent.decode("ascii", "backslashreplace"))
    return text if len(text) <= _MAX_TARGET else text[:_MAX_TARGET] + "…"
