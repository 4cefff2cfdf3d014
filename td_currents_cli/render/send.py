"""The outcome of `send` for people, and how far it is while it runs."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from rich.text import Text

from td_currents_cli.render import show_error
from td_currents_cli.render.problems import show_problems
from td_currents_cli.render.terminal import Terminal
from td_currents_cli.send.outcome import SendOutcome
from td_currents_cli.send.tally import Progress

_RECEIPT: Final = (
    "A 2XX answer proves receipt, not ingestion: Treasure Data checks the write key afterwards. "
    "Read the rows back to be sure."
)


def text(outcome: SendOutcome, terminal: Terminal) -> None:
    """Print the figures to standard output, and what went wrong to standard error."""
    show_problems(outcome.problems, terminal)
    if outcome.error is not None:
        show_error(outcome.error, terminal)
    if not terminal.quiet:
        terminal.out.print(Text(f"{_heading(outcome)} {outcome.endpoint}"), soft_wrap=True)
        terminal.out.print(Text(_figures(outcome)), soft_wrap=True)
    for remark in _remarks(outcome):
        terminal.say(remark)


def _heading(outcome: SendOutcome) -> str:
    if outcome.dry_run:
        return "would send to"
    return "sent to" if outcome.delivered else "nothing delivered to"


def _figures(outcome: SendOutcome) -> str:
    lines = list(_lines(outcome))
    names = max(len(name) for name, _, _ in lines)
    numbers = max(len(number) for _, number, _ in lines)
    return "\n".join(f"{name:<{names}}  {number:>{numbers}}  {remark}".rstrip() for name, number, remark in lines)


def _lines(outcome: SendOutcome) -> Iterator[tuple[str, str, str]]:
    yield "events read", f"{outcome.read:,}", "" if outcome.input_exhausted else "the input was not read to its end"
    if outcome.dry_run:
        yield "requests", f"{outcome.requests:,}", ""
        yield "bytes", f"{outcome.bytes:,}", ""
        return
    statuses = ", ".join(f"{status}: {count:,}" for status, count in outcome.requests_by_status.items())
    yield "delivered", f"{outcome.delivered:,}", ""
    yield "undelivered", f"{outcome.undelivered:,}", ""
    if outcome.unknown_events:
        yield "unknown", f"{outcome.unknown_events:,}", "may be stored twice, or stored without an answer"
    yield "requests", f"{outcome.requests:,}", statuses
    yield "retries", f"{outcome.retries:,}", ""
    rate = (
        f"{outcome.delivered / outcome.seconds:,.0f} events a second" if outcome.delivered and outcome.seconds else ""
    )
    yield "bytes", f"{outcome.bytes:,}", ""
    yield "seconds", f"{outcome.seconds:,.1f}", rate
    if outcome.latency_ms.get("p50") is not None:
        percentiles = " / ".join(f"{value:,.1f}" for value in outcome.latency_ms.values())
        yield "latency", percentiles, "ms (p50 / p95 / p99)"


def _remarks(outcome: SendOutcome) -> Iterator[str]:
    if not outcome.is_balanced:
        yield "these figures do not balance: this is a defect of tdcur, please report it"
    if outcome.unknown_events:
        yield (
            "Unknown: the request may have arrived although no answer came. --format json lists the event ids; "
            "Treasure Data does not de-duplicate by itself, a query can, on the id of the event."
        )
    if outcome.delivered:
        yield _RECEIPT


@contextmanager
def progress(terminal: Terminal) -> Iterator[Callable[[Progress], None]]:
    """A function that shows how far a run is, on a terminal; elsewhere it does nothing."""
    if terminal.quiet or not terminal.err.is_terminal:
        yield lambda _: None
        return
    with terminal.err.status("connecting …") as status:

        def show(now: Progress) -> None:
            status.update(
                f"{now.delivered:,} events delivered, {now.bytes / 1e6:,.1f} MB, "
                f"{now.requests:,} requests, {now.in_flight} in flight, {now.retries:,} retries"
            )

        yield show
