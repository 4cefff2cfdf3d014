"""Responding to a request and counting it.

Endpoints are bare ASGI applications: Starlette's requests and responses would cost as much as everything else.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import orjson
from starlette.types import Receive, Scope, Send

from td_currents_cli.receiver.body import Body, SenderDisconnected
from td_currents_cli.receiver.keys import without_key
from td_currents_cli.receiver.refusal import HttpError
from td_currents_cli.receiver.tally import RequestCounter, RequestLog, RequestResult

if TYPE_CHECKING:
    from td_currents_cli.receiver.settings import Fault

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
    text = sent.decode("ascii", "backslashreplace")
    if b"=" in sent or b"%" in sent:
        text = without_key(text)
    return text if len(text) <= _MAX_TARGET else text[:_MAX_TARGET] + "…"


_WITHOUT_BODY: Final = frozenset({204, 304})
_DISCONNECTED: Final = PostbackResponse(0, RequestResult.ABORTED, "the sender disconnected")
