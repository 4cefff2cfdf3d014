"""The outcomes of `config`, `doctor`, and `journal`: tables of what is set up, and what is wrong with it."""

import time
from collections.abc import Mapping, Sequence
from itertools import groupby, zip_longest
from typing import Final

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from td_currents_cli.choices import JournalAction
from td_currents_cli.doctor import DoctorOutcome, Verdict
from td_currents_cli.events.filter import iso, moment_of
from td_currents_cli.journal.list_journals import JournalFile, JournalOutcome, TypeDeliveries
from td_currents_cli.list_settings import ConfigOutcome, InForce
from td_currents_cli.render.grid import fold
from td_currents_cli.render.layout import NARROWEST, print_hanging, print_trimmed
from td_currents_cli.render.terminal import UNCLIPPED, Terminal, amount, printable
from td_currents_cli.sizes import format_size

_STYLES: Final = {Verdict.OK: "green", Verdict.NOTE: "dim", Verdict.WARNING: "yellow", Verdict.ERROR: "bold red"}

_DAY: Final = 86_400


def print_config(outcome: ConfigOutcome, terminal: Terminal) -> None:
    """Print each setting with its origin, then the profiles and files."""
    if not outcome.settings:
        terminal.report("no settings: options and their defaults apply")
    else:
        _print_settings(outcome.settings, terminal.out)
    if outcome.profiles:
        names = [f"{name} (selected)" if name == outcome.profile else name for name in outcome.profiles]
        terminal.report(f"profiles: {printable(', '.join(names))}", "dim")
    state = "" if outcome.user_file in outcome.files else " (does not exist)"
    terminal.report(f"your own file: {outcome.user_file}{state}", "dim")
    for file in outcome.files:
        if file != outcome.user_file:
            terminal.report(f"file of the project: {file}", "dim")


def _print_settings(settings: Sequence[InForce], console: Console) -> None:
    """Print a table, or, on a terminal that is too narrow for it, the settings below their origin."""
    table = _table("setting", "value", "from")
    for each in settings:
        table.add_row(each.name, Text(printable(each.value)), Text(printable(each.origin), style="dim"))
    if _fits(table, console):
        print_trimmed(table, console)
        return
    width = max(len(each.name) for each in settings)
    for origin, members in groupby(settings, key=lambda each: each.origin):
        print_hanging("", Text(printable(origin), "bold"), console)
        for each in members:
            print_hanging(f"  {each.name:<{width}}  ", printable(each.value), console)


def _fits(table: Table, console: Console) -> bool:
    return console.measure(table, options=console.options.update(width=UNCLIPPED)).maximum <= console.width


def print_diagnosis(outcome: DoctorOutcome, terminal: Terminal) -> None:
    """Print each check on a line, with the fix below it."""
    width = max(len(check.subject) for check in outcome.checks)
    for check in outcome.checks:
        verdict = (f"{check.verdict.value:<8}", _STYLES[check.verdict])
        start = Text.assemble(verdict, f"{check.subject:<{width}}  ")
        print_hanging(start, printable(check.result), terminal.out)
        if check.fix:
            print_hanging(" " * start.cell_len, Text(check.fix, "dim"), terminal.out)
    for leftover in outcome.leftovers:
        terminal.report(f"{'removed' if outcome.cleaned else 'left behind'}: {leftover.path}", "dim")


def print_journals(outcome: JournalOutcome, terminal: Terminal) -> None:
    """Print the journals, or the event types of one."""
    if outcome.request.action is JournalAction.SHOW:
        _print_types(outcome, terminal)
        return
    if outcome.journals:
        _print_journals(outcome.journals, terminal.out)
    if outcome.request.action is JournalAction.PRUNE:
        verb = "would be removed" if outcome.request.dry_run else "removed"
        terminal.report(f"{amount(len(outcome.journals), 'journal')} {verb}, {outcome.kept:,} kept")
    elif not outcome.journals:
        terminal.report(f"no journals in {outcome.request.folder}")


def _print_journals(journals: Sequence[JournalFile], console: Console) -> None:
    """Print a table, or, on a terminal that is too narrow for it, a few lines for each."""
    table = _table("endpoint", "requests", "size", "last used", "journal", right=(1, 2))
    rows = list(map(_journal_row, journals))
    for row in rows:
        table.add_row(*row)
    if _fits(table, console):
        print_trimmed(table, console)
        return
    for number, (endpoints, requests, size, used, path) in enumerate(rows):
        if number:
            console.print()
        for endpoint, count in zip_longest(endpoints.split("\n"), requests.split("\n"), fillvalue=Text()):
            numbered = f": {amount(int(count.plain.replace(',', '')), 'request')}" if count.plain else ""
            print_hanging("", Text.assemble(endpoint, numbered), console)
        console.print(Text.assemble("  ", size, ", used ", used))
        console.print(Text.assemble("  ", path), soft_wrap=True)


def _journal_row(journal: JournalFile) -> tuple[Text, ...]:
    days = int((time.time() - journal.used_at) // _DAY)
    used = {0: "today", 1: "yesterday"}.get(days, f"{days:,} days ago")
    return (
        Text(journal.trouble, style="red")
        if journal.trouble
        else Text("\n".join(each.url for each in journal.endpoints) or "nothing delivered"),
        Text("\n".join(f"{each.requests:,}" for each in journal.endpoints)),
        Text(format_size(journal.bytes)),
        Text(used),
        Text(str(journal.path), style="dim"),
    )


def _print_types(outcome: JournalOutcome, terminal: Terminal) -> None:
    for endpoint in outcome.journals[0].endpoints:
        known = ", and more by an older tdcur that did not record the events" if endpoint.has_older else ""
        heading = f"{endpoint.url}: {amount(endpoint.requests, 'request')}{known}"
        print_hanging("", Text(heading, "bold"), terminal.out)
    table = _types_table(outcome.types or {}, None, _TIME)
    if not _fits(table, terminal.out):
        # Days instead of seconds leave most names whole.
        table = _types_table(outcome.types or {}, terminal.out.width, _DATE)
    print_trimmed(table, terminal.out)


_TIME: Final = len("2026-07-01T00:00:00Z")
_DATE: Final = len("2026-07-01")


def _types_table(types: Mapping[str, TypeDeliveries], width: int | None, of_time: int) -> Table:
    """Event types, folded to fit a width, with their times up to a number of characters."""
    table = _table("event type", "delivered", "first (UTC)", "last (UTC)", right=(1,))
    numbers = [f"{found.events:,}" for found in types.values()]
    others = max(map(len, ["delivered", *numbers])) + 2 * max(of_time, len("first (UTC)")) + 3 * len("   ")
    for (name, found), number in zip(types.items(), numbers, strict=True):
        first, last = ((iso(moment_of(when)) or "")[:of_time] for when in (found.first, found.last))
        shown = printable(name) or "(none)"
        table.add_row(
            Text(shown if width is None else fold(shown, max(width - others, NARROWEST))), number, first, last
        )
    return table


def _table(*headings: str, right: tuple[int, ...] = ()) -> Table:
    table = Table(box=box.SIMPLE_HEAD, header_style="bold", show_edge=False, pad_edge=False)
    for place, heading in enumerate(headings):
        table.add_column(heading, justify="right" if place in right else "left", overflow="fold")
    return table
