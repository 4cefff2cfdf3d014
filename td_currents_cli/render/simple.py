"""The outcomes of `demo`, `generate`, `parse`, `rules`, `serve`, and `sql`, which take a few lines each."""

import time
from collections.abc import Callable, Iterator, Mapping
from itertools import groupby
from typing import Any, Final

from rich.padding import Padding
from rich.text import Text

from td_currents_cli.catalog.ddl import OTHER_FIELDS
from td_currents_cli.errors import ExitCode
from td_currents_cli.generate.command import GenerateOutcome
from td_currents_cli.parse import ParseOutcome
from td_currents_cli.render.terminal import (
    ROW_CODES,
    STYLES,
    Terminal,
    amount,
    balance_line,
    print_problems,
    print_wrapped,
    printable,
    write_text,
)
from td_currents_cli.serve.server import Receiver, ServeOutcome
from td_currents_cli.serve.settings import FaultSettings
from td_currents_cli.serve.stats import RequestLog, RequestResult
from td_currents_cli.treasure_data.insert import InsertOutcome
from td_currents_cli.treasure_data.print_sql import SqlOutcome
from td_currents_cli.validate.list_rules import Family, RulesOutcome
from td_currents_cli.validate.rules import Rule


def report_generated(outcome: GenerateOutcome, terminal: Terminal) -> None:
    """Report in one line what was written where."""
    terminal.report(
        f"{amount(outcome.events, 'event')} in {amount(outcome.batches, 'batch', 'batches')}"
        f" ({outcome.bytes:,} bytes) written to {outcome.output or 'standard output'}"
        f" in {outcome.seconds:.1f} s, seed {outcome.seed}",
        "dim",
    )


def report_parsed(outcome: ParseOutcome | InsertOutcome, terminal: Terminal) -> None:
    """Report the problems, where the batches were found or the events were inserted, and the balance."""
    print_problems(outcome.problems, terminal, ROW_CODES)
    if isinstance(outcome, InsertOutcome):
        _report_inserted(outcome, terminal)
    else:
        for name, near in outcome.unknown.items():
            suggestion = f"; did you mean `{near}`?" if near else ""
            terminal.report(f"--fields: `{printable(name)}` is not in the catalog{suggestion}", "yellow")
        for note in outcome.notes:
            terminal.report(printable(note), "yellow")
        if outcome.formats:
            terminal.report("; ".join(map(str, outcome.formats)), "dim")
    terminal.report(balance_line(outcome.balance, "written"), "dim")


def _report_inserted(outcome: InsertOutcome, terminal: Terminal) -> None:
    created = f"created {outcome.into}; " if outcome.created else ""
    if outcome.inserted is None:
        terminal.report(f"{created}inserted the events into {outcome.into}; Treasure Data does not report how many")
    else:
        terminal.report(f"{created}inserted {amount(outcome.inserted, 'event')} into {outcome.into}")
        if outcome.inserted != outcome.balance.events_out:
            terminal.report("an earlier count gave another number: rows arrived in between", "yellow")
    if outcome.others:
        have = "has" if outcome.others == 1 else "have"
        terminal.report(
            f"{amount(outcome.others, 'event')} {have} fields without a column of their own: see `{OTHER_FIELDS}`",
            "yellow",
        )


_CODE_STYLE: Final = "magenta"


def print_rules(outcome: RulesOutcome, terminal: Terminal) -> None:
    """Print a list by families, or one rule with its reason, fix, and examples."""
    if outcome.is_one:
        _explain_rule(outcome.rules[0], terminal)
        return
    for family, members in groupby(outcome.rules, key=lambda rule: Family.of(rule.code)):
        print_wrapped(terminal.out, Text.assemble((f"{family.name}xx", f"bold {_CODE_STYLE}"), (f"  {family}", "bold")))
        for rule in members:
            severity = (f"{rule.severity:<7}", STYLES[rule.severity])
            line = Text.assemble("  ", (rule.code, _CODE_STYLE), "  ", severity, f"  {rule.name}")
            print_wrapped(terminal.out, line)
        print_wrapped(terminal.out, "")
    terminal.report(f"{amount(len(outcome.rules), 'rule')}; run `tdcur rules CODE` to explain one", "dim")


