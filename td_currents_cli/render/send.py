"""The outcome of `send` for people."""

import shlex
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, cast

from td_currents_cli.errors import ExitCode, TdcurError
from td_currents_cli.model import UNREADABLE_CODES
from td_currents_cli.render.terminal import (
    Terminal,
    amount,
    print_error,
    print_problems,
    print_unwrapped,
    print_wrapped,
    printable,
    write_unmasked,
)
from td_currents_cli.send.braze_url import BrazeUrlOutcome
from td_currents_cli.send.connection_test import ConnectionTestOutcome
from td_currents_cli.send.messages import SendInterruptedError, SendTerminatedError
from td_currents_cli.send.result import SendOutcome

if TYPE_CHECKING:
    from td_currents_cli.verify import SendVerifyOutcome


_KEY_NOT_PROVED: Final = (
    "The endpoint is reachable and accepted the connection test. This does not prove that the write key is valid: "
    "Treasure Data also returns 200 for a wrong key. Send an event and run `tdcur verify` to confirm."
)

_NO_HEADER: Final = "Braze sends no header with a write key: it needs the URL of a v1 host, with the key in it."
_HIDDEN_KEY: Final = "the write key is hidden; --show-key prints it"


def print_check(outcome: ConnectionTestOutcome, terminal: Terminal) -> None:
    """Print the result to standard output, and errors to standard error."""
    if outcome.error is not None:
        print_error(outcome.error, terminal)
    if not terminal.quiet:
        print_wrapped(terminal.out, f"checked {outcome.endpoint}")
        for name, value in _check_lines(outcome):
            print_wrapped(terminal.out, f"{name:<9}{value}")
        if outcome.braze_url is not None:
            terminal.report(_NO_HEADER)
            write_unmasked(f"Braze URL  {outcome.braze_url}")
    if outcome.error is None:
        terminal.report(_KEY_NOT_PROVED)


def _check_lines(outcome: ConnectionTestOutcome) -> Iterator[tuple[str, str]]:
    for request in outcome.requests:
        yield "as", request.sender
        yield "status", "no response" if request.status is None else str(request.status)
        if request.latency_ms is not None:
            yield "latency", f"{request.latency_ms:,.1f} ms, including the connection"
    if outcome.tls is not None:
        tls = outcome.tls
        issuer = tls.issuer or "an unnamed issuer"
        yield "TLS", f"{tls.version}, certificate issued by {issuer}, valid until {tls.expires:%Y-%m-%d}"
    elif outcome.endpoint.startswith("http:"):
        yield "TLS", "none: plain HTTP"


def print_braze_url(outcome: BrazeUrlOutcome, terminal: Terminal) -> None:
    """Print the URL alone, so that it can be piped to the clipboard."""
    write_unmasked(outcome.url)
    if not outcome.has_key:
        terminal.report(_HIDDEN_KEY)


_RECEIVED_ONLY: Final = (
    "HTTP 2xx only means that the request was received; `tdcur verify` confirms that the events were stored."
)


def print_sent(outcome: "SendOutcome | ConnectionTestOutcome | SendVerifyOutcome", terminal: Terminal) -> None:
    """Print the figures to standard output, and errors and advice to standard error."""
    if isinstance(outcome, ConnectionTestOutcome):
        print_check(outcome, terminal)
    elif isinstance(outcome, SendOutcome):
        _print_run(outcome, terminal)
        if outcome.delivered and not _is_interrupted(outcome):
            terminal.report(_RECEIVED_ONLY)
    else:
        from td_currents_cli.render.reconcile import print_verification  # noqa: PLC0415 -- only with --verify

        _print_run(cast("SendOutcome", outcome.sent), terminal)
        print_verification(outcome.verified, terminal)


