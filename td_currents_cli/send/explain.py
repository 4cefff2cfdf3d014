"""What to say about an endpoint that does not take what it is sent: what, where, why, and which setting to look at."""

from dataclasses import dataclass
from typing import Final

from td_currents_cli.codes import Code
from td_currents_cli.errors import EndpointRefusedError, ExitCode, TdcurError, UnreachableError
from td_currents_cli.model import Problem
from td_currents_cli.send.answers import (
    Answer,
    BadAddress,
    Failure,
    ProxyRefused,
    UnknownHost,
    UntrustedHost,
    Unwelcome,
)
from td_currents_cli.send.dead_letter import DeadLetter
from td_currents_cli.send.endpoint import Endpoint
from td_currents_cli.send.payload import Payload, names_of


class SendInterruptedError(TdcurError):
    """Ctrl-C: the run stopped with what it had done."""

    exit_code = ExitCode.INTERRUPTED


class SendTerminatedError(TdcurError):
    """SIGTERM: the run stopped with what it had done."""

    exit_code = ExitCode.TERMINATED


_HOPELESS: Final[dict[type[Failure], str]] = {
    UnknownHost: "Check the host in --url or --site, and whether this machine is on a network.",
    UntrustedHost: "Check the URL. Where a company signs certificates itself, give its authority with --cacert or "
    "SSL_CERT_FILE.",
    Unwelcome: "Give the client certificate that it expects with --client-cert and --client-key.",
    ProxyRefused: "Check https_proxy, with user name and password if the proxy asks for them, and no_proxy.",
    BadAddress: "Check the URL.",
}
_ADDRESS: Final = "Check --site, --database and --table, or the URL."
_LATER: Final = "Run the command again when the endpoint is back, or give it longer with --retry-for."


@dataclass(frozen=True, slots=True)
class Words:
    """Messages about one endpoint."""

    endpoint: Endpoint

    def stopped(self, result: Answer | Failure) -> TdcurError:
        """Why the line stops at once."""
        shown = self.endpoint.shown
        if isinstance(result, Failure):
            return UnreachableError(f"{shown}: {result.reason}", hint=_HOPELESS.get(type(result), _LATER))
        if result.status == 404:
            return EndpointRefusedError(f"{shown} answered 404: there is nothing at this URL", hint=_ADDRESS)
        if result.status < 400:
            target = result.redirect_host or "another URL"
            return EndpointRefusedError(
                f"{shown} answered {result.status}: a redirect to {target}",
                hint="Redirects are never followed. Give the final URL with --url.",
            )
        return EndpointRefusedError(
            f"{shown} answered {result.status}: it does not accept the credentials", hint=self._credentials()
        )

    def exhausted(self, result: Answer | Failure) -> TdcurError:
        """Why there are no more retries."""
        last = result.reason if isinstance(result, Failure) else f"answered {result.status}"
        return UnreachableError(f"{self.endpoint.shown}: retries ran out; at last: {last}", hint=_LATER)

    def dead(self, payload: Payload, answer: Answer, *, attempts: int) -> DeadLetter:
        """The only event of this payload as a dead letter: it got 400 or 413, and there is nothing left to split."""
        event, origin = payload.event_texts()[0], payload.origins[0]
        event_id, event_type = names_of(event)
        problem = Problem(
            code=Code.BATCH_REFUSED,
            location=origin.location,
            message=f"the endpoint answered {answer.status} to event {origin.first} by itself"
            f" ({len(payload.body):,} bytes)",
            event_index=origin.first,
            event_id=event_id,
            event_type=event_type,
            hint="It is larger than the endpoint takes."
            if answer.status == 413
            else "Something in it is not what the endpoint takes: the dead letter holds its answer.",
        )
        return DeadLetter(
            event=event,
            location=origin.location,
            event_index=origin.first,
            problems=(problem,),
            status=answer.status,
            response=answer.text,
            is_cut=answer.is_cut,
            attempts=attempts,
        )

    def _credentials(self) -> str:
        if self.endpoint.write_key is not None:
            return "Check the write key: --write-key-file, TD_WRITE_KEY, or the one in the URL."
        if self.endpoint.token is not None:
            return "Check the token: --token-file or TDCUR_TOKEN."
        return "None were given: give --write-key-file or --token-file."
