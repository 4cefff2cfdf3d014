"""One run of `send`, from the request to the outcome."""

import asyncio
import os
import shlex
import signal
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import aclosing, closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from td_currents_cli.errors import DefectError, TdcurError
from td_currents_cli.progress import Gauge
from td_currents_cli.read import records, sources
from td_currents_cli.read.options import MAX_DOCUMENT_SIZE
from td_currents_cli.read.sources import InputProgress
from td_currents_cli.secrets import redact
from td_currents_cli.send.batching import Planner
from td_currents_cli.send.concurrency import AUTO, Concurrency, RequestLimiter
from td_currents_cli.send.dead_letters import DeadLetter
from td_currents_cli.send.destination import Destination
from td_currents_cli.send.endpoint import KEY_HEADER, Endpoint, resolve
from td_currents_cli.send.messages import Messages, SendInterruptedError, SendTerminatedError
from td_currents_cli.send.payload import Payload, PayloadLimits, Planned
from td_currents_cli.send.prefilter import EventChecker, SendFilter
from td_currents_cli.send.queue import PayloadQueue
from td_currents_cli.send.result import SendOutcome, outcome_of
from td_currents_cli.send.retry import Clock, RetrySchedule
from td_currents_cli.send.sender import Sender
from td_currents_cli.send.state import RunState, StateOptions, state_files
from td_currents_cli.send.stats import SendStats

if TYPE_CHECKING:
    from td_currents_cli.send.http import HttpxClient

_AHEAD: Final = 16  # maximum number of payloads that have been read and wait to be sent: more would only take memory