def _print_run(outcome: SendOutcome, terminal: Terminal) -> None:
    print_problems(outcome.problems, terminal)
    is_interrupted = _is_interrupted(outcome)
    if outcome.error is not None:
        print_error(_interruption(outcome, outcome.error) if is_interrupted else outcome.error, terminal)
    if not terminal.quiet and not terminal.verbose and _is_smooth(outcome):
        for line, style in _short_lines(outcome):
            print_wrapped(terminal.out, line, style)
    elif not terminal.quiet and (terminal.verbose or not is_interrupted):
        print_wrapped(terminal.out, f"{_heading(outcome)} {outcome.endpoint}")
        print_wrapped(terminal.out, _figures(outcome))
        if outcome.first_request is not None:
            request = map(printable, outcome.first_request.split("\n"))
            print_unwrapped(terminal.out, "\n".join(["the first request:", *request]))
    for advice, *lines in _advice(outcome):
        terminal.report(advice)
        for line in () if terminal.quiet else lines:
            print_unwrapped(terminal.err, f"  {line}")


def _is_interrupted(outcome: SendOutcome) -> bool:
    return isinstance(outcome.error, SendInterruptedError | SendTerminatedError)


def _is_smooth(outcome: SendOutcome) -> bool:
    """Whether there is nothing to explain."""
    is_complete = outcome.input_exhausted and outcome.is_balanced and not outcome.unknown_events
    is_good = outcome.exit_code is ExitCode.OK and not outcome.problems.total
    return is_good and is_complete and not outcome.dry_run


def _short_lines(outcome: SendOutcome) -> Iterator[tuple[str, str]]:
    """Yield the lines of a run in which everything was delivered, with their styles."""
    if outcome.delivered:
        retries = f" ({amount(outcome.retries, 'retry', 'retries')})" if outcome.retries else ""
        rate = f", {outcome.delivered / outcome.seconds:,.0f} events/s" if outcome.seconds else ""
        requests = f"{amount(outcome.requests, 'request')}{retries}"
        line = f"delivered {amount(outcome.delivered, 'event')} in {requests}, {outcome.seconds:,.1f} s{rate}"
        yield line, "green"
    else:
        yield f"{_heading(outcome)} {outcome.endpoint}", ""
    if outcome.already_delivered:
        already = amount(outcome.already_delivered, "event")
        yield f"{already} already delivered by earlier runs; --resend sends them again", ""
    if outcome.left_out:
        yield f"{amount(outcome.left_out, 'event')} without external_user_id left out", ""


def _interruption(outcome: SendOutcome, error: TdcurError) -> TdcurError:
    """Return the error of an interrupted run, with what was and was not sent."""
    parts = [f"{amount(outcome.delivered, 'event')} delivered"]
    parts += [f"{outcome.already_delivered:,} already delivered by earlier runs"] * bool(outcome.already_delivered)
    parts += [amount(outcome.dead, "dead letter")] * bool(outcome.dead)
    doubt = f" ({outcome.unknown_events:,} may have arrived)" if outcome.unknown_events else ""
    parts += [f"{outcome.undelivered:,} not delivered{doubt}"] * bool(outcome.undelivered)
    parts += ["the rest of the input was not read"] * (not outcome.input_exhausted)
    return type(error)(f"{error.message.partition(':')[0]}: {', '.join(parts)}")


def _heading(outcome: SendOutcome) -> str:
    if outcome.dry_run:
        return "would send to" if outcome.undelivered else "would send nothing to"
    if outcome.delivered:
        return "sent to"
    # Nothing is new only where all of the input could be read.
    is_known = outcome.input_exhausted and not (outcome.undelivered or outcome.dead or outcome.problems.errors)
    return "nothing new for" if is_known and not outcome.error else "nothing delivered to"


def _figures(outcome: SendOutcome) -> str:
    lines = list(_figure_lines(outcome))
    names = max(len(name) for name, _, _ in lines)
    numbers = max(len(number) for _, number, _ in lines)
    return "\n".join(f"{name:<{names}}  {number:>{numbers}}  {note}".rstrip() for name, number, note in lines)


