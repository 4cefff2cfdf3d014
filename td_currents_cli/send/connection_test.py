"""`--check-endpoint`: Braze's own connection test, one request without events, which has no effect on data."""

import asyncio
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

from td_currents_cli.braze import EMPTY_PAYLOAD
from td_currents_cli.errors import EndpointRefusedError, ExitCode, TdcurError, UnreachableError
from td_currents_cli.outcome import Outcome
from td_currents_cli.send.endpoint import Destination, Endpoint, resolve
from td_currents_cli.send.messages import Messages
from td_currents_cli.send.retry import Clock, HttpResponse, NextStep, RequestFailure, next_step
from td_currents_cli.send.tls import TlsSession

if TYPE_CHECKING:
    from td_currents_cli.send.http import HttpxClient


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionTestOutcome(Outcome):
    """What the endpoint responds to the connection test."""

    command: ClassVar[str] = "send"

    endpoint: str  # redacted URL
    status: int | None = None
    latency_ms: float | None = None  # including the time to connect
    tls: TlsSession | None = None
    warnings: tuple[str, ...] = ()
    error: TdcurError | None = None

    def summary(self) -> dict[str, object]:
        tls = self.tls and {
            "version": self.tls.version,
            "issuer": self.tls.issuer,
            "expires": self.tls.expires.isoformat().replace("+00:00", "Z"),
        }
        return {"status": self.status, "latency_ms": self.latency_ms, "tls": tls}

    def data(self) -> dict[str, object]:
        error = {} if self.error is None else {"error": {"message": self.error.message, "hint": self.error.hint}}
        return {**error, "endpoint": self.endpoint, "check_endpoint": True, "warnings": list(self.warnings)}


def run_connection_test(
    destination: Destination,
    *,
    timeout: float,
    environ: Mapping[str, str] = os.environ,
    clock: Clock | None = None,
    notice: Callable[[str], None] = lambda _: None,
) -> ConnectionTestOutcome:
    """Make one request without events, and never a second.

    `timeout` are seconds for a connection, and for a response; `notice` is called with each warning, before the
    request. Raises UsageError for settings that cannot work.
    """
    endpoint = resolve(destination, environ)
    endpoint.require_credentials()
    for warning in endpoint.warnings:
        notice(warning)
    from td_currents_cli.send.http import HttpxClient  # noqa: PLC0415 -- heavy; wrong settings are found without

    client = HttpxClient(endpoint, concurrency=1, timeout=timeout)
    result, seconds, tls = asyncio.run(_request(client, clock or Clock()))
    error = _error(result, endpoint)
    return ConnectionTestOutcome(
        exit_code=ExitCode.OK if error is None else error.exit_code,
        endpoint=endpoint.shown,
        status=result.status if isinstance(result, HttpResponse) else None,
        latency_ms=round(seconds * 1000, 1) if isinstance(result, HttpResponse) else None,
        tls=tls,
        warnings=endpoint.warnings,
        error=error,
    )


async def _request(
    client: "HttpxClient", clock: Clock
) -> tuple[HttpResponse | RequestFailure, float, TlsSession | None]:
    async with client:
        started = clock.now()
        result = await client.post(EMPTY_PAYLOAD)
        return result, clock.now() - started, client.tls


def _error(result: HttpResponse | RequestFailure, endpoint: Endpoint) -> TdcurError | None:
    step = next_step(result, reached=False)
    if step is NextStep.DELIVERED:
        return None
    if step is NextStep.STOP:
        return Messages(endpoint).stopped(result)
    if isinstance(result, RequestFailure):
        return UnreachableError(f"{endpoint.shown}: {result.reason}", hint=_TRY_AGAIN)
    message = f"{endpoint.shown} responded with {result.status} to the connection test"
    if step is NextStep.RETRY:
        return UnreachableError(message, hint=_TRY_AGAIN)
    return EndpointRefusedError(
        message,
        hint="Treasure Data accepts a request without events. If this endpoint does not, send one with events.",
    )


_TRY_AGAIN: Final = "Check the host and the port, or try again later; `tdcur send` would retry."