def _explain_rule(rule: Rule, terminal: Terminal) -> None:
    out = terminal.out
    out.print(Text.assemble((rule.code, f"bold {_CODE_STYLE}"), (f" {rule.name}", "bold")))
    out.print(Text.assemble((rule.severity, STYLES[rule.severity]), f", {Family.of(rule.code)}"))
    for title, content in (("Why", rule.why), ("Fix", rule.fix), ("Bad", rule.bad), ("Good", rule.good)):
        if content:
            out.print()
            out.print(Text(title, "bold cyan"))
            out.print(Padding(Text(content), (0, 0, 0, 4), expand=False))


def print_query(outcome: SqlOutcome, terminal: Terminal) -> None:
    """Print the query, ready to copy; the period that it covers goes to standard error."""
    write_text(outcome.sql)
    if outcome.rows is not None:
        terminal.report(f"covers rows received from {outcome.rows} (UTC)", "dim")


_RESULTS: Final = {
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


def print_listening(receiver: Receiver, terminal: Terminal) -> None:
    """Report the address, the store, and the settings of the endpoint."""
    settings = receiver.settings
    if receiver.repaired:
        terminal.report(f"warning: {receiver.store} ended with an incomplete row; new rows start after it", "yellow")
    if receiver.is_public:
        terminal.report(f"warning: {receiver.host} may be reachable from other machines", "yellow")
    terminal.report(f"listening as Treasure Data's Postback API {settings.api}; press Ctrl-C to stop")
    terminal.report(f"  URL     {receiver.url('DATABASE', 'TABLE')}")
    terminal.report(f"  store   {receiver.store}")
    faults = "; ".join(_fault_settings(settings.fault_settings))
    if faults:
        terminal.report(f"  faults  {faults}")
    any_key = settings.write_key is None
    key = "any write key is accepted" if any_key else "rows sent with another write key are not stored"
    terminal.report(f"  key     {key}")


def _fault_settings(settings: FaultSettings) -> Iterator[str]:
    if settings.faults:
        yield f"{','.join(map(str, settings.faults))} (seed {settings.seed})"
    if settings.latency:
        yield f"responses delayed by {settings.latency:g} s"
    if settings.ingest_delay:
        yield f"rows delayed by {settings.ingest_delay:g} s"
    if settings.max_rows is not None:
        yield f"maximum {amount(settings.max_rows, 'row')}"


class ServeLog:
    """Prints a line per request on standard error."""

    def __init__(self, terminal: Terminal) -> None:
        self._file = None if terminal.quiet else terminal.err.file

    def add(self, request: RequestLog) -> None:
        """Print one line.

        Without rich, which takes as long as storing the row, and ends the program when the reader of a pipe exits.
        """
        if self._file is None:
            return
        try:
            self._file.write(request_line(request) + "\n")
            self._file.flush()
        except OSError:
            # The reader of the log exited (`2>&1 | head`): continue without it.
            self._file = None


def request_line(request: RequestLog) -> str:
    """Format a request: local time, method, path, status, bytes, events, result, and the fault that was injected."""
    moment = time.strftime("%H:%M:%S", time.localtime(request.at))
    parts = [f"{request.size:,} B"]
    if request.events is not None:
        parts.append(amount(request.events, "event"))
    result = _RESULTS[request.result]
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
    not_stored = f"{stats.not_stored:,} not stored" + (f" ({', '.join(why)})" if why else "")
    faults = ", ".join(f"{number:,} {fault}" for fault, number in sorted(stats.by_fault.items()))
    if outcome.exit_code is ExitCode.INTERRUPTED and terminal.err.is_terminal:
        # The terminal has echoed ^C.
        terminal.report("")
    terminal.print(f"{received}; {stored}, {not_stored}" + (f"; faults: {faults}" if faults else ""))


PRINTERS: Final[Mapping[str, Callable[[Any, Terminal], None]]] = {
    "demo": lambda _outcome, _terminal: None,  # its commands have printed their own outcomes
    "generate": report_generated,
    "parse": report_parsed,
    "rules": print_rules,
    "serve": print_served,
    "sql": print_query,
}
"""By command."""
