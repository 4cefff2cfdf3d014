"""`--check-endpoint`: Braze's own connection test, a request without events, which has no effect on data."""

import asyncio
import os
from collections.abc import Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import ClassVar, Final

from td_currents_cli.braze import EMPTY_PAYLOAD
from td_currents_cli.errors import EndpointRefusedError, ExitCode, TdcurError, UnreachableError
from td_currents_cli.outcome import Outcome
from td_currents_cli.send.destination import Destination
from td_currents_cli.send.endpoint import Endpoint, EndpointKind, resolve
from td_currents_cli.send.messages import Messages
from td_currents_cli.send.retry import Clock, HttpResponse, NextStep, RequestFailure, next_step
from td_currents_cli.send.tls import TlsSession


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRequest:
    """One request of the connection test, and what came of it."""

    sender: str  # whose request it is
    status: int | None
    latency_ms: float | None  # including the time to connect
    error: TdcurError | None = None


class ConnectionTestOutcome(Outcome, frozen=True, kw_only=True):
    """What the endpoint responds to the connection test."""

    command: ClassVar[str] = "send"
    unmasked: ClassVar[tuple[str, ...]] = ("braze_url",)  # with --show-key

    endpoint: str  # redacted URL
    requests: tuple[CheckRequest, ...]
    tls: TlsSession | None = None
    braze_url: str | None = None  # which Braze needs, if that is another one
    warnings: tuple[str, ...] = ()
    error: TdcurError | None = None  # of the first request that was not accepted

    def summary(self) -> dict[str, object]:
        tls = self.tls and {
            "version": self.tls.version,
            "issuer": self.tls.issuer,
            "expires": self.tls.expires.isoformat().replace("+00:00", "Z"),
        }
        first = self.requests[0]
        return {"status": first.status, "latency_ms": first.latency_ms, "tls": tls}

    def data(self) -> dict[str, object]:
        error = {} if self.error is None else {"error": {"message": self.error.message, "hint": self.error.hint}}
        return {
            **error,
            "endpoint": self.endpoint,
            "check_endpoint": True,
            "requests": [
                {"sender": each.sender, "status": each.status, "latency_ms": each.latency_ms} for each in self.requests
            ],
            "braze_url": self.braze_url,
            "warnings": list(self.warnings),
        }


def run_connection_test(
    destination: Destination,
    *,
    timeout: float,
    show_key: bool = False,
    environ: Mapping[str, str] = os.environ,
    clock: Clock | None = None,
    notice: Callable[[str], None] = lambda _: None,
) -> ConnectionTestOutcome:
    """Send a request without events as Braze would, and one as `send` would if that differs. Retries nothing.

    `timeout` are seconds for a connection, and for a response; `notice` is called with each warning.
    """
    endpoint = resolve(destination, environ)
    endpoint.require_credentials()
    for warning in endpoint.warnings:
        notice(warning)
    requests, tls = asyncio.run(_requests(endpoint, timeout, clock or Clock()))
    error = next((each.error for each in requests if each.error is not None), None)
    is_for_braze = endpoint.kind is EndpointKind.POSTBACK_V1 and endpoint.given is not None
    return ConnectionTestOutcome(
        exit_code=ExitCode.OK if error is None else error.exit_code,
        endpoint=endpoint.shown,
        requests=requests,
        tls=tls,
        braze_url=None if is_for_braze else endpoint.braze_url(show_key=show_key),
        warnings=endpoint.warnings,
        error=error,
    )


async def _requests(
    endpoint: Endpoint, seconds: float, clock: Clock
) -> tuple[tuple[CheckRequest, ...], TlsSession | None]:
    from td_currents_cli.send.http import HttpxClient  # noqa: PLC0415 -- heavy; wrong settings are found without

    variants = {(BOTH if endpoint.write_key is None else SEND): endpoint}
    if endpoint.write_key is not None and endpoint.given is not None:
        # Braze sets no header of Treasure Data: all it has is the URL.
        variants = {BRAZE: replace(endpoint, url=endpoint.given, write_key=None), **variants}
    requests: list[CheckRequest] = []
    tls = None
    for sender, variant in variants.items():
        async with aclosing(HttpxClient(variant, concurrency=1, timeout=seconds)) as client:
            started = clock.now()
            result = await client.post(EMPTY_PAYLOAD)
            latency = round((clock.now() - started) * 1000, 1)
            tls = client.latest_session() or tls
        status, latency_ms = (result.status, latency) if isinstance(result, HttpResponse) else (None, None)
        error = _error(result, endpoint, is_braze=sender == BRAZE)
        requests.append(CheckRequest(sender=sender, status=status, latency_ms=latency_ms, error=error))
    return tuple(requests), tls


def _error(result: HttpResponse | RequestFailure, endpoint: Endpoint, *, is_braze: bool) -> TdcurError | None:
    step = next_step(result, reached=False)
    if isinstance(result, HttpResponse) and step is NextStep.DELIVERED:
        message = f"{endpoint.shown} responded with {result.status} and a web page (text/html), not with {{}}"
        page = EndpointRefusedError(message, hint="It may be the page of a login or a proxy. Check the URL.")
        return page if result.is_page else None
    if is_braze and endpoint.kind is EndpointKind.POSTBACK_V2 and isinstance(result, HttpResponse):
        return EndpointRefusedError(
            f"{endpoint.shown} responded with {result.status} to Braze's own request, with the key in the URL",
            hint="Braze needs the URL of a v1 host.",
        )
    if step is NextStep.STOP:
        return Messages(endpoint).stopped(result)
    if isinstance(result, RequestFailure):
        return UnreachableError(f"{endpoint.shown}: {result.reason}", hint=_TRY_AGAIN)
    message = f"{endpoint.shown} responded with {result.status} to the connection test"
    if step is NextStep.RETRY:
        return UnreachableError(message, hint=_TRY_AGAIN)
    hint = "Treasure Data accepts a request without events. If this endpoint does not, send one with events."
    return EndpointRefusedError(message, hint=hint)


BRAZE: Final = "Braze, with the URL as given"
SEND: Final = "tdcur send, with the key in the header X-TD-Write-Key"
BOTH: Final = "Braze and tdcur send, with the URL as given"

_TRY_AGAIN: Final = "Check the host and the port, or try again later; `tdcur send` would retry."
