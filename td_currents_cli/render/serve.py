"""The endpoint of `serve`: its settings, a line per request, and the summary."""

import shlex
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from td_currents_cli.errors import ExitCode
from td_currents_cli.live_page import PageFiles, Summary
from td_currents_cli.render.terminal import Terminal, amount, print_unwrapped
from td_currents_cli.serve.server import Receiver, ServeOutcome
from td_currents_cli.serve.settings import FaultSettings
from td_currents_cli.serve.stats import RequestLog, RequestResult

RESULTS: Final = {
    RequestResult.STORED: "stored",
    RequestResult.CONNECTION_TEST: "connection test",
    RequestResult.WRONG_KEY: "not stored: wrong write key",
    RequestResult.REFUSED: "rejected",
    RequestResult.FAILED: "not stored",
    RequestResult.ABORTED: "not stored",
    RequestResult.FAULT: "not stored",
}
_REASONS: Final = {
    RequestResult.CONNECTION_TEST: "by connection tests",
    RequestResult.WRONG_KEY: "with a wrong write key",
    RequestResult.REFUSED: "rejected",
    RequestResult.FAILED: "could not be written",
    RequestResult.ABORTED: "aborted",
    RequestResult.FAULT: "by injected faults",
}


def print_listening(receiver: Receiver, write_key_file: Path | None, terminal: Terminal) -> None:
    """Report the address, the store, and the settings of the endpoint, and commands that use it."""
    settings = receiver.settings
    if receiver.repaired:
        terminal.report(f"warning: {receiver.store} ended with an incomplete row; new rows start after it", "yellow")
    if receiver.is_public:
        terminal.report(f"warning: {receiver.host} may be reachable from other machines", "yellow")
    terminal.report(f"listening as Treasure Data's Postback API {settings.api}; press Ctrl-C to stop")
    terminal.report(f"  URL     {receiver.url('DATABASE', 'TABLE')}")
    terminal.report(f"  page    {receiver.page_url}")
    terminal.report(f"  store   {receiver.store}")
    faults = "; ".join(_fault_settings(settings.fault_settings))
    if faults:
        terminal.report(f"  faults  {faults}")
    any_key = settings.write_key is None
    key = "any write key is accepted" if any_key else "rows sent with another write key are not stored"
    terminal.report(f"  key     {key}")
    terminal.report("\nTo use it, in another terminal:")
    for line in _commands(receiver, write_key_file):
        if not terminal.quiet:
            print_unwrapped(terminal.err, f"  {line}")


def _commands(receiver: Receiver, write_key_file: Path | None) -> Iterator[str]:
    """What sends to the endpoint and reads its store, for a shell in any folder."""
    send = ["tdcur", "send", "payloads/", "--url", receiver.url("demo", "currents")]
    if write_key_file is not None:
        send += ["--write-key-file", str(write_key_file.absolute())]
    variable = "TD_WRITE_KEY=any " if receiver.settings.write_key is None else ""
    yield variable + shlex.join(send)
    for command in ("parse", "count"):
        yield shlex.join(["tdcur", command, str(receiver.store.absolute())])


def _fault_settings(settings: FaultSettings) -> Iterator[str]:
    if settings.faults:
        yield f"{','.join(map(str, settings.faults))} (seed {settings.seed})"
    if settings.latency:
        yield f"responses delayed by {settings.latency:g} s"
    if settings.ingest_delay:
        yield f"rows delayed by {settings.ingest_delay:g} s"
    if settings.max_rows is not None:
        yield f"maximum {amount(settings.max_rows, 'row')}"


def page_files() -> PageFiles:
    """The page and what it loads."""

    def render(summary: Summary, host: str) -> str:
        from td_currents_cli.render.html.serve import serve_page  # noqa: PLC0415 -- only when someone looks

        return serve_page(summary, host)

    style = "".join((_HTML / name).read_text("utf-8") for name in ("style.css", "serve.css"))
    return PageFiles(
        render=render,
        files={
            "/assets/serve.css": ("text/css; charset=utf-8", style.encode()),
            "/assets/serve.js": ("text/javascript; charset=utf-8", (_HTML / "serve.js").read_bytes()),
        },
    )


_HTML: Final = Path(__file__).with_name("html")


class ServeLog:
    """Prints a line per request on standard error."""

    def __init__(self, terminal: Terminal) -> None:
        self._file = None if terminal.quiet else terminal.err.file

    def add(self, request: RequestLog) -> None:
        """Print one line. Without rich, which takes as long as storing the row."""
        if self._file is not None:
            self._file.write(request_line(request) + "\n")
            self._file.flush()


def request_line(request: RequestLog) -> str:
    """Format a request: local time, method, path, status, bytes, events, result, and the fault that was injected."""
    moment = time.strftime("%H:%M:%S", time.localtime(request.at))
    parts = [f"{request.size:,} B"]
    if request.events is not None:
        parts.append(amount(request.events, "event"))
    result = RESULTS[request.result]
    parts.append(f"{result}: {request.reason}" if request.reason else result)
    if request.fault and request.result is not RequestResult.FAULT:
        parts.append(f"fault {request.fault}")
    return f"{moment} {request.method} {request.target} {request.status or '---'} {', '.join(parts)}"


def print_served(outcome: ServeOutcome, terminal: Terminal) -> None:
    """Print the summary."""
    stats = outcome.stats
    why = [f"{stats.by_result[result]:,} {reason}" for result, reason in _REASONS.items() if stats.by_result[result]]
    received = f"{amount(stats.requests, 'request')}, {amount(stats.bytes, 'byte')}"
    stored = f"{amount(stats.stored, 'row')} stored in {outcome.store} ({amount(stats.events, 'event')})"
    not_stored = f", {stats.not_stored:,} not stored ({', '.join(why)})" if why else ""
    faults = ", ".join(f"{fault}: {number:,}" for fault, number in sorted(stats.by_fault.items()))
    if outcome.exit_code is ExitCode.INTERRUPTED and terminal.err.is_terminal:
        # The terminal has echoed ^C.
        terminal.report("")
    terminal.print(f"{received}; {stored}{not_stored}" + (f"; faults: {faults}" if faults else ""))
