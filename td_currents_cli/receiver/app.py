"""The endpoint as an ASGI application: which answer a request gets, and what is stored of it.

Faults, when there are some, go around the application (see `misbehaviour`).
"""

import hmac
import re
import time
from typing import Final

from starlette.routing import Route, Router
from starlette.types import ASGIApp, Scope

from td_currents_cli.receiver.body import Body
from td_currents_cli.receiver.endpoint import AsgiEndpoint, Headers, Now, PostbackResponse
from td_currents_cli.receiver.ingestion import DelayedStore
from td_currents_cli.receiver.keys import presented_key
from td_currents_cli.receiver.refusal import HttpError
from td_currents_cli.receiver.row import parse_row
from td_currents_cli.receiver.settings import ServeSettings
from td_currents_cli.receiver.tally import RequestCounter, RequestResult

PATH: Final = "/postback/v3/event/{database}/{table}"

_NAME: Final = re.compile(r"[a-z0-9_]{3,128}")


def application(settings: ServeSettings, store: DelayedStore, tally: RequestCounter, clock: Now = time.time) -> ASGIApp:
    """The endpoint: `POST` to `PATH` stores a row, everything else is refused."""
    postback = _PostbackEndpoint(settings, store, tally, clock)
    return Router([Route(PATH, endpoint=postback)], redirect_slashes=False, default=_NotFoundEndpoint(tally, clock))


class _PostbackEndpoint(AsgiEndpoint):
    """The one path that stores."""

    def __init__(self, settings: ServeSettings, store: DelayedStore, tally: RequestCounter, clock: Now) -> None:
        super().__init__(tally, clock)
        self._store = store
        self._api = settings.api
        self._limit = settings.api.body_limit
        self._key = None if settings.write_key is None else settings.write_key.encode()

    async def answer(self, scope: Scope, headers: Headers, body: Body) -> PostbackResponse:
        """The rules of the Postback API, in the order in which it can know of them."""
        if scope["method"] != "POST":
            raise HttpError(405, "only POST is answered here")
        for what, name in scope["path_params"].items():
            if not _NAME.fullmatch(name):
                # [U] 400 is a documented answer, the one for a bad name is not.
                raise HttpError(400, f"a {what} name is 3 to 128 of a-z, 0-9 and _")
        key = presented_key(headers, scope["query_string"], self._api)
        return self._stored(await body.read(self._limit), key)

    def _stored(self, body: bytes, key: bytes) -> PostbackResponse:
        row = parse_row(body, self._clock())
        # The key is looked at last, and says nothing to the sender: Treasure Data answers 200 and drops the row.
        if self._key is not None and not hmac.compare_digest(key, self._key):
            return PostbackResponse(200, RequestResult.WRONG_KEY)
        if row is None:
            return PostbackResponse(200, RequestResult.CONNECTION_TEST)
        try:
            self._store.append(row)
        except OSError as error:
            return PostbackResponse(
                500, RequestResult.FAILED, f"cannot write the store: {error.strerror or type(error).__name__}"
            )
        return PostbackResponse(200, RequestResult.STORED, events=row.events)


class _NotFoundEndpoint(AsgiEndpoint):
    """Every other path."""

    async def answer(self, scope: Scope, headers: Headers, body: Body) -> PostbackResponse:  # noqa: ARG002 -- as the base has it
        """404."""
        raise HttpError(404, f"only POST {_PATH_SHOWN} is answered")


_PATH_SHOWN: Final = PATH.format(database="DATABASE", table="TABLE")