def _figure_lines(outcome: SendOutcome) -> Iterator[tuple[str, str, str]]:
    yield "events read", f"{outcome.read:,}", "" if outcome.input_exhausted else "the input was not read to its end"
    if outcome.problems.unreadable:
        yield "unreadable", f"{outcome.problems.unreadable:,}", f"not read to the end: {_unreadable_names(outcome)}"
    if outcome.rows_rejected:
        yield "rejected rows", f"{outcome.rows_rejected:,}", "documents or rows without readable events; see above"
    yield from _skipped_lines(outcome)
    if outcome.dry_run:
        if outcome.dead:
            yield "rejected", f"{outcome.dead:,}", "would become dead letters; --no-check sends them"
        yield "to be sent", f"{outcome.undelivered:,}", ""
        yield "requests", f"{outcome.requests:,}", ""
        yield "bytes", f"{outcome.bytes:,}", ""
        return
    statuses = ", ".join(f"{status}: {count:,}" for status, count in outcome.requests_by_status.items())
    yield "delivered", f"{outcome.delivered:,}", ""
    if outcome.dead:
        yield "dead letters", f"{outcome.dead:,}", ""
    yield "undelivered", f"{outcome.undelivered:,}", ""
    if outcome.unknown_events:
        yield "ambiguous", f"{outcome.unknown_events:,}", "may have arrived, or arrived twice"
    yield "requests", f"{outcome.requests:,}", statuses
    yield "retries", f"{outcome.retries:,}", ""
    if outcome.splits:
        yield "splits", f"{outcome.splits:,}", "rejected requests that were sent again in smaller requests"
    rate = f"{outcome.delivered / outcome.seconds:,.0f} events/s" if outcome.delivered and outcome.seconds else ""
    yield "bytes", f"{outcome.bytes:,}", ""
    yield "seconds", f"{outcome.seconds:,.1f}", rate
    if outcome.latency_ms.get("p50") is not None:
        percentiles = " / ".join(f"{value:,.1f}" for value in outcome.latency_ms.values())
        yield "latency", percentiles, "ms (p50 / p95 / p99)"


_NAMED: Final = 3  # unreadable inputs that are named


def _unreadable_names(outcome: SendOutcome) -> str:
    names = [each.location.source for each in outcome.problems.kept if each.code in UNREADABLE_CODES]
    more = ", …" if outcome.problems.unreadable > _NAMED else ""
    return ", ".join(map(printable, names[:_NAMED])) + more


def _skipped_lines(outcome: SendOutcome) -> Iterator[tuple[str, str, str]]:
    if outcome.already_delivered:
        yield "already delivered", f"{outcome.already_delivered:,}", "by earlier runs; --resend sends them again"
    if outcome.left_out:
        yield "left out", f"{outcome.left_out:,}", "without external_user_id (--identified-only)"


_AMBIGUOUS: Final = (
    "Ambiguous: the request may have arrived although there was no response. --format json lists the event ids. "
    "Treasure Data does not remove duplicates; this query does, by event id:"
)


def _advice(outcome: SendOutcome) -> Iterator[tuple[str, *tuple[str, ...]]]:
    """Yield what to do, each with lines to copy."""
    if not outcome.is_balanced:
        yield ("These figures do not balance. This is a defect of tdcur; please report it.",)
    if outcome.unknown_events:
        yield (
            _AMBIGUOUS,
            *(outcome.deduplicate_sql or "").splitlines(),
        )
    if outcome.dead and not outcome.dry_run:
        file = shlex.quote(printable(str(outcome.dead_letter)))
        where = "" if "***" in outcome.endpoint else f" --url {shlex.quote(outcome.endpoint)}"
        yield (
            "The dead-letter file gives the reason for each event. Fix a copy of it, and send that:",
            f"tdcur send {file}{where}",
        )
    if outcome.anonymous:
        events = amount(outcome.anonymous, "event")
        yield (f"{events} without external_user_id, which Braze does not send; --identified-only leaves them out.",)
    if outcome.resume:
        yield (outcome.resume,)
    if outcome.dry_run and not outcome.undelivered:
        yield (f"Nothing would be sent: {_why_nothing(outcome)}.",)


def _why_nothing(outcome: SendOutcome) -> str:
    if not outcome.read:
        errors = outcome.problems.errors
        return f"no events could be read ({amount(errors, 'error')})" if errors else "the input has no events"
    if outcome.left_out == outcome.read:
        return "no user has an external_user_id"
    if not outcome.dead:
        return "all events are already delivered"
    return f"all events {'are already delivered or ' * bool(outcome.already_delivered)}break a rule of `validate`"
