"""The result of the connection test, for people."""

from collections.abc import Iterator
from typing import Final

from td_currents_cli.render import print_error
from td_currents_cli.render.terminal import Terminal, print_wrapped
from td_currents_cli.send.connection_test import ConnectionTestOutcome

_KEY_NOT_PROVED: Final = (
    "The endpoint is reachable and accepted the connection test. This does not prove that the write key is valid: "
    "Treasure Data also returns 200 for a wrong key. Send an event and run `tdcur verify` to confirm."
)


def print_check(outcome: ConnectionTestOutcome, terminal: Terminal) -> None:
    """Print the result to standard output, and errors to standard error."""
    if outcome.error is not None:
        print_error(outcome.error, terminal)
    if not terminal.quiet:
        print_wrapped(terminal.out, f"checked {outcome.endpoint}")
        for name, value in _check_lines(outcome):
            print_wrapped(terminal.out, f"{name:<9}{value}")
    if outcome.error is None:
        terminal.report(_KEY_NOT_PROVED)


def _check_lines(outcome: ConnectionTestOutcome) -> Iterator[tuple[str, str]]:
    yield "status", "no response" if outcome.status is None else str(outcome.status)
    if outcome.latency_ms is not None:
        yield "latency", f"{outcome.latency_ms:,.1f} ms, including the connection"
    if outcome.tls is not None:
        tls = outcome.tls
        issuer = tls.issuer or "an unnamed issuer"
        yield "TLS", f"{tls.version}, certificate issued by {issuer}, valid until {tls.expires:%Y-%m-%d}"
    elif outcome.endpoint.startswith("http:"):
        yield "TLS", "none: plain HTTP"
