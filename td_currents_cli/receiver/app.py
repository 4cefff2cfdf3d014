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
from td_currents_cli.receiver.endpoint import Answer, Clock, Endpoint, Headers
from td_currents_cli.receiver.ingestion import Ingestion
from td_currents_cli.receiver.keys import presented_key
from td_currents_cli.receiver.refusal import Refusal
from td_currents_cli.receiver.row import row_of
from td_currents_cli.receiver.settings import Settings
from td_currents_cli.receiver.tally import Result, Tally

PATH: Final = "/postback/v3/event/{database}/{table}"

_NAME: Final = re.compile(r"[a-z0-9_]{3,128}")


def application(settings: Settings, store: Ingestion, tally: Tally, clock: Clock = time.time) -> ASGIApp:
    """The endpoint: `POST` to `PATH` stores a row, everything else is refused."""
    postback = _Postback(settings, store, tally, clock)
    return Router([Route(PATH, endpoint=postback)], redirect_slashes=False, default=_Nowhere(tally, clock))


class _Postback(Endpoint):
    """The one path that stores."""

    def __init__(self, settings: Settings, store: Ingestion, tally: Tally, clock: Clock) -> None:
        super().__init__(tally, clock)
        self._store = store
        self._api = settings.api
        self._limit = settings.api.body_limit
        self._key = None if settings.write_key is None else settings.write_key.encode()

    async def answer(self, scope: Scope, headers: Headers, body: Body) -> Answer:
        """The rules of the Postback API, in the order in which it can know of them."""
        if scope["method"] != "POST":
            raise Refusal(405, "only POST is answered here")
        for what, name in scope["path_params"].items():
            if not _NAME.fullmatch(name):
                # [U] 400 is a documented answer, the one for a bad name is not.
                raise Refusal(400, f"a {what} name is 3 to 128 of a-z, 0-9 and _")
        key = presented_key(headers, scope["query_string"], self._api)
        return self._stored(await body.read(self._limit), key)

    def _stored(self, body: bytes, key: bytes) -> Answer:
        row = row_of(body, self._clock())
        # The key is looked at last, and says nothing to the sender: Treasure Data answers 200 and drops the row.
        if self._key is not None and not hmac.compare_digest(key, self._key):
            return Answer(200, Result.WRONG_KEY)
        if row is None:
            return Answer(200, Result.CONNECTION_TEST)
        try:
            self._store.append(row)
        except OSError as error:
            return Answer(500, Result.FAILED, f"cannot write the store: {error.strerror or type(error).__name__}")
        return Answer(200, Result.STORED, events=row.events)


class _Nowhere(Endpoint):
    """Every other path."""

    async def answer(self, scope: Scope, headers: Headers, body: Body) -> Answer:  # noqa: ARG002 -- as the base has it
        """404."""
        raise Refusal(404, f"only POST {_PATH_SHOWN} is answered")


_PATH_SHOWN: Final = PATH.format(database="DATABASE", table="TABLE")
