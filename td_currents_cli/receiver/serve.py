"""The verb: run a receiver until somebody stops it, and say what it received."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from types import FrameType
from typing import ClassVar, Final

from td_currents_cli.errors import ExitCode, OutputError
from td_currents_cli.outcome import Outcome
from td_currents_cli.receiver.keys import expected_key
from td_currents_cli.receiver.server import Receiver
from td_currents_cli.receiver.settings import FaultSettings, PostbackApi, ServeSettings
from td_currents_cli.receiver.tally import RequestLog, RequestResult, ServeStats


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeRequest:
    """What to serve. For the meaning of the fields see `ServeSettings`; the write key is still to be read."""

    store: Path
    host: str
    port: int
    api: PostbackApi
    write_key_file: Path | None
    misbehaviour: FaultSettings = field(default_factory=FaultSettings)

    def settings(self) -> ServeSettings:
        """With the write key read. Raises InputError and UsageError."""
        return ServeSettings(
            store=self.store,
            host=self.host,
            port=self.port,
            api=self.api,
            write_key=expected_key(self.write_key_file, os.environ),
            misbehaviour=self.misbehaviour,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeOutcome(Outcome):
    """What was received until the stop.

    Attributes:
        stats: the figures.
        store: the file with the rows.
    """

    command: ClassVar[str] = "serve"

    stats: ServeStats
    store: Path

    def summary(self) -> dict[str, object]:
        """Requests by what became of them and by status; requests = stored + not_stored."""
        return {
            "requests": self.stats.requests,
            "stored": self.stats.stored,
            "not_stored": self.stats.not_stored,
            "events": self.stats.events,
            "bytes": self.stats.bytes,
            "requests_by_result": {result.value: self.stats.by_result[result] for result in RequestResult},
            "requests_by_status": {str(status): count for status, count in sorted(self.stats.by_status.items())},
            "faults": dict(sorted(self.stats.by_fault.items())),
            "store": str(self.store),
        }


def run(
    request: ServeRequest,
    *,
    started: Callable[[Receiver], None],
    listener: Callable[[RequestLog], None] | None = None,
) -> ServeOutcome:
    """Serve until SIGINT or SIGTERM; must run in the main thread.

    Args:
        request: see there.
        started: called once, when requests are answered.
        listener: told of each exchange, from another thread.

    Raises:
        UsageError: the host, the port or the write key file does not do.
        InputError: the write key file cannot be read.
        OutputError: the store cannot be opened or written through to the disk.
    """
    # Signals are caught up to the first one only: while the receiver stops, a second one ends the program at once.
    with Receiver(request.settings(), listener) as receiver, _signal_queue(*_EXIT_CODES) as signals:
        started(receiver)
        stop = _wait_for_signal(signals, receiver)
    stats = receiver.stats
    failed = stats.by_result[RequestResult.FAILED]
    return ServeOutcome(stats=stats, store=receiver.store, exit_code=ExitCode.IO if failed else _EXIT_CODES[stop])


_EXIT_CODES: Final = {signal.SIGINT: ExitCode.INTERRUPTED, signal.SIGTERM: ExitCode.TERMINATED}


@contextmanager
def _signal_queue(*signals: signal.Signals) -> Iterator["SimpleQueue[signal.Signals]"]:
    """The signals that arrive, one after the other, instead of what they do otherwise."""
    # Of Python's queues only this one may be put to from a handler.
    caught: SimpleQueue[signal.Signals] = SimpleQueue()

    def catch(number: int, _frame: FrameType | None) -> None:
        caught.put(signal.Signals(number))

    before = {number: signal.signal(number, catch) for number in signals}
    try:
        yield caught
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _wait_for_signal(signals: "SimpleQueue[signal.Signals]", receiver: Receiver) -> signal.Signals:
    while True:
        try:
            return signals.get(timeout=1)
        except Empty:
            if not receiver.running:
                raise OutputError("the receiver stopped by itself", hint="TDCUR_DEBUG=1 shows why") from None
