"""The outcome of `send` for people."""

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from rich.text import Text

from td_currents_cli.render import show_error
from td_currents_cli.render.problems import show_problems
from td_currents_cli.render.send_check import show_check
from td_currents_cli.render.terminal import Terminal, printable
from td_currents_cli.send.probe import ConnectionTestOutcome
from td_currents_cli.send.result import SendOutcome

if TYPE_CHECKING:
    from td_currents_cli.verify.sent import SendVerifyOutcome

_RECEIPT: Final = (
    "A 2XX answer proves receipt, not ingestion: Treasure Data checks the write key afterwards. "
    "Read the rows back to be sure."
)


def text(outcome: "SendOutcome | ConnectionTestOutcome | SendVerifyOutcome", terminal: Terminal) -> None:
    """Print the figures to standard output, and what went wrong to standard error."""
    if isinstance(outcome, ConnectionTestOutcome):
        show_check(outcome, terminal)
    elif isinstance(outcome, SendOutcome):
        _sent(outcome, terminal, (_RECEIPT,) if outcome.delivered else ())
    else:
        from td_currents_cli.render.verify import text as show_verified  # noqa: PLC0415 -- few ask for it

        _sent(cast("SendOutcome", outcome.sent), terminal, ())
        show_verified(outcome.verified, terminal)


def _sent(outcome: SendOutcome, terminal: Terminal, proof: Sequence[str]) -> None:
    show_problems(outcome.problems, terminal)
    if outcome.error is not None:
        show_error(outcome.error, terminal)
    if not terminal.quiet:
        terminal.out.print(Text(f"{_heading(outcome)} {outcome.endpoint}"), soft_wrap=True)
        terminal.out.print(Text(_figures(outcome)), soft_wrap=True)
        if outcome.first_request is not None:
            lines = map(printable, outcome.first_request.split("\n"))
            terminal.out.print(Text("\n".join(["the first request:", *lines])), soft_wrap=True)
    for remark in (*_remarks(outcome), *proof):
        terminal.say(remark)


def _heading(outcome: SendOutcome) -> str:
    if outcome.dry_run:
        return "would send to"
    if outcome.delivered:
        return "sent to"
    return "nothing delivered to" if outcome.undelivered or outcome.dead else "nothing new for"


def _figures(outcome: SendOutcome) -> str:
    lines = list(_lines(outcome))
    names = max(len(name) for name, _, _ in lines)
    numbers = max(len(number) for _, number, _ in lines)
    return "\n".join(f"{name:<{names}}  {number:>{numbers}}  {remark}".rstrip() for name, number, remark in lines)


def _lines(outcome: SendOutcome) -> Iterator[tuple[str, str, str]]:
    yield "events read", f"{outcome.read:,}", "" if outcome.input_exhausted else "the input was not read to its end"
    if outcome.already_delivered:
        yield "already delivered", f"{outcome.already_delivered:,}", "by earlier runs; --resend sends them again"
    if outcome.dry_run:
        if outcome.dead:
            yield "to be refused", f"{outcome.dead:,}", "they would become dead letters; --no-check sends them"
        yield "to be sent", f"{outcome.undelivered:,}", ""
        yield "requests", f"{outcome.requests:,}", ""
        yield "bytes", f"{outcome.bytes:,}", ""
        return
    statuses = ", ".join(f"{status}: {count:,}" for status, count in outcome.requests_by_status.items())
    yield "delivered", f"{outcome.delivered:,}", ""
    if outcome.dead:
        yield "dead letters", f"{outcome.dead:,}", f"in {printable(str(outcome.dead_letter))}"
    yield "undelivered", f"{outcome.undelivered:,}", ""
    if outcome.unknown_events:
        yield "unknown", f"{outcome.unknown_events:,}", "may be stored twice, or stored without an answer"
    yield "requests", f"{outcome.requests:,}", statuses
    yield "retries", f"{outcome.retries:,}", ""
    if outcome.splits:
        yield "splits", f"{outcome.splits:,}", "requests that were refused and sent again in parts"
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
            "Unknown: the request may have arrived although no answer came. --format json lists the event ids. "
            "Treasure Data does not de-duplicate by itself; this query does, on the id of the event:\n"
            f"{outcome.deduplicate_sql}"
        )
    if outcome.dead and not outcome.dry_run:
        yield f"Dead letters say why. Mend what is wrong and send them: tdcur send {_quoted(outcome.dead_letter)}"
    if outcome.resume:
        yield outcome.resume


def _quoted(path: Path | None) -> str:
    return shlex.quote(printable(str(path)))
