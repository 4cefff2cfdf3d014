"""`tdcur serve`: run the local endpoint until it is stopped, and summarize the requests."""

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
    """`ServeSettings` before the write key is read."""

    store: Path
    host: str
    port: int
    api: PostbackApi
    write_key_file: Path | None
    fault_settings: FaultSettings = field(default_factory=FaultSettings)

    def settings(self) -> ServeSettings:
        """Read the write key. Raises InputError and UsageError."""
        return ServeSettings(
            store=self.store,
            host=self.host,
            port=self.port,
            api=self.api,
            write_key=expected_key(self.write_key_file, os.environ),
            fault_settings=self.fault_settings,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeOutcome(Outcome):
    command: ClassVar[str] = "serve"

    stats: ServeStats
    store: Path

    def summary(self) -> dict[str, object]:
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

    `started` is called once, when requests are accepted; `listener` for each request, in another thread.

    Raises:
        UsageError: the host, the port or the write key file is invalid.
        InputError: the write key file cannot be read.
        OutputError: the store cannot be opened or synced to the disk.
    """
    # Only the first signal is handled here: during the shutdown, a second one ends the program at once.
    with Receiver(request.settings(), listener) as receiver, _signal_queue(*_EXIT_CODES) as signals:
        started(receiver)
        stop = _wait_for_signal(signals, receiver)
    stats = receiver.stats
    failed = stats.by_result[RequestResult.FAILED]
    return ServeOutcome(stats=stats, store=receiver.store, exit_code=ExitCode.IO if failed else _EXIT_CODES[stop])


_EXIT_CODES: Final = {signal.SIGINT: ExitCode.INTERRUPTED, signal.SIGTERM: ExitCode.TERMINATED}


@contextmanager
def _signal_queue(*signals: signal.Signals) -> Iterator["SimpleQueue[signal.Signals]"]:
    """Queue the signals that arrive, instead of their normal effect."""
    # Python's only queue that a signal handler may use.
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
                raise OutputError(
                    "the server stopped unexpectedly", hint="Set TDCUR_DEBUG=1 to see the reason."
                ) from None
