"""The local endpoint as an ASGI application: how it responds to a request, and what it stores.

Faults are injected by a layer around it.
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
        return self._store_row(await body.read(self._limit), key)

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
