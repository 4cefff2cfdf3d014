"""Counts compared with the expected or the earlier ones."""

from collections.abc import Iterable, Iterator, Sequence

from rich.text import Text

from td_currents_cli.count import CountOutcome
from td_currents_cli.count.baseline import CheckedCounts, CountChange, CountComparison
from td_currents_cli.count.dimensions import Key
from td_currents_cli.render.count.grid import Grid, GridColumn
from td_currents_cli.render.count.groups import group_cell, heading
from td_currents_cli.render.figures import amount, percent
from td_currents_cli.render.terminal import Terminal, printable


def difference_grids(outcome: CountOutcome) -> Iterator[Grid]:
    """Yield a grid of the groups that differ from the expected counts, and one of those that changed."""
    if outcome.checks and outcome.checks.failed:
        yield _mismatch_grid(outcome.checks, outcome.by)
    if outcome.changes and outcome.changes.changed:
        yield _change_grid(outcome.changes, outcome.by)


def report_matches(outcome: CountOutcome, terminal: Terminal) -> None:
    """Report that the counts match the expected or the earlier ones."""
    checks, changes = outcome.checks, outcome.changes
    if checks and not checks.failed:
        terminal.report(f"{printable(checks.file)}: counts match ({amount(len(checks.checks), 'group')})", "green")
    if changes and not changes.changed:
        terminal.report(f"{printable(changes.file)}: no change ({amount(len(changes.changes), 'group')})", "green")


def _mismatch_grid(checks: CheckedCounts, by: Sequence[str]) -> Grid:
    failed = checks.failed
    return Grid(
        title=f"{printable(checks.file)}: {len(failed):,} of {amount(len(checks.checks), 'group')} do not match",
        columns=(
            *_key_columns([check.key for check in failed], by),
            _number_column("expected", (printable(check.expected) for check in failed)),
            _number_column("counted", (f"{check.count:,}" for check in failed)),
            GridColumn(head="difference", cells=[Text(f"{check.miss:+,}", "red") for check in failed], right=True),
        ),
        has_foot=False,
    )


def _change_grid(changes: CountComparison, by: Sequence[str]) -> Grid:
    changed, dropped = changes.changed, changes.dropped
    title = f"{printable(changes.file)}: {len(changed):,} of {amount(len(changes.changes), 'group')} changed"
    columns = [
        *_key_columns([change.key for change in changed], by),
        _number_column("before", (f"{change.before:,}" for change in changed)),
        _number_column("now", (f"{change.now:,}" for change in changed)),
        _number_column("change", (f"{change.now - change.before:+,}" for change in changed)),
        GridColumn(head="", cells=[_relative_change(change) for change in changed], right=True),
    ]
    if changes.fail_on_drop is not None:
        title += f"; {len(dropped):,} dropped by {percent(changes.fail_on_drop)} or more"
        columns.append(
            GridColumn(head="", cells=[Text("dropped" if each in dropped else "", "red") for each in changed])
        )
    return Grid(title=title, columns=columns, has_foot=False)


def _relative_change(change: CountChange) -> Text:
    return Text("new", "cyan") if change.part is None else Text(f"{change.part:+.1%}".replace("%", " %"))


def _key_columns(keys: Sequence[Key], by: Sequence[str]) -> Iterator[GridColumn]:
    for place, name in enumerate(by):
        yield GridColumn(head=heading(name), cells=[group_cell(key[place], name) for key in keys])


def _number_column(head: str, numbers: Iterable[str]) -> GridColumn:
    return GridColumn(head=head, cells=[Text(number) for number in numbers], right=True)