_BY_SIGNAL: Final[dict[signal.Signals, TdcurError]] = {
    signal.SIGINT: SendInterruptedError("interrupted: not all events were sent"),
    signal.SIGTERM: SendTerminatedError("terminated: not all events were sent"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SendRequest:
    """What `send` is asked to do."""

    paths: tuple[str, ...] = ()
    destination: Destination
    limits: PayloadLimits = field(default_factory=PayloadLimits)
    state: StateOptions = field(default_factory=StateOptions)
    check: EventChecker | None = None  # rules that events must pass to be sent; None to send all
    concurrency: Concurrency = AUTO
    rate: float | None = None  # maximum events per second
    timeout: float = 30.0  # seconds for a connection, and for a response
    # Seconds after its first failure in which a payload is retried; None for 900, or 60 without any connection so far.
    retry_for: float | None = None
    dry_run: bool = False
    lossy: bool = False  # send rows of the streaming connector, too
    identified_only: bool = False  # leave out events of users without an external id
    max_document_size: int = MAX_DOCUMENT_SIZE
    event_type: str | None = None  # of Avro files whose path does not tell


def run(
    request: SendRequest,
    *,
    environ: Mapping[str, str] = os.environ,
    clock: Clock | None = None,
    notice: Callable[[str], None] = lambda _: None,
    watch: Callable[[Gauge], None] = lambda _: None,
) -> SendOutcome:
    """Send the events of the inputs.

    `notice` is called with the destination before the first request, and with each warning; `watch` once, with a
    function that returns the progress of the run at any time and from any thread. Raises UsageError, InputError or
    OutputError only before anything was sent.
    """
    endpoint = resolve(request.destination, environ)
    if not request.dry_run:
        endpoint.require_credentials()
    files = state_files(request.state, endpoint, environ)
    position = InputProgress()
    inputs = position.watched(
        sources(request.paths, max_document_size=request.max_document_size, event_type=request.event_type)
    )
    clock = clock or Clock()
    with closing(RunState(*files, endpoint, clock, inputs=inputs, is_dry_run=request.dry_run)) as state:
        origin = f", from {endpoint.origin}" if endpoint.origin else ""
        if origin or not request.dry_run:
            notice(f"{'would send' if request.dry_run else 'sending'} to {endpoint.shown}{origin}")
        for warning in (*endpoint.warnings, *state.warnings):
            notice(warning)
        send_filter = SendFilter(state.journal, resend=request.state.resend, check=request.check)
        planner = Planner(request.limits, send_filter, is_lossy=request.lossy, identified_only=request.identified_only)
        planned = planner.plan(position.watch(records(inputs)))
        if request.dry_run:
            watch(position.now)
            return _dry_run(planned, planner, endpoint, state)
        client, sender = _connect(request, endpoint, state, clock)
        watch(lambda: sender.stats.progress(settled_share(position.now().share, planner, sender.stats), clock.now()))
        started = clock.now()
        asyncio.run(_deliver(sender, client, planned, state, ahead=min(request.concurrency.most, _AHEAD)))
        for warning in sender.warnings:
            notice(warning)
        return outcome_of(planner, sender.stats, endpoint, state, sender=sender, seconds=clock.now() - started)


def settled_share(read: float | None, planner: Planner, stats: SendStats) -> float | None:
    """Return the share of the input that is delivered or given up, where the share `read` of it has been read."""
    if read is None or not planner.read:
        return read
    settled = planner.already_delivered + planner.left_out + stats.delivered + stats.dead + stats.undelivered
    return read * min(1.0, settled / planner.read)


def _connect(request: SendRequest, endpoint: Endpoint, state: RunState, clock: Clock) -> tuple["HttpxClient", Sender]:
    from td_currents_cli.send.http import HttpxClient  # noqa: PLC0415 -- heavy; a dry run does without

    client = HttpxClient(endpoint, concurrency=request.concurrency.most, timeout=request.timeout)
    sender = Sender(
        client.post,
        schedule=RetrySchedule(
            retry_for=900.0 if request.retry_for is None else request.retry_for,
            unreached_for=60.0 if request.retry_for is None else request.retry_for,
            uniform=clock.uniform,
        ),
        messages=Messages(endpoint),
        clock=clock,
        limiter=RequestLimiter(request.concurrency, clock=clock, rate=request.rate),
        record=state.record,
        add_dead_letter=state.letters.add,
    )
    return client, sender


async def _deliver(
    sender: Sender, client: "HttpxClient", planned: Generator[Planned], state: RunState, *, ahead: int
) -> None:
    async def commit() -> None:
        # What cannot be written to disk stops the sender.
        with _halting(sender):
            await state.keep_committing()

    # From the outside in: signals are caught until everything is on disk.
    with signals_handled(lambda signal_: sender.interrupt(_BY_SIGNAL[signal_])), _halting(sender), closing(state):
        async with aclosing(client):
            committing = asyncio.create_task(commit())
            try:
                with PayloadQueue(planned, ahead=ahead) as queue:
                    await sender.run(queue)
            finally:
                committing.cancel()


@contextmanager
def _halting(sender: Sender) -> Iterator[None]:
    """Stop the sender at an error, whatever it is: what was delivered is reported all the same."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 -- the outcome says why
        sender.halt(error if isinstance(error, TdcurError) else DefectError.of(error))


@contextmanager
def signals_handled(handler: Callable[[signal.Signals], None]) -> Iterator[None]:
    """Call the handler for each SIGINT and SIGTERM; afterwards the signals do again what they did before."""
    loop = asyncio.get_running_loop()
    before = {each: signal.getsignal(each) for each in _BY_SIGNAL}
    for each in before:
        loop.add_signal_handler(each, handler, each)
    try:
        yield
    finally:
        for each, action in before.items():
            loop.remove_signal_handler(each)
            signal.signal(each, action)


def _dry_run(planned: Iterable[Planned], planner: Planner, endpoint: Endpoint, state: RunState) -> SendOutcome:
    stats = SendStats()
    first: Payload | None = None
    for item in planned:
        if isinstance(item, Payload):
            first = first or item
            stats.requests += 1
            stats.bytes += len(item.body)
        elif isinstance(item, DeadLetter):
            stats.add_dead_letter(item.problems)
        else:
            stats.problem_log.add(item)
    first_request = None if first is None else shell_command(first, endpoint)
    return outcome_of(planner, stats, endpoint, state, first_request=first_request)


def shell_command(payload: Payload, endpoint: Endpoint) -> str:
    """Return a request as a shell command that sends the same bytes.

    Secrets appear as the names of their variables, and the payload as its place: a terminal must not show personal
    data.
    """
    headers = endpoint.headers()
    # A dry run does without the key, the request does not.
    needed = {*headers, KEY_HEADER} if endpoint.kind.is_postback else headers.keys()
    headers |= {name: variable for name, variable in _SECRETS.items() if name in needed}
    options = " ".join(f'--header "{name}: {value}"' for name, value in headers.items())
    url = shlex.quote(redact(endpoint.url.reveal()))
    document = _command_for_body(payload)
    if document is None:
        events = "1 event" if payload.events == 1 else f"{payload.events:,} events"
        size = f"{events} from {payload.location} on, {len(payload.body):,} bytes"
        comment = f'# body.json: {{"events": […]}} with the {size}'
        return f"{comment}\ncurl --request POST {options} --data-binary @body.json {url}"
    return f"{document} | curl --request POST {options} --data-binary @- {url}"


def _command_for_body(payload: Payload) -> str | None:
    """Return a command that prints the body, where a plain file holds it as it is sent."""
    place, size = payload.location, len(payload.body)
    with suppress(OSError, ValueError), Path(place.source).open("rb") as file:
        if file.seekable():
            file.seek(place.offset)
            if file.read(size) == payload.body:
                return f"tail -c +{place.offset + 1} {shlex.quote(place.source)} | head -c {size}"
    return None


_SECRETS: Final = {KEY_HEADER: "$TD_WRITE_KEY", "Authorization": "Bearer $TDCUR_TOKEN"}
