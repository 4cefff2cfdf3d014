"""The endpoint as an ASGI application: which answer a request gets, and what is stored of it.

The routes are bare ASGI applications: Starlette's requests and responses would cost as much as all the rest does.
Faults, when there are some, go around the application and see the same scope and messages.
"""

import hmac
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import orjson
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from td_currents_cli.receiver.body import Body, SenderGone
from td_currents_cli.receiver.keys import presented_key, without_key
from td_currents_cli.receiver.refusal import Refusal
from td_currents_cli.receiver.row import row_of
from td_currents_cli.receiver.settings import Settings
from td_currents_cli.receiver.store import Store
from td_currents_cli.receiver.tally import Exchange, Result, Tally

PATH: Final = "/postback/v3/event/{database}/{table}"

Clock: TypeAlias = Callable[[], float]
Headers: TypeAlias = Mapping[bytes, bytes]

_NAME: Final = re.compile(r"[a-z0-9_]{3,128}")
_LONGEST_SHOWN: Final = 300


def application(settings: Settings, store: Store, tally: Tally, clock: Clock = time.time) -> ASGIApp:
    """The endpoint: `POST` to `PATH` stores a row, everything else is refused."""
    postback = _Postback(settings, store, tally, clock)
    return Router([Route(PATH, endpoint=postback)], redirect_slashes=False, default=_Nowhere(tally, clock))


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    result: Result
    reason: str = ""
    events: int | None = None


class _Endpoint:
    """Answers requests, and counts them."""

    def __init__(self, tally: Tally, clock: Clock) -> None:
        self._tally = tally
        self._clock = clock

    async def answer(self, scope: Scope, headers: Headers, body: Body) -> _Answer:
        """The answer to one request. Raises Refusal and SenderGone."""
        raise NotImplementedError

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers: Headers = dict(scope["headers"])
        body = Body(headers, receive)
        closing = False
        try:
            try:
                answer = await self.answer(scope, headers, body)
            except Refusal as refusal:
                answer = _Answer(refusal.status, Result.REFUSED, refusal.reason)
                closing = body.held_back
                if not closing:
                    await body.skip()
        except SenderGone:
            self._tally.add(self._exchange(scope, body, None, _GONE))
            return
        # Before the answer: who has received it finds it counted.
        self._tally.add(self._exchange(scope, body, answer.status, answer))
        await _send(send, answer, closing=closing)

    def _exchange(self, scope: Scope, body: Body, status: int | None, answer: _Answer) -> Exchange:
        return Exchange(
            at=self._clock(),
            method=scope["method"],
            target=_target(scope),
            status=status,
            size=body.size,
            result=answer.result,
            events=answer.events,
            reason=answer.reason,
        )


class _Postback(_Endpoint):
    """The one path that stores."""

    def __init__(self, settings: Settings, store: Store, tally: Tally, clock: Clock) -> None:
        super().__init__(tally, clock)
        self._store = store
        self._api = settings.api
        self._limit = settings.api.body_limit
        self._key = None if settings.write_key is None else settings.write_key.encode()

    async def answer(self, scope: Scope, headers: Headers, body: Body) -> _Answer:
        """The rules of the Postback API, in the order in which it can know of them."""
        if scope["method"] != "POST":
            raise Refusal(405, "only POST is answered here")
        for what, name in scope["path_params"].items():
            if not _NAME.fullmatch(name):
                # [U] 400 is a documented answer, the one for a bad name is not.
                raise Refusal(400, f"a {what} name is 3 to 128 of a-z, 0-9 and _")
        key = presented_key(headers, scope["query_string"], self._api)
        return self._stored(await body.read(self._limit), key)

    def _stored(self, body: bytes, key: bytes) -> _Answer:
        row = row_of(body, self._clock())
        # The key is looked at last, and says nothing to the sender: Treasure Data answers 200 and drops the row.
        if self._key is not None and not hmac.compare_digest(key, self._key):
            return _Answer(200, Result.WRONG_KEY)
        if row is None:
            return _Answer(200, Result.CONNECTION_TEST)
        try:
            self._store.append(row)
        except OSError as error:
            return _Answer(500, Result.FAILED, f"cannot write the store: {error.strerror or type(error).__name__}")
        return _Answer(200, Result.STORED, events=row.events)


class _Nowhere(_Endpoint):
    """Every other path."""

    async def answer(self, scope: Scope, headers: Headers, body: Body) -> _Answer:  # noqa: ARG002 -- as the base has it
        """404."""
        raise Refusal(404, f"only POST {_PATH_SHOWN} is answered")


async def _send(send: Send, answer: _Answer, *, closing: bool) -> None:
    # [U] Only the body of a success is documented.
    text = b"{}" if answer.status == 200 else orjson.dumps({"error": answer.reason})
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(text))]
    if answer.status == 405:
        headers.append((b"allow", b"POST"))
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


_GONE: Final = _Answer(0, Result.ABORTED, "the sender went away")
_PATH_SHOWN: Final = PATH.format(database="DATABASE", table="TABLE")
