"""What `tdcur reconcile` prints for people. The verdict is its last line."""

import sys
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Final

from rich.text import Text

from td_currents_cli.events.times import moment_of
from td_currents_cli.reconcile import Depth, DiffKind, ReconcileOutcome
from td_currents_cli.render.count.grid import Column, Grid, fits, show
from td_currents_cli.render.count.groups import cell
from td_currents_cli.render.figures import LOST, amount
from td_currents_cli.render.problems import show_problems
from td_currents_cli.render.terminal import Terminal, printable

if TYPE_CHECKING:
    from rich.console import Console

    from td_currents_cli.reconcile.outcome import Difference, SideFigures

MEANING: Final = {
    DiffKind.MISSING: "sent, and not ingested",
    DiffKind.CHANGED: "ingested with another content than sent",
    DiffKind.UNEXPECTED: "ingested, and not sent",
    DiffKind.DUPLICATED: "ingested more than once",
}
GRAVE: Final = frozenset({DiffKind.MISSING, DiffKind.CHANGED})
SHOWN: Final = 15
"""Types of a difference that are shown by themselves, unless more is wanted."""

WHY_NOTHING: Final = (
    "nothing that was sent is there: rows take about five minutes to appear, and never do when the write key is wrong, "
    "which is answered 200 all the same"
)
OUTLINE: Final = (
    "contents are compared but for decimals and huge or tiny floats, which a table (td://…) writes its own way"
)
WHY_ALL: Final = (
    "every content differs: where that cannot be, JSON has another form in this table than is known of it; "
    "`tdcur parse td://…` fetches the events themselves, to be compared instead"
)
OFTEN: Final = 4
"""Numbers of times that duplicated ids came which are told."""


FULL: Final = "%Y-%m-%d %H:%M:%S"
NARROW: Final = ("%Y-%m-%d %H:%M", "%m-%d %H:%M")
"""How times are written where there is less room, the second one when all are of one year."""


def table(outcome: ReconcileOutcome, terminal: Terminal) -> None:
    """The talk on standard error; then the differences, and the verdict."""
    _talk(outcome, terminal)
    for kind, difference in outcome.differences.items():
        if difference.count:
            _show(outcome, kind, difference, terminal)
    for line in _equations(outcome):
        terminal.show(line)
    terminal.show(*_verdict(outcome))
    sys.stdout.flush()


def _talk(outcome: ReconcileOutcome, terminal: Terminal) -> None:
    show_problems(outcome.problems, terminal)
    for name, side in (("sent", outcome.sent), ("ingested", outcome.ingested)):
        terminal.say(f"{name}: {_balance(side)}", "dim")
        if side.without_id:
            terminal.say(f"{name}: {amount(side.without_id, 'event')} without an id cannot be compared", "yellow")
    if outcome.sent.ids and not outcome.matched and not outcome.differences[DiffKind.CHANGED].count:
        terminal.say(WHY_NOTHING, "yellow")
    _talk_of_contents(outcome, terminal)
    if outcome.spilled:
        disk, memory = (f"{number / 1e6:,.0f} MB" for number in (outcome.spilled.bytes, outcome.spilled.limit))
        terminal.say(f"{disk} of fingerprints were in temporary files; at most {memory} are kept in memory", "dim")
    if outcome.payloads is not None:
        missing = amount(outcome.differences[DiffKind.MISSING].count, "missing event")
        payloads = amount(outcome.payloads, "payload")
        file = printable(str(outcome.resend))
        terminal.say(f"{missing} in {payloads} written to {file}, for `tdcur send --resend`", "dim")


def _talk_of_contents(outcome: ReconcileOutcome, terminal: Terminal) -> None:
    if not outcome.by_content:
        terminal.say("contents are not known on both sides: changes cannot be told", "yellow")
    if outcome.depth is Depth.OUTLINE:
        terminal.say(OUTLINE, "dim")
        if outcome.differences[DiffKind.CHANGED].count and outcome.matched == outcome.unknown:
            terminal.say(WHY_ALL, "yellow")
    if outcome.unknown:
        of = amount(outcome.unknown, "id")
        terminal.say(f"of {of}, the content is not known on both sides: a change cannot be told", "yellow")


def _balance(side: "SideFigures") -> str:
    """Where all rows and events of a side went; what did not happen is left out."""
    rows, counts = side.balance, side.counts
    rejected = f" + {rows.rows_rejected:,} rejected" if rows.rows_rejected else ""
    parts = [
        (counts.filtered, "of another time"),
        (counts.too_young, "too young to have arrived"),
        (side.without_id, "without an id"),
        (rows.events_rejected, "rejected"),
        (rows.lost, LOST),
    ]
    events = [f"{side.events:,} compared", *(f"{number:,} {what}" for number, what in parts if number)]
    return (
        f"{amount(rows.rows_read, 'row')} read = {rows.rows_good:,} good{rejected}; "
        f"{amount(rows.events_read, 'event')} read = {' + '.join(events)}"
    )


