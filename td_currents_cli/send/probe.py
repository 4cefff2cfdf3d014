"""`--check-endpoint`: Braze's own connection test, one request without events, which has no effect on data."""

import asyncio
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

from td_currents_cli.braze import EMPTY_PAYLOAD
from td_currents_cli.errors import EndpointRefusedError, ExitCode, TdcurError, UnreachableError
from td_currents_cli.outcome import Outcome
from td_currents_cli.send.answers import Answer, Failure
from td_currents_cli.send.clock import Clock
from td_currents_cli.send.endpoint import Destination, Endpoint, resolve
from td_currents_cli.send.explain import Words
from td_currents_cli.send.retry import Verdict, judge
from td_currents_cli.send.tls import TlsSession

if TYPE_CHECKING:
    from td_currents_cli.send.client import Client

"""Braze's connection test: a payload without events."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointCheck(Outcome):
    """What the endpoint says to the connection test.

    Attributes:
        endpoint: where to, as it may be shown.
        status: that it answered; None without an answer.
        latency_ms: from the request to its answer, with the connection made; None without an answer.
        tls: what secures the connection; None for plain http and without a connection.
        warnings: what was odd about the settings.
        error: what is wrong, None where nothing is.
    """

    command: ClassVar[str] = "send"

    endpoint: str
    status: int | None = None
    latency_ms: float | None = None
    tls: TlsSession | None = None
    warnings: tuple[str, ...] = ()
    error: TdcurError | None = None

    def summary(self) -> dict[str, object]:
        """The figures, by the names scripts rely on."""
        tls = self.tls and {
            "version": self.tls.version,
            "issuer": self.tls.issuer,
            "expires": self.tls.expires.isoformat().replace("+00:00", "Z"),
        }
        return {"status": self.status, "latency_ms": self.latency_ms, "tls": tls}

    def data(self) -> dict[str, object]:
        """What else the JSON envelope says."""
        error = {} if self.error is None else {"error": {"message": self.error.message, "hint": self.error.hint}}
        return {**error, "endpoint": self.endpoint, "check_endpoint": True, "warnings": list(self.warnings)}


def check(
    destination: Destination,
    *,
    timeout: float,
    environ: Mapping[str, str] = os.environ,
    clock: Clock | None = None,
    notice: Callable[[str], None] = lambda _: None,
) -> EndpointCheck:
    """Make the one request, and never a second.

    Args:
        destination: where to.
        timeout: seconds for a connection, and for an answer.
        environ: for keys, tokens and TDCUR_URL.
        clock: where time comes from.
        notice: told what is odd, before the request.

    Raises:
        UsageError: settings that cannot work.
    """
    endpoint = resolve(destination, environ)
    endpoint.require_credentials()
    for warning in endpoint.warnings:
        notice(warning)
    from td_currents_cli.send.client import Client  # noqa: PLC0415 -- heavy; wrong settings are found without

    client = Client(endpoint, concurrency=1, timeout=timeout)
    result, seconds, tls = asyncio.run(_ask(client, clock or Clock()))
    error = _error(result, endpoint)
    return EndpointCheck(
        exit_code=ExitCode.OK if error is None else error.exit_code,
        endpoint=endpoint.shown,
        status=result.status if isinstance(result, Answer) else None,
        latency_ms=round(seconds * 1000, 1) if isinstance(result, Answer) else None,
        tls=tls,
        warnings=endpoint.warnings,
        error=error,
    )


async def _ask(client: "Client", clock: Clock) -> tuple[Answer | Failure, float, TlsSession | None]:
    async with client:
        begun = clock.now()
        result = await client.post(EMPTY_PAYLOAD)
        return result, clock.now() - begun, client.tls


def _error(result: Answer | Failure, endpoint: Endpoint) -> TdcurError | None:
    verdict = judge(result, reached=False)
    if verdict is Verdict.DELIVERED:
        return None
    if verdict is Verdict.STOP:
        return Words(endpoint).stopped(result)
    if isinstance(result, Failure):
        return UnreachableError(f"{endpoint.shown}: {result.reason}", hint=_AGAIN)
    if verdict is Verdict.AGAIN:
        return UnreachableError(f"{endpoint.shown} answered {result.status} to the connection test", hint=_AGAIN)
    return EndpointRefusedError(
        f"{endpoint.shown} answered {result.status} to the connection test",
        hint="Treasure Data takes a request without events. If this endpoint does not, try one with events.",
    )


_AGAIN: Final = "Check the host and the port, or try again later: `tdcur send` itself would."
