"""What `parse --incremental` says: the window, what became of its events, and ids that a table has twice."""

from typing import TYPE_CHECKING, Final

from td_currents_cli.braze import CANARY
from td_currents_cli.errors import ExitCode
from td_currents_cli.render.terminal import Terminal, amount, format_balance, print_problems, write_text
from td_currents_cli.treasure_data.address import format_time

if TYPE_CHECKING:
    from collections.abc import Iterator

    from td_currents_cli.treasure_data.incremental_outcome import IncrementalOutcome, TableResult


def report_incremental(outcome: "IncrementalOutcome", terminal: Terminal) -> None:
    """Report a run; of a dry run, print the statements to standard output."""
    print_problems(outcome.problems, terminal)
    window, batch = outcome.window, outcome.batch
    would = "would read" if outcome.dry_run else "read"
    terminal.report(f"{would} the rows of {outcome.source} received from {window} (UTC)", "dim")
    if outcome.dry_run:
        if batch.unique_events:
            span = f"{format_time(batch.oldest)} to {format_time(batch.newest)}"
            terminal.report(f"would look up ids in {outcome.target}, in rows with event times from {span} (UTC)", "dim")
        write_text(";\n\n".join(outcome.statements) + ";")
    if created := [each.table for each in outcome.results if each.created]:
        tables = ", ".join(created) if len(created) <= _MAX_TABLES or terminal.verbose else f"{len(created)} tables"
        terminal.report(f"{'would create' if outcome.dry_run else 'created'} {tables}")
    if terminal.verbose and len(outcome.results) > 1:
        for result in outcome.results:
            events = amount(result.unique_events if result.inserted is None else result.inserted, "event")
            terminal.report(f"{result.table}: {events}{'' if result.inserted is None else ' inserted'}", "dim")
    for line in _notes(outcome):
        terminal.report(line, "yellow")
    for result in outcome.results:
        _report_doubles(result, terminal)
    terminal.report(_balance(outcome), "green" if outcome.exit_code is ExitCode.OK else "dim")
    next_watermark = f"{format_time(window.next_watermark)} (UTC)"
    terminal.report(f"{'the watermark would be' if outcome.dry_run else 'watermark:'} {next_watermark}", "dim")


_MAX_TABLES: Final = 3


def _balance(outcome: "IncrementalOutcome") -> str:
    balance, there = outcome.balance, outcome.already_there
    others = (
        (there or 0, "already there"),
        (outcome.batch.duplicates, "duplicates"),
        (balance.filtered - balance.canaries, "filtered"),
        (balance.canaries, CANARY),
        (balance.events_rejected, "rejected"),
    )
    return format_balance(
        balance, balance.events_out, "inserted" if there is not None else "new or already there", others
    )


def _notes(outcome: "IncrementalOutcome") -> "Iterator[str]":
    batch = outcome.batch
    if batch.late and batch.late_since is not None:
        since = f"{format_time(batch.late_since)} (UTC)"
        yield f"{amount(batch.late, 'late event')}: before the period of these rows, the earliest at {since}"
    if batch.changed:
        yield (
            f"{amount(batch.changed, 'duplicate')} had different content from the first event with the same id, "
            "which was used"
        )


def _report_doubles(result: "TableResult", terminal: Terminal) -> None:
    if not result.doubled_ids:
        return
    ids = amount(result.doubled_ids, "id")
    terminal.report(
        f"{result.table} has {ids} more than once, in {amount(result.doubled_rows, 'row')}: runs with different "
        "windows may have inserted at the same time. These statements remove the copies; each can be repeated:",
        "red",
    )
    write_text(";\n\n".join(result.clean_up) + ";")
