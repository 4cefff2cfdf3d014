"""Counts beside those that were expected, or that there were before."""

from collections.abc import Iterable, Iterator, Sequence

from rich.text import Text

from td_currents_cli.count import CountOutcome
from td_currents_cli.count.compare import CountChange, CountComparison
from td_currents_cli.count.dimension import Key
from td_currents_cli.count.expect import CheckedCounts
from td_currents_cli.render.count.grid import Column, Grid
from td_currents_cli.render.count.groups import cell, label, share
from td_currents_cli.render.figures import amount
from td_currents_cli.render.terminal import Terminal, printable


def difference_grids(outcome: CountOutcome) -> Iterator[Grid]:
    """A grid of the groups that are not as expected, and one of those that changed, where there are any."""
    if outcome.checks and outcome.checks.failed:
        yield _unexpected(outcome.checks, outcome.by)
    if outcome.changes and outcome.changes.changed:
        yield _changed(outcome.changes, outcome.by)


def say_what_agrees(outcome: CountOutcome, terminal: Terminal) -> None:
    """Say of counts that are as they should be that they are."""
    checks, changes = outcome.checks, outcome.changes
    if checks and not checks.failed:
        terminal.say(f"{printable(checks.file)}: as expected ({amount(len(checks.checks), 'group')})", "green")
    if changes and not changes.changed:
        terminal.say(f"{printable(changes.file)}: no change ({amount(len(changes.changes), 'group')})", "green")


def _unexpected(checks: CheckedCounts, by: Sequence[str]) -> Grid:
    failed = checks.failed
    return Grid(
        title=f"{printable(checks.file)}: not as expected: {len(failed):,} of {amount(len(checks.checks), 'group')}",
        columns=(
            *_names([check.key for check in failed], by),
            _numbers("expected", (printable(check.expected) for check in failed)),
            _numbers("counted", (f"{check.count:,}" for check in failed)),
            Column(head="difference", cells=[Text(f"{check.miss:+,}", "red") for check in failed], right=True),
        ),
        has_foot=False,
    )


def _changed(changes: CountComparison, by: Sequence[str]) -> Grid:
    changed, dropped = changes.changed, changes.dropped
    title = f"{printable(changes.file)}: changed: {len(changed):,} of {amount(len(changes.changes), 'group')}"
    columns = [
        *_names([change.key for change in changed], by),
        _numbers("before", (f"{change.before:,}" for change in changed)),
        _numbers("now", (f"{change.now:,}" for change in changed)),
        _numbers("change", (f"{change.now - change.before:+,}" for change in changed)),
        Column(head="", cells=[_part(change) for change in changed], right=True),
    ]
    if changes.fail_on_drop is not None:
        title += f"; dropped by {share(changes.fail_on_drop)} or more: {len(dropped):,}"
        columns.append(Column(head="", cells=[Text("dropped" if each in dropped else "", "red") for each in changed]))
    return Grid(title=title, columns=columns, has_foot=False)


def _part(change: CountChange) -> Text:
    return Text("new", "cyan") if change.part is None else Text(f"{change.part:+.1%}".replace("%", " %"))


def _names(keys: Sequence[Key], by: Sequence[str]) -> Iterator[Column]:
    for place, name in enumerate(by):
        yield Column(head=label(name), cells=[cell(key[place], name) for key in keys])


def _numbers(head: str, numbers: Iterable[str]) -> Column:
    return Column(head=head, cells=[Text(number) for number in numbers], right=True)
