"""How a request is answered and counted, whatever the answer is.

Endpoints are bare ASGI applications: Starlette's requests and responses would cost as much as all the rest does.
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
    from td_currents_cli.receiver.faults import Fault

FAULT: Final = "tdcur.fault"
"""Member of a request's scope that holds the `Fault` it has been dealt, if any."""

Now: TypeAlias = Callable[[], float]
Headers: TypeAlias = Mapping[bytes, bytes]

_LONGEST_SHOWN: Final = 300


@dataclass(frozen=True, slots=True)
class PostbackResponse:
    """What a request is answered with, and why.

    Attributes:
        status: HTTP status.
        result: what became of the request.
        reason: for the answer's body and the log.
        events: in the stored row.
        retry_after: seconds, for the header of that name.
    """

    status: int
    result: RequestResult
    reason: str = ""
    events: int | None = None
    retry_after: int | None = None


class AsgiEndpoint:
    """Answers requests, and counts them."""

    def __init__(self, tally: RequestCounter, clock: Now) -> None:
        self._tally = tally
        self._clock = clock

    async def answer(self, scope: Scope, headers: Headers, body: Body) -> PostbackResponse:
        """The answer to one request. Raises Refusal and SenderGone."""
        raise NotImplementedError

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, as ASGI has it."""
        headers: Headers = dict(scope["headers"])
        body = Body(headers, receive)
        closing = False
        try:
            try:
                answer = await self.answer(scope, headers, body)
            except HttpError as refusal:
                answer = PostbackResponse(refusal.status, RequestResult.REFUSED, refusal.reason)
                closing = body.held_back
                if not closing:
                    await body.skip()
        except SenderDisconnected:
            self._tally.add(self._exchange(scope, body, None, _GONE))
            return
        # Before the answer: who has received it finds it counted.
        self._tally.add(self._exchange(scope, body, answer.status, answer))
        await _send(send, answer, closing=closing)

    def _exchange(self, scope: Scope, body: Body, status: int | None, answer: PostbackResponse) -> RequestLog:
        fault: Fault | None = scope.get(FAULT)
        return RequestLog(
            at=self._clock(),
            method=scope["method"],
            target=_target(scope),
            status=status if fault is None or fault.answers else None,
            size=body.size,
            result=answer.result,
            events=answer.events,
            reason=answer.reason,
            fault="" if fault is None else fault.name,
        )


async def _send(send: Send, answer: PostbackResponse, *, closing: bool) -> None:
    # [U] Only the body of a success is documented.
    text = b"{}" if answer.status < 300 else orjson.dumps({"error": answer.reason})
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(text))]
    if answer.status in _WITHOUT_BODY:
        text, headers = b"", []
    if answer.status == 405:
        headers.append((b"allow", b"POST"))
    if answer.retry_after is not None:
        headers.append((b"retry-after", b"%d" % answer.retry_after))
    if closing:
        # What comes next on this connection could be the body that nobody waits for.
        headers.append((b"connection", b"close"))
    start: dict[str, Any] = {"type": "http.response.start", "status": answer.status, "headers": headers}
    await send(start)
    await send({"type": "http.response.body", "body": text})


def _target(scope: Scope) -> str:
    """Path and query as sent, safe to print: no key, no control characters, not endless."""
    query: bytes = scope["query_string"]
    sent: bytes = scope["raw_path"] + b"?" + query if query else scope["raw_path"]
    text = sent.decode("ascii", "backslashreplace")
    if b"=" in sent or b"%" in sent:
        text = without_key(text)
    return text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN] + "…"


_WITHOUT_BODY: Final = frozenset({204, 304})
_GONE: Final = PostbackResponse(0, RequestResult.ABORTED, "the sender went away")