def _show(outcome: ReconcileOutcome, kind: DiffKind, difference: "Difference", terminal: Terminal) -> None:
    console, style = terminal.out, "bold red" if kind in GRAVE else "bold yellow"
    often = _often(outcome) if kind is DiffKind.DUPLICATED else ""
    console.print(Text(f"{kind}: {amount(difference.count, 'id')} {MEANING[kind]}{often}", style), soft_wrap=True)
    shown = None if terminal.verbose else SHOWN
    show(_fitting([_grid(difference, shown, form) for form in _forms(difference)], console), console)
    for event_id in difference.examples:
        console.print(f"  {printable(event_id)}", style="dim", markup=False, soft_wrap=True)
    left = difference.count - len(difference.examples)
    if difference.examples and left:
        console.print(f"  … and {left:,} more", style="dim", markup=False)
    console.print()


def _fitting(grids: Sequence[Grid], console: "Console") -> Grid:
    """The first that fits; off a terminal, where no width matters, the first."""
    if not console.is_terminal:
        return grids[0]
    return next((grid for grid in grids if fits(grid.table(), console)), grids[-1])


def _forms(difference: "Difference") -> list[str]:
    """How times may be written, the widest first."""
    seconds = [each for group in difference.groups.values() for each in (group.first, group.last)]
    years = {moment.year for each in seconds if (moment := moment_of(each))}
    return [FULL, *NARROW[: 1 if len(years) > 1 else 2]]


def _grid(difference: "Difference", shown: int | None, form: str) -> Grid:
    groups = dict(islice(difference.groups.items(), shown))
    others = len(difference.groups) - len(groups)
    left = difference.count - sum(group.count for group in groups.values())
    names = Column(
        head="event type",
        cells=[cell(name, "event_type") for name in groups],
        rest=Text(f"… and {amount(others, 'more type')}"),
        foot=Text("total"),
    )
    numbers = Column(
        head="ids",
        cells=[Text(f"{group.count:,}") for group in groups.values()],
        rest=Text(f"{left:,}"),
        foot=Text(f"{difference.count:,}"),
        right=True,
    )
    first = _moments("first (UTC)", [group.first for group in groups.values()], form)
    last = _moments("last (UTC)", [group.last for group in groups.values()], form)
    return Grid(columns=(names, numbers, first, last), has_rest=others > 0, has_foot=len(difference.groups) > 1)


def _moments(head: str, seconds: Sequence[int | None], form: str) -> Column:
    moments = [moment_of(each) for each in seconds]
    return Column(head=head, cells=[Text(f"{moment:{form}}" if moment else "") for moment in moments])


def _often(outcome: ReconcileOutcome) -> str:
    """How often duplicated ids came: `: 3 twice, 1 5 times`."""
    words = {2: "twice", 3: "three times"}
    each = [f"{ids:,} {words.get(times, f'{times:,} times')}" for times, ids in sorted(outcome.times.items())]
    more = ["…"] if len(each) > OFTEN else []
    return f" ({', '.join(each[:OFTEN] + more)})"


def _equations(outcome: ReconcileOutcome) -> Iterator[str]:
    """Where every id of both sides went; what did not happen is left out."""
    number = {kind: difference.count for kind, difference in outcome.differences.items()}
    for ids, side, kinds in (
        (outcome.sent.ids, "sent", (DiffKind.MISSING, DiffKind.CHANGED)),
        (outcome.ingested.ids, "ingested", (DiffKind.UNEXPECTED, DiffKind.CHANGED)),
    ):
        parts = [f"{outcome.matched:,} matched", *(f"{number[kind]:,} {kind}" for kind in kinds if number[kind])]
        yield f"{amount(ids, 'id')} {side} = {' + '.join(parts)}"


def _verdict(outcome: ReconcileOutcome) -> tuple[str, str]:
    """The last line, and its style."""
    sent, missing = outcome.sent, outcome.differences[DiffKind.MISSING].count
    changed = outcome.differences[DiffKind.CHANGED].count
    if missing or changed:
        parts = [f"{number:,} {what}" for number, what in ((missing, "missing"), (changed, "changed")) if number]
        were = "was" if sent.ids == 1 else "were"
        return f"Of {amount(sent.ids, 'event id')} that {were} sent, {' and '.join(parts)}.", "bold red"
    if sent.without_id:
        return f"Whether {amount(sent.without_id, 'event')} sent without an id arrived, nobody knows.", "bold red"
    if not sent.ids:
        return "There is nothing to compare: no event was sent.", "bold yellow"
    some = f"All {sent.ids:,} event ids that were sent have" if sent.ids > 1 else "The event id that was sent has"
    arrived = f"{some} arrived"
    if outcome.failed:
        others = " and ".join(f"{outcome.differences[kind].count:,} {kind}" for kind in outcome.failed)
        return f"{arrived}, but {others}.", "bold red"
    return f"{arrived}.", "bold green"
