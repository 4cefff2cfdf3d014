"""What a count says besides its figures; it needs no rich, so that scripts need not wait for that to load."""

import sys
from collections.abc import Iterator
from datetime import UTC
from typing import Final

from td_currents_cli.catalog import load
from td_currents_cli.count import CountOutcome
from td_currents_cli.count.dimensions import TimeUnit
from td_currents_cli.render.terminal import Terminal, amount, balance_line, print_problems, printable

SHOWN_UNKNOWN: Final = 5
"""Unknown types that are named."""


def report_count(outcome: CountOutcome, terminal: Terminal) -> None:
    """Report what the counts match, the problems, unknown types and fields, and the balance."""
    sys.stdout.flush()
    for words, style in _matches(outcome):
        terminal.report(words, style)
    print_problems(outcome.problems, terminal)
    if terminal.quiet:
        return
    for words, style in _remarks(outcome):
        terminal.report(words, style)


def count_notes(outcome: CountOutcome) -> Iterator[tuple[str, str]]:
    """Yield in words what the figures do not say, each with a style."""
    yield from _matches(outcome)
    yield from _remarks(outcome)


def _matches(outcome: CountOutcome) -> Iterator[tuple[str, str]]:
    checks, changes = outcome.checks, outcome.changes
    if checks and not checks.failed:
        yield f"{printable(checks.file)}: counts match ({amount(len(checks.checks), 'group')})", "green"
    if changes and not changes.changed:
        yield f"{printable(changes.file)}: no change ({amount(len(changes.changes), 'group')})", "green"


def _remarks(outcome: CountOutcome) -> Iterator[tuple[str, str]]:
    for name in outcome.unknown_types[:SHOWN_UNKNOWN]:
        near = load().suggest(name)
        suggestion = f"; did you mean `{near}`?" if near else ""
        yield f"`{printable(name)}` is not in the catalog{suggestion}", "yellow"
    if len(outcome.unknown_types) > SHOWN_UNKNOWN:
        more = amount(len(outcome.unknown_types) - SHOWN_UNKNOWN, "more type")
        yield f"… and {more} not in the catalog", "yellow"
    for name in outcome.absent_fields:
        yield f"no event has the field `{printable(name)}`", "yellow"
    if outcome.spilled:
        yield f"{amount(outcome.spilled, 'id')} kept in a temporary file to limit memory use", "dim"
    if outcome.streaming:
        units = [f"{name}s" for name in outcome.by if name in set(TimeUnit)]
        of_receipt = f": {' and '.join(units)} are those of receipt" if units else ""
        yield f"times of rows of the streaming connector are when they were received{of_receipt}", "yellow"
    if outcome.zone is not UTC:
        yield f"times in {outcome.zone}", "dim"
    yield balance_line(outcome.balance, "counted"), "dim"
    if not outcome.complete:
        compared = "; the comparison is incomplete" if outcome.checks or outcome.changes else ""
        yield f"what could not be read is not counted{compared}", "yellow"
