"""One run of `send`, from the request to the outcome."""

import asyncio
import os
import signal
from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from td_currents_cli.errors import TdcurError
from td_currents_cli.read import records, sources
from td_currents_cli.send.clock import Clock
from td_currents_cli.send.delivery import Delivery
from td_currents_cli.send.endpoint import Destination, Endpoint, resolve
from td_currents_cli.send.explain import SendInterruptedError, SendTerminatedError, Words
from td_currents_cli.send.feed import Feed
from td_currents_cli.send.outcome import SendOutcome, exit_code_of
from td_currents_cli.send.plan import Limits, Payload, Planned, Planner, Unsendable
from td_currents_cli.send.retry import Backoff
from td_currents_cli.send.signals import handled
from td_currents_cli.send.tally import Progress, Tally

if TYPE_CHECKING:
    from td_currents_cli.send.client import Client

_AGAIN: Final = "The same command sends everything again, also what was delivered."
_BY_SIGNAL: Final[dict[signal.Signals, TdcurError]] = {
    signal.SIGINT: SendInterruptedError("interrupted: not everything was sent", hint=_AGAIN),
    signal.SIGTERM: SendTerminatedError("terminated: not everything was sent", hint=_AGAIN),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What `send` is asked to do.

    Attributes:
        paths: inputs, as `read.sources` takes them.
        destination: where to.
        limits: how large a request may be.
        concurrency: requests at once.
        timeout: seconds for a connection, and for an answer.
        retry_for: seconds in which a payload is tried again after its first failure.
        dry_run: plan and count, send nothing.
    """

    paths: tuple[str, ...] = ()
    destination: Destination
    limits: Limits = field(default_factory=Limits)
    concurrency: int = 8
    timeout: float = 30.0
    retry_for: float = 900.0
    dry_run: bool = False


def run(
    request: Request,
    *,
    environ: Mapping[str, str] = os.environ,
    clock: Clock | None = None,
    notice: Callable[[str], None] = lambda _: None,
    progress: Callable[[Progress], None] = lambda _: None,
) -> SendOutcome:
    """Send what is read.

    Args:
        request: what to do.
        environ: for keys, tokens and TDCUR_URL.
        clock: time and chance.
        notice: told what is odd, before the first request.
        progress: told how far the run is, after each request.

    Raises:
        UsageError: settings that cannot work.
        InputError: an input that cannot be found. Nothing has been sent in either case.
    """
    endpoint = resolve(request.destination, environ)
    if not request.dry_run:
        endpoint.require_credentials()
    inputs = sources(request.paths)
    for warning in endpoint.warnings:
        notice(warning)
    planner = Planner(request.limits)
    planned = planner.plan(records(inputs))
    clock = clock or Clock()
    begun = clock.now()
    if request.dry_run:
        return _rehearsed(planner, planned, endpoint)
    from td_currents_cli.send.client import Client  # noqa: PLC0415 -- heavy; a dry run does without

    client = Client(endpoint, concurrency=request.concurrency, timeout=request.timeout)
    backoff = Backoff(retry_for=request.retry_for, uniform=clock.uniform)
    delivery = Delivery(client, backoff=backoff, words=Words(endpoint), clock=clock, progress=progress)
    feed = asyncio.run(_deliver(delivery, client, planned, request.concurrency))
    return _sent(planner, delivery, feed, endpoint, seconds=clock.now() - begun)


def _sent(planner: Planner, delivery: Delivery, feed: Feed, endpoint: Endpoint, *, seconds: float) -> SendOutcome:
    tally, problems = delivery.tally, delivery.tally.problems()
    # A line that was stopped leaves events behind that no worker has seen; otherwise each has to be accounted for.
    undelivered = planner.read - tally.delivered if delivery.is_stopped else tally.undelivered
    is_complete = planner.read == tally.delivered and not undelivered
    return SendOutcome(
        problems=problems,
        exit_code=exit_code_of(delivery.error, is_complete=is_complete, problems=problems),
        endpoint=endpoint.shown,
        read=planner.read,
        delivered=tally.delivered,
        undelivered=undelivered,
        unknown=tuple(tally.unknown),
        unknown_events=tally.unknown_events,
        requests=tally.requests,
        retries=tally.retries,
        requests_by_status=dict(sorted(tally.by_status.items())),
        bytes=tally.bytes,
        seconds=round(seconds, 3),
        latency_ms={name: tally.latencies.milliseconds(share) for name, share in _PERCENTILES},
        warnings=endpoint.warnings,
        error=delivery.error,
        input_exhausted=feed.is_exhausted,
    )


_PERCENTILES: Final = (("p50", 0.50), ("p95", 0.95), ("p99", 0.99))


async def _deliver(delivery: Delivery, client: "Client", planned: Generator[Planned], concurrency: int) -> Feed:
    with handled(lambda signal_: delivery.interrupt(_BY_SIGNAL[signal_])):
        async with client:
            with Feed(planned, ahead=concurrency) as feed:
                await delivery.run(feed, concurrency=concurrency)
    return feed


def _rehearsed(planner: Planner, planned: Iterable[Planned], endpoint: Endpoint) -> SendOutcome:
    """The outcome of a dry run: the requests that would be made. All events stay undelivered."""
    tally = Tally()
    requests = size = 0
    for item in planned:
        if isinstance(item, Payload):
            requests += 1
            size += len(item.body)
        elif isinstance(item, Unsendable):
            tally.unsendable(item.problem)
        else:
            tally.problem(item)
    problems = tally.problems()
    return SendOutcome(
        problems=problems,
        exit_code=exit_code_of(None, is_complete=not tally.undelivered, problems=problems),
        endpoint=endpoint.shown,
        dry_run=True,
        read=planner.read,
        undelivered=planner.read,
        requests=requests,
        bytes=size,
        warnings=endpoint.warnings,
        latency_ms=dict.fromkeys(name for name, _ in _PERCENTILES),
    )
