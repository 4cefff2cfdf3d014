"""The outcome of `watch`, and the lines that it prints at each change of state."""

from collections.abc import Iterator
from typing import Final

from rich import box
from rich.table import Table
from rich.text import Text

from td_currents_cli.braze import DROPS_AFTER
from td_currents_cli.events.filter import iso, moment_of
from td_currents_cli.render.layout import print_trimmed
from td_currents_cli.render.terminal import Terminal, amount, print_wrapped, printable
from td_currents_cli.render.time_words import FULL_TIME
from td_currents_cli.watch import Round, WatchOutcome
from td_currents_cli.watch.command import SETTLED
from td_currents_cli.watch.result import Pace, Silence, TypeRate

_GOOD: Final = "green"
_BAD: Final = "bold red"
_STYLES: Final = {Pace.USUAL: "green", Pace.LOW: "yellow", Pace.SILENT: "bold red", Pace.UNKNOWN: "dim"}
_MINUTE: Final = 60


def print_watch(outcome: WatchOutcome, terminal: Terminal) -> None:
    """Print each type with its rate; then the state of the table, and all that is not as usual."""
    if outcome.round.types and not terminal.quiet:
        _print_types(outcome, terminal)
    print_changes(None, outcome.round, terminal)


def _print_types(outcome: WatchOutcome, terminal: Terminal) -> None:
    table = Table(box=box.SIMPLE_HEAD, header_style="bold", show_edge=False, pad_edge=False)
    for name in ("event type", "last hour", "usual", "state"):
        table.add_column(name, justify="right" if name in {"last hour", "usual"} else "left", overflow="fold")
    for each in outcome.round.types:
        usual = "" if each.usual is None else f"{each.usual:,.0f}"
        name = printable(each.event_type or "(none)")
        table.add_row(Text(name), f"{each.events:,}", usual, Text(each.pace, _STYLES[each.pace]))
    print_trimmed(table, terminal.out)
    terminal.out.print()


def print_changes(before: Round | None, now: Round, terminal: Terminal) -> None:
    """Print a line, with the time, for each state that differs from the one in the round before."""
    moment = moment_of(now.at)
    for line, style in change_lines(before, now):
        print_wrapped(terminal.out, f"{moment:{FULL_TIME}} {line}", style)
    terminal.out.file.flush()


def change_lines(before: Round | None, now: Round) -> Iterator[tuple[str, str]]:
    """Yield the lines with their styles; at first, the state of the table, and all that is not as usual."""
    if before is None or before.silence is not now.silence:
        yield _table_line(before, now)
    for each in now.changed_types(before):
        yield _type_line(each), _STYLES[each.pace]
    was_lost = before is not None and before.canary is not None and not before.canary.arrived
    if now.canary is not None and now.canary.seconds is None and not was_lost:
        yield f"canary: lost: {now.canary.reason}", _BAD
    if now.canary is not None and now.canary.seconds is not None and (before is None or was_lost):
        yield f"canary: a row after {_duration(now.canary.seconds)}", _GOOD


def _table_line(before: Round | None, now: Round) -> tuple[str, str]:
    if now.silence is Silence.NONE:
        again = "" if before is None else "rows come again: "
        usual = "" if now.usual is None else f" (usual {now.usual:,.0f})"
        events = amount(now.events, "event")
        hour_end = moment_of(now.at - SETTLED)
        return f"ok: {again}last row {_ago(now)}, {events} in the hour until {hour_end:%H:%M}{usual}", _GOOD
    row = "row" if now.of_all_types else "row with these types"
    if now.last_row is None:
        return f"silent: no {row} was received in the last 7 days", _BAD
    older, newer = (iso(moment_of(now.last_row + after)) for after in DROPS_AFTER)
    quiet = f"silent: last {row} {_ago(now)} ({iso(moment_of(now.last_row))})"
    if not now.of_all_types:
        return quiet, _BAD
    what = {
        Silence.SILENT: f"Braze keeps what it cannot deliver until {older} (48 hours), or {newer} (five days)",
        Silence.URGENT: f"Braze may drop events from {older} on, and turn the connector off",
        Silence.DROPPING: f"Braze may drop events: for 48 hours, none was delivered. On {newer} (five days), it does",
        Silence.LOST: "Braze drops events: none was delivered for five days. Turn the connector on again, and refill",
    }
    return f"{quiet}. {what[now.silence]}", _BAD


def _type_line(rate: TypeRate) -> str:
    usual = "" if rate.usual is None else f" (usual {rate.usual:,.0f})"
    return f"{printable(rate.event_type or '(none)')}: {rate.pace}: {rate.events:,} in the last hour{usual}"


def _ago(now: Round) -> str:
    return "unknown" if now.quiet_for is None else f"{_duration(now.quiet_for)} ago"


def _duration(seconds: float) -> str:
    minutes = int(seconds // _MINUTE)
    if minutes < 1:
        return f"{seconds:.0f} s"
    if minutes < 2 * _MINUTE:
        return f"{minutes} min"
    return f"{minutes // _MINUTE} h {minutes % _MINUTE} min"
