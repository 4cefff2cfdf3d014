"""Messages about an endpoint that does not accept what it is sent: what, where, why, and which setting to check."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from td_currents_cli.braze import EMPTY_PAYLOAD
from td_currents_cli.errors import EndpointRefusedError, ExitCode, TdcurError, UnreachableError
from td_currents_cli.events.json import loads
from td_currents_cli.model import Code, Problem
from td_currents_cli.patterns import pattern
from td_currents_cli.send.dead_letters import DeadLetter, scrubber
from td_currents_cli.send.endpoint import Endpoint
from td_currents_cli.send.payload import Payload, names_of
from td_currents_cli.send.retry import (
    BadAddress,
    ClientCertificateRejected,
    HttpResponse,
    NotConnected,
    ProxyRefused,
    RequestFailure,
    UnknownHost,
    UntrustedHost,
)

_EXCERPT: Final = 200  # maximum number of characters of a response that a message quotes
_ESCAPE: Final = pattern(r"\\u([0-9a-fA-F]{4})")
_WORD: Final = pattern(r"[^\s\"'<>(){}\[\],;:=]{4,}")  # what may be a value of the event that a response repeats


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
_NEVER_REACHED: Final = "Check the host and the port. To wait longer for the endpoint, give --retry-for, such as 15m."


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
        if self.endpoint.write_key is not None:
            hint = "Check the write key: --write-key-file, TD_WRITE_KEY, or the one in the URL."
        elif self.endpoint.token is not None:
            hint = "Check the token: --token-file or TDCUR_TOKEN."
        elif self.endpoint.takes_key:
            hint = "No write key was given: set TD_WRITE_KEY, or give --write-key-file FILE."
        else:
            hint = "No credentials were given: give --write-key-file FILE, or --token-file FILE."
        message = f"{shown} responded with {result.status}: it does not accept the credentials"
        return EndpointRefusedError(message, hint=hint)

    def refuses_everything(self, response: HttpResponse) -> TdcurError:
        """Explain that not even the connection test was accepted; `response` is the one to that."""
        return EndpointRefusedError(
            f"{self.endpoint.shown} responded with {response.status} to every request, even to the connection test,"
            f" which has no events{self._excerpt(response, EMPTY_PAYLOAD)}",
            hint="Check the URL: https or http, the host, the port, and the path. No event became a dead letter.",
        )

    def web_page(self, response: HttpResponse) -> str:
        return (
            f"warning: {self.endpoint.shown} responded with {response.status} and a web page (text/html), not with {{}}"
            " as Treasure Data does. Events count as delivered, but this may be the page of a login or a proxy:"
            " check the URL, and run `tdcur send --check-endpoint`"
        )

    def reason(self, result: HttpResponse | RequestFailure) -> str:
        """Return why a request failed, and at which address if there was no connection."""
        if isinstance(result, HttpResponse):
            return f"HTTP {result.status}"
        is_direct = isinstance(result, NotConnected) and "proxy" not in result.reason
        return f"{result.reason} ({self.endpoint.address})" if is_direct else result.reason

    def retries_exhausted(
        self, result: HttpResponse | RequestFailure, retry_for: float, *, asked: float, was_reached: bool
    ) -> TdcurError:
        """Explain that a payload was given up; `asked` are the seconds of `Retry-After` if they were too many."""
        last = f"last error: {self.reason(result)}"
        if asked:
            return UnreachableError(
                f"{self.endpoint.shown} asked for a pause of {_duration(asked)} (Retry-After), which is longer than"
                f" --retry-for allows ({_duration(retry_for)}); {last}",
                hint="Run the command again after that time, or allow a longer one with --retry-for.",
            )
        return UnreachableError(
            f"{self.endpoint.shown}: gave up after {_duration(retry_for)}; {last}",
            hint=_LATER if was_reached else _NEVER_REACHED,
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
