"""One run of `send`, from the request to the outcome."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, closing, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from td_currents_cli.errors import OutputError, TdcurError
from td_currents_cli.read import sources
from td_currents_cli.read.sources import Source
from td_currents_cli.send.beside import Beside, Plan, is_large
from td_currents_cli.send.clock import Clock
from td_currents_cli.send.delivery import Delivery
from td_currents_cli.send.endpoint import Destination, Endpoint, resolve
from td_currents_cli.send.explain import SendInterruptedError, SendTerminatedError, Words
from td_currents_cli.send.kept import Kept, reads
from td_currents_cli.send.outcome import SendOutcome
from td_currents_cli.send.pace import AUTO, Concurrency, Pace
from td_currents_cli.send.payload import Limits
from td_currents_cli.send.progress import Progress
from td_currents_cli.send.rehearsal import rehearsed
from td_currents_cli.send.result import outcome_of
from td_currents_cli.send.retry import Backoff
from td_currents_cli.send.sieve import Check, Sieve
from td_currents_cli.send.signals import handled
from td_currents_cli.send.state import Places, State, places
from td_currents_cli.send.tally import Tally
from td_currents_cli.send.within import Within

if TYPE_CHECKING:
    from td_currents_cli.send.client import Client

_BY_SIGNAL: Final[dict[signal.Signals, TdcurError]] = {
    signal.SIGINT: SendInterruptedError("interrupted: not everything was sent"),
    signal.SIGTERM: SendTerminatedError("terminated: not everything was sent"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What `send` is asked to do.

    Attributes:
        paths: inputs, as `read.sources` takes them.
        destination: where to.
        limits: how large a request may be.
        state: where the journal and the dead letters are.
        check: the rules that events have to keep to be sent; None to send all.
        concurrency: requests at once.
        rate: events a second, at most; None for as many as there can be.
        timeout: seconds for a connection, and for an answer.
        retry_for: seconds in which a payload is tried again after its first failure.
        dry_run: plan and count, send nothing.
    """

    paths: tuple[str, ...] = ()
    destination: Destination
    limits: Limits = field(default_factory=Limits)
    state: State = field(default_factory=State)
    check: Check | None = None
    concurrency: Concurrency = AUTO
    rate: float | None = None
    timeout: float = 30.0
    retry_for: float = 900.0
    dry_run: bool = False


def run(
    request: Request,
    *,
    environ: Mapping[str, str] = os.environ,
    clock: Clock | None = None,
    notice: Callable[[str], None] = lambda _: None,
    watch: Callable[[Callable[[], Progress]], None] = lambda _: None,
) -> SendOutcome:
    """Send what is read.

    Args:
        request: what to do.
        environ: for keys, tokens, TDCUR_URL and TDCUR_JOURNAL.
        clock: time and chance.
        notice: told what is odd, before the first request.
        watch: told once what tells how far the run is, at any moment and from any thread.

    Raises:
        UsageError: settings that cannot work.
        InputError: an input that cannot be found.
        OutputError: the journal or the dead letters cannot be written. Nothing has been sent in any of these cases.
    """
    endpoint = resolve(request.destination, environ)
    if not request.dry_run:
        endpoint.require_credentials()
    where = places(request.state, endpoint, environ)
    inputs = sources(request.paths)
    clock = clock or Clock()
    with (
        _beside(request, inputs, where) as beside,
        closing(Kept(where, endpoint, clock, inputs=inputs, is_rehearsal=request.dry_run)) as kept,
    ):
        for warning in (*endpoint.warnings, *kept.warnings):
            notice(warning)
        if request.dry_run:
            return rehearsed(_within(request, inputs, kept), endpoint, kept)
        plan = _plan(request, inputs, kept, beside)
        client, delivery = _line(request, endpoint, kept, clock)
        watch(lambda: delivery.tally.progress(settled(plan.share, plan, delivery.tally)))
        begun = clock.now()
        asyncio.run(_deliver(delivery, client, plan, kept, ahead=min(request.concurrency.most, _AHEAD)))
        return outcome_of(plan, delivery, endpoint, kept, seconds=clock.now() - begun)


def _beside(
    request: Request, inputs: Sequence[Source], where: Places
) -> "closing[Beside] | AbstractContextManager[None]":
    """Another process that plans, where it would help. What the run itself adds to the input, only this one sees."""
    if not request.dry_run and is_large(inputs) and not reads(inputs, where.dead_letter):
        with suppress(OSError):
            sieve = Sieve(check=request.check, has_journal=where.journal is not None)
            return closing(Beside(inputs, request.limits, sieve))
    return nullcontext()


def _plan(request: Request, inputs: Sequence[Source], kept: Kept, beside: Beside | None) -> Plan:
    """That of another process only where nothing was delivered before: the journal, which tells what was, is here."""
    if beside is not None and (request.state.resend or kept.journal is None or not kept.journal.knows_any):
        return beside
    if beside is not None:
        beside.close()
    return _within(request, inputs, kept)


def _within(request: Request, inputs: Sequence[Source], kept: Kept) -> Within:
    ledger = None if request.state.resend else kept.journal
    sieve = Sieve(ledger=ledger, check=request.check, has_journal=kept.journal is not None)
    return Within(inputs, request.limits, sieve)


def settled(read: float | None, plan: Plan, tally: Tally) -> float | None:
    """Of the input, what has found its place, where `read` of it has been read."""
    if read is None or not plan.read:
        return read
    settled = plan.already_delivered + tally.delivered + tally.dead + tally.undelivered
    return read * min(1.0, settled / plan.read)


_AHEAD: Final = 16
"""Payloads that may have been read and wait to be sent: more would only take memory."""


def _line(request: Request, endpoint: Endpoint, kept: Kept, clock: Clock) -> tuple["Client", Delivery]:
    from td_currents_cli.send.client import Client  # noqa: PLC0415 -- heavy; a dry run does without

    client = Client(endpoint, concurrency=request.concurrency.most, timeout=request.timeout)
    backoff = Backoff(retry_for=request.retry_for, uniform=clock.uniform)
    delivery = Delivery(
        client,
        backoff=backoff,
        words=Words(endpoint),
        clock=clock,
        pace=Pace(request.concurrency, clock=clock, rate=request.rate),
        note=kept.note,
        bury=kept.bury,
    )
    return client, delivery


async def _deliver(delivery: Delivery, client: "Client", plan: Plan, kept: Kept, *, ahead: int) -> None:
    # From the outside in: signals are caught until all is on disk, and what cannot be written there stops the line.
    with handled(lambda signal_: delivery.interrupt(_BY_SIGNAL[signal_])), _stopping(delivery), closing(kept):
        async with client, _committing(delivery, kept):
            with plan.feed(ahead=ahead) as feed:
                await delivery.run(feed)


@contextmanager
def _stopping(delivery: Delivery) -> Iterator[None]:
    """Where something cannot be kept, or it cannot be told what was, the line stops; the outcome says why."""
    try:
        yield
    except OutputError as error:
        delivery.halt(error)


@asynccontextmanager
async def _committing(delivery: Delivery, kept: Kept) -> AsyncIterator[None]:
    """See meanwhile that what is delivered is on disk soon."""

    async def regularly() -> None:
        with _stopping(delivery):
            await kept.keep_committing()

    task = asyncio.create_task(regularly())
    try:
        yield
    finally:
        task.cancel()
