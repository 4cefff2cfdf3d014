"""Messages about an endpoint that does not accept what it is sent: what, where, why, and which setting to check."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from td_currents_cli.errors import EndpointRefusedError, ExitCode, TdcurError, UnreachableError
from td_currents_cli.events.json import loads
from td_currents_cli.model import Code, Problem
from td_currents_cli.send.dead_letters import DeadLetter, scrubber
from td_currents_cli.send.endpoint import Endpoint
from td_currents_cli.send.payload import Payload, names_of
from td_currents_cli.send.retry import (
    BadAddress,
    ClientCertificateRejected,
    HttpResponse,
    ProxyRefused,
    RequestFailure,
    UnknownHost,
    UntrustedHost,
)

_EXCERPT: Final = 200  # maximum number of characters of a response that a message quotes
_ESCAPE: Final = re.compile(r"\\u([0-9a-fA-F]{4})")
_WORD: Final = re.compile(r"[^\s\"'<>(){}\[\],;:=]{4,}")  # what may be a value of the event that a response repeats


class SendInterruptedError(TdcurError):
    """Ctrl-C: the run stopped with what it had done."""

    exit_code = ExitCode.INTERRUPTED


class SendTerminatedError(TdcurError):
    """SIGTERM: the run stopped with what it had done."""

    exit_code = ExitCode.TERMINATED


_PERMANENT: Final[dict[type[RequestFailure], str]] = {
    UnknownHost: "Check the host in --url or --site, and whether this machine is connected to a network.",
    UntrustedHost: "Check the URL. If your company signs certificates itself, give its authority with --cacert or "
    "SSL_CERT_FILE.",
    ClientCertificateRejected: "Give the client certificate that it expects with --client-cert and --client-key.",
    ProxyRefused: "Check https_proxy, with user name and password if the proxy requires them, and no_proxy.",
    BadAddress: "Check the URL.",
}
_LATER: Final = "Run the command again when the endpoint is available, or retry longer with --retry-for."


@dataclass(frozen=True, slots=True)
class Messages:
    """Messages about one endpoint."""

    endpoint: Endpoint

    def stopped(self, result: HttpResponse | RequestFailure) -> TdcurError:
        """Explain why the sender stops at once."""
        shown = self.endpoint.shown
        if isinstance(result, RequestFailure):
            return UnreachableError(f"{shown}: {result.reason}", hint=_PERMANENT.get(type(result), _LATER))
        if result.status == 404:
            return EndpointRefusedError(
                f"{shown} responded with 404: there is nothing at this URL",
                hint="Check --site, --database and --table, or the URL.",
            )
        if result.status < 400:
            target = result.redirect_host or "another URL"
            return EndpointRefusedError(
                f"{shown} responded with {result.status}: a redirect to {target}",
                hint="Redirects are never followed. Give the final URL with --url.",
            )
        return EndpointRefusedError(
            f"{shown} responded with {result.status}: it does not accept the credentials", hint=self._credentials()
        )

    def retries_exhausted(self, result: HttpResponse | RequestFailure, retry_for: float) -> TdcurError:
        last = result.reason if isinstance(result, RequestFailure) else f"HTTP {result.status}"
        return UnreachableError(
            f"{self.endpoint.shown}: gave up after {_duration(retry_for)}; last error: {last}", hint=_LATER
        )

    def dead_letter(self, payload: Payload, response: HttpResponse, *, attempts: int) -> DeadLetter:
        """Return the only event of this payload as a dead letter: it got 400 or 413, and cannot be split further."""
        event, origin = payload.event_texts()[0], payload.origins[0]
        event_id, event_type = names_of(event)
        problem = Problem(
            code=Code.BATCH_REFUSED,
            location=origin.location,
            message=f"event {origin.first} was rejected with HTTP {response.status}{self._excerpt(response, event)}",
            event_index=origin.first,
            event_id=event_id,
            event_type=event_type,
            hint=f"The request has {len(payload.body):,} bytes, which is more than the endpoint accepts."
            if response.status == 413
            else "Fix the event. The dead letter contains the endpoint's response.",
        )
        return DeadLetter(
            event=event,
            location=origin.location,
            event_index=origin.first,
            problems=(problem,),
            status=response.status,
            response=response.text,
            is_cut=response.is_cut,
            attempts=attempts,
        )

    def _excerpt(self, response: HttpResponse, event: bytes) -> str:
        """Return the endpoint's own words, on one line, shortened, without secrets and without values of the event."""
        text = scrubber(self.endpoint)(response.text.decode(errors="replace"), response.is_cut)
        try:
            values = "\n".join(_values(loads(event))).lower()
        except (ValueError, RecursionError):
            return ""
        text = _ESCAPE.sub(lambda escape: chr(int(escape[1], 16)), text)
        text = _WORD.sub(lambda word: "***" if word[0].lower() in values else word[0], text)
        line = " ".join("".join(each if each.isprintable() else " " for each in text).split())
        return f": {line[: _EXCERPT - 1]}…" if len(line) > _EXCERPT else f": {line}" if line else ""

    def _credentials(self) -> str:
        if self.endpoint.write_key is not None:
            return "Check the write key: --write-key-file, TD_WRITE_KEY, or the one in the URL."
        if self.endpoint.token is not None:
            return "Check the token: --token-file or TDCUR_TOKEN."
        return "No credentials were given: give --write-key-file or --token-file."


def _values(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for nested in value.values():
            yield from _values(nested)
    elif isinstance(value, list):
        for element in value:
            yield from _values(element)
    elif not isinstance(value, bool) and value is not None:
        yield str(value)


def _duration(seconds: float) -> str:
    return f"{seconds / 60:g} min" if seconds >= 60 and seconds % 60 == 0 else f"{seconds:g} s"
