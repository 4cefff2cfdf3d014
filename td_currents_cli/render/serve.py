"""How `tdcur serve` talks: where it listens, a line a request, and what it received."""

import time
from collections.abc import Iterator
from typing import Final

from td_currents_cli.errors import ExitCode
from td_currents_cli.receiver.serve import ServeOutcome
from td_currents_cli.receiver.server import Receiver
from td_currents_cli.receiver.settings import FaultSettings
from td_currents_cli.receiver.tally import RequestLog, RequestResult
from td_currents_cli.render.terminal import Terminal

_WORDS: Final = {
    RequestResult.STORED: "stored",
    RequestResult.CONNECTION_TEST: "connection test",
    RequestResult.WRONG_KEY: "not stored: wrong write key",
    RequestResult.REFUSED: "refused",
    RequestResult.FAILED: "not stored",
    RequestResult.ABORTED: "not stored",
    RequestResult.FAULT: "not stored",
}


def listening(receiver: Receiver, terminal: Terminal) -> None:
    """Say where the receiver listens and what it does with what it gets."""
    settings = receiver.settings
    if receiver.repaired:
        terminal.say(f"warning: {receiver.store} ended in an unfinished row; new rows begin after it", "yellow")
    if receiver.is_public:
        terminal.say(f"warning: other machines may reach {receiver.host}", "yellow")
    terminal.say(f"listening as Treasure Data's Postback API {settings.api}; Ctrl-C stops it")
    terminal.say(f"  URL    {receiver.url('DATABASE', 'TABLE')}")
    terminal.say(f"  store  {receiver.store}")
    asked = "; ".join(_misbehaviour(settings.fault_settings))
    if asked:
        terminal.say(f"  asked  {asked}")
    key = "any write key will do" if settings.write_key is None else "rows sent with another write key are not stored"
    terminal.say(f"  key    {key}")


def _misbehaviour(asked: FaultSettings) -> Iterator[str]:
    if asked.faults:
        yield f"faults {','.join(map(str, asked.faults))} (seed {asked.seed})"
    if asked.latency:
        yield f"answers {asked.latency:g} s late"
    if asked.ingest_delay:
        yield f"rows {asked.ingest_delay:g} s late"
    if asked.max_rows is not None:
        yield f"{_counted(asked.max_rows, 'row')} at most"


class Log:
    """A line a request, on standard error."""

    def __init__(self, terminal: Terminal) -> None:
        self._file = None if terminal.quiet else terminal.err.file

    def add(self, exchange: RequestLog) -> None:
        """Print one line.

        Not through rich, which takes as long for it as storing the row, and ends the program when nobody reads.
        """
        if self._file is None:
            return
        try:
            self._file.write(line(exchange) + "\n")
            self._file.flush()
        except OSError:
            # Whoever read the log has gone (`2>&1 | head`): serving goes on without it.
            self._file = None


def line(exchange: RequestLog) -> str:
    """One request: time of day here, method, path, status, bytes, events, what became of it, and which fault it met."""
    moment = time.strftime("%H:%M:%S", time.localtime(exchange.at))
    parts = [f"{exchange.size:,} B"]
    if exchange.events is not None:
        parts.append(_counted(exchange.events, "event"))
    word = _WORDS[exchange.result]
    parts.append(f"{word}: {exchange.reason}" if exchange.reason else word)
    if exchange.fault and exchange.result is not RequestResult.FAULT:
        parts.append(f"fault {exchange.fault}")
    return f"{moment} {exchange.method} {exchange.target} {exchange.status or '---'} {', '.join(parts)}"


def text(outcome: ServeOutcome, terminal: Terminal) -> None:
    """Print the summary."""
    stats = outcome.stats
    why = [f"{stats.by_result[result]:,} {reason}" for result, reason in _REASONS.items() if stats.by_result[result]]
    received = f"{_counted(stats.requests, 'request')}, {_counted(stats.bytes, 'byte')}"
    stored = f"{_counted(stats.stored, 'row')} stored in {outcome.store} ({_counted(stats.events, 'event')})"
    not_stored = f"{stats.not_stored:,} not stored" + (f" ({', '.join(why)})" if why else "")
    faults = ", ".join(f"{number:,} {fault}" for fault, number in sorted(stats.by_fault.items()))
    if outcome.exit_code is ExitCode.INTERRUPTED and terminal.err.is_terminal:
        # The terminal has echoed ^C.
        terminal.say("")
    terminal.show(f"{received}; {stored}, {not_stored}" + (f"; faults: {faults}" if faults else ""))


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


_REASONS: Final = {
    RequestResult.CONNECTION_TEST: "by connection tests",
    RequestResult.WRONG_KEY: "with a wrong write key",
    RequestResult.REFUSED: "refused",
    RequestResult.FAILED: "could not be written",
    RequestResult.ABORTED: "broken off",
    RequestResult.FAULT: "by faults",
}
