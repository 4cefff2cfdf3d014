"""What the endpoint said to the connection test, for people."""

from collections.abc import Iterator
from typing import Final

from rich.text import Text

from td_currents_cli.render import show_error
from td_currents_cli.render.terminal import Terminal
from td_currents_cli.send.probe import ConnectionTestOutcome

_NO_PROOF: Final = (
    "The endpoint can be reached and took the connection test. That does not prove the write key: Treasure Data "
    "answers 200 to a wrong one too. Send an event and read its row back to be sure."
)


def show_check(outcome: ConnectionTestOutcome, terminal: Terminal) -> None:
    """Print what was found to standard output, and what is wrong to standard error."""
    if outcome.error is not None:
        show_error(outcome.error, terminal)
    if not terminal.quiet:
        terminal.out.print(Text(f"checked {outcome.endpoint}"), soft_wrap=True)
        for name, value in _lines(outcome):
            terminal.out.print(Text(f"{name:<9}{value}"), soft_wrap=True)
    if outcome.error is None:
        terminal.say(_NO_PROOF)


def _lines(outcome: ConnectionTestOutcome) -> Iterator[tuple[str, str]]:
    yield "status", "no answer" if outcome.status is None else str(outcome.status)
    if outcome.latency_ms is not None:
        yield "latency", f"{outcome.latency_ms:,.1f} ms, with the connection made"
    if outcome.tls is not None:
        tls = outcome.tls
        yield "TLS", f"{tls.version}, certificate of {tls.issuer or 'nobody named'}, valid until {tls.expires:%Y-%m-%d}"
    elif outcome.endpoint.startswith("http:"):
        yield "TLS", "none: plain http"
