"""Counts as a table for people and as delimited text for scripts."""

import csv as delimited
import sys
from io import StringIO

from rich import box
from rich.table import Table
from rich.text import Text

from td_currents_cli.count import CountOutcome, iso
from td_currents_cli.render.figures import balance_line
from td_currents_cli.render.problems import show_problems
from td_currents_cli.render.terminal import Terminal, printable
from td_currents_cli.write.json_text import json_line

MISSING = "(no event_type)"


def table(outcome: CountOutcome, terminal: Terminal) -> None:
    """The counts with their total; the balance and problems on standard error."""
    result = Table(box=box.SIMPLE_HEAD, show_footer=True, pad_edge=False)
    total = outcome.balance.events_out
    result.add_column("event type", footer="total", overflow="fold")
    result.add_column("count", f"{total:,}", justify="right", no_wrap=True)
    result.add_column("share", "100.0 %" if total else "", justify="right", no_wrap=True)
    result.add_column("first (UTC)", _moment(iso(outcome.first)), no_wrap=True)
    result.add_column("last (UTC)", _moment(iso(outcome.last)), no_wrap=True)
    for count in outcome.counts:
        result.add_row(
            Text(printable(count.event_type) if count.event_type is not None else MISSING),
            f"{count.count:,}",
            f"{count.share:.1%}".replace("%", " %"),
            _moment(iso(count.first)),
            _moment(iso(count.last)),
        )
    terminal.out.print(result)
    _talk(outcome, terminal)


def jsonl(outcome: CountOutcome, terminal: Terminal) -> None:
    """One JSON object for each type."""
    for count in outcome.counts:
        sys.stdout.buffer.write(json_line(count.as_dict()))
    _talk(outcome, terminal)


def csv(outcome: CountOutcome, terminal: Terminal) -> None:
    """RFC 4180 with a header line; a missing value is empty."""
    _write_delimited(outcome, ",")
    _talk(outcome, terminal)


def tsv(outcome: CountOutcome, terminal: Terminal) -> None:
    """As `csv`, with tabs."""
    _write_delimited(outcome, "\t")
    _talk(outcome, terminal)


def _write_delimited(outcome: CountOutcome, delimiter: str) -> None:
    text = StringIO()
    fields = ("event_type", "count", "share", "first", "last")
    writer = delimited.DictWriter(text, fields, delimiter=delimiter, lineterminator="\n")
    writer.writeheader()
    writer.writerows(count.as_dict() for count in outcome.counts)
    sys.stdout.buffer.write(text.getvalue().encode(errors="backslashreplace"))


def _talk(outcome: CountOutcome, terminal: Terminal) -> None:
    sys.stdout.flush()
    show_problems(outcome.problems, terminal)
    terminal.say(balance_line(outcome.balance, "counted"), "dim")


def _moment(text: str | None) -> str:
    return (text or "").replace("T", " ").removesuffix("Z")
