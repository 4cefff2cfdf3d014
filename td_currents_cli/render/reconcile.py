"""The result of `tdcur reconcile` for people. The last line is the verdict."""

import sys
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Final

from rich.text import Text

from td_currents_cli.braze import CANARY
from td_currents_cli.count.dimensions import EVENT_TYPE
from td_currents_cli.errors import ExitCode
from td_currents_cli.events.filter import moment_of
from td_currents_cli.reconcile import Depth, DiffKind, ReconcileOutcome
from td_currents_cli.reconcile.compare import DiffGroup
from td_currents_cli.reconcile.side import FAILURES
from td_currents_cli.render import progress as job_progress
from td_currents_cli.render.grid import (
    Cell,
    Grid,
    GridColumn,
    TimeForm,
    group_cell,
    print_grid,
    table_column,
    time_columns,
)
from td_currents_cli.render.progress import clock_time
from td_currents_cli.render.terminal import (
    LOST,
    ProgressLine,
    Terminal,
    amount,
    format_balance,
    print_problems,
    print_wrapped,
    printable,
)
from td_currents_cli.sizes import format_size
from td_currents_cli.treasure_data.updates import Download, Job, Retry

if TYPE_CHECKING:
    from td_currents_cli.reconcile.result import Difference
    from td_currents_cli.reconcile.side import SideFigures
    from td_currents_cli.treasure_data.updates import Update
    from td_currents_cli.verify import VerifyCallback, VerifyOutcome, VerifyProgress


MEANING: Final = {
    DiffKind.MISSING: "sent but not ingested",
    DiffKind.CHANGED: "ingested with different content",
    DiffKind.UNEXPECTED: "ingested but not sent",
    DiffKind.DUPLICATED: "ingested more than once",
}
SHOWN_TYPES: Final = 15
"""Event types of a difference that are shown without --verbose."""

NOTHING_ARRIVED: Final = (
    "none of the sent events were ingested: rows take about five minutes to appear, and never appear if the write key "
    "is wrong, although the response is HTTP 200"
)
DIGESTS_ONLY: Final = (
    "contents are compared except for decimals and very large or very small floating-point numbers, which a table "
    "(td://…) stores in a different form"
)
ALL_CHANGED: Final = (
    "the content of every event differs: if that is not possible, this table stores JSON in an unknown form; "
    "`tdcur parse td://…` downloads the events, which can be compared instead"
)
NOT_WRITTEN: Final = (
    "because the events may be in the ingested rows that could not be read: sending them again would store them twice; "
    "fix or export these rows again, or write the file with --force"
)
STREAMING: Final = (
    "rows of the streaming connector are among the events: fractions, booleans, and `time` are not compared with them"
)
SCOPE_OF_IDS: Final = (
    "rows of the streaming connector have no event time: each belongs to the period if its event on the other side "
    "does, or, if there is none, if it was received in the period"
)
SHOWN_COUNTS: Final = 4
"""How many repeat counts of duplicated ids are shown."""


def print_comparison(outcome: ReconcileOutcome, terminal: Terminal) -> None:
    """Print messages to standard error; then the differences and the verdict to standard output."""
    report_comparison(outcome, terminal)
    form = _time_form(outcome, terminal)
    for kind, difference in outcome.differences.items():
        if difference.count:
            _print_difference(outcome, kind, difference, terminal, form)
    if terminal.verbose or not _is_smooth(outcome):
        for line in equations(outcome):
            terminal.print(line)
    for line in unread(outcome):
        terminal.print(line, "bold red")
    terminal.print(*verdict(outcome))
    sys.stdout.flush()


def report_comparison(outcome: ReconcileOutcome, terminal: Terminal) -> None:
    """Print problems and messages to standard error."""
    print_problems(outcome.problems, terminal)
    for words, style in comparison_notes(outcome, everything=terminal.verbose):
        terminal.report(words, style)


def comparison_notes(outcome: ReconcileOutcome, *, everything: bool) -> Iterator[tuple[str, str]]:
    """Yield in words what the figures do not say, each with a style."""
    for name, side in (("sent", outcome.sent), ("ingested", outcome.ingested)):
        if everything or not _is_smooth(outcome):
            yield f"{name}: {_side_balance(side)}", "dim"
        if without_id := side.counts.without_id:
            yield f"{name}: {amount(without_id, 'event')} without an id cannot be compared", "yellow"
    found = outcome.matched or outcome.differences[DiffKind.CHANGED].count
    if outcome.expected and not (found or outcome.ingested.unread or outcome.ingested.sources.left_out):
        yield NOTHING_ARRIVED, "yellow"
    yield from _notes_of_contents(outcome)
    if outcome.spilled:
        disk, memory = map(format_size, (outcome.spilled, outcome.limit))
        yield f"{disk} of fingerprints were kept in temporary files (memory limit: {memory})", "dim"
    for path in outcome.withheld:
        yield f"{printable(str(path))} was not written, {NOT_WRITTEN}", "yellow"
    if outcome.payloads is not None:
        missing = amount(outcome.differences[DiffKind.MISSING].count, "missing event")
        payloads = amount(outcome.payloads, "payload")
        file = printable(str(outcome.resend))
        yield f"{missing} in {payloads} written to {file}, for `tdcur send --resend`", "dim"


def _is_smooth(outcome: ReconcileOutcome) -> bool:
    """Whether every event of both sides was compared, and nothing differs."""
    sides = outcome.sent, outcome.ingested
    is_same = not (outcome.anonymous or any(difference.count for difference in outcome.differences.values()))
    is_all = all(side.ids == side.events == side.balance.events_read and not side.sources.left_out for side in sides)
    return bool(outcome.exit_code is ExitCode.OK and outcome.sent.ids and is_same and is_all)


def _notes_of_contents(outcome: ReconcileOutcome) -> Iterator[tuple[str, str]]:
    if not outcome.by_content:
        yield "only ids are compared, so changes of the content cannot be detected", "yellow"
    if outcome.depth is Depth.OUTLINE:
        yield DIGESTS_ONLY, "dim"
        if outcome.differences[DiffKind.CHANGED].count and outcome.matched == outcome.unknown:
            yield ALL_CHANGED, "yellow"
    if outcome.per_id:
        yield SCOPE_OF_IDS, "dim"
    if outcome.streaming:
        yield STREAMING, "yellow"
    if outcome.anonymous:
        ids = amount(outcome.anonymous.total(), "id")
        yield f"{ids} of users without external_user_id not expected, as Braze does not send them", "dim"
    if outcome.unknown:
        ids = amount(outcome.unknown, "id")
        yield f"{ids} without known content on both sides: changes cannot be detected", "yellow"


def _side_balance(side: "SideFigures") -> str:
    others = (
        (side.counts.filtered, "outside the period"),
        (side.counts.too_young, "within the grace period"),
        (side.counts.canaries, CANARY),
        (side.counts.without_id, "without an id"),
        (side.balance.events_rejected, "rejected"),
        (side.balance.lost, LOST),
    )
    return format_balance(side.balance, side.events, "compared", others)


def _print_difference(
    outcome: ReconcileOutcome, kind: DiffKind, difference: "Difference", terminal: Terminal, form: TimeForm
) -> None:
    console, style = terminal.out, "bold red" if kind in FAILURES else "bold yellow"
    print_wrapped(console, Text(difference_title(outcome, kind), style))
    shown = None if terminal.verbose else SHOWN_TYPES
    print_grid(difference_grid(difference, form, shown), terminal.out_stream)
    for event_id in difference.examples:
        print_wrapped(console, f"  {printable(event_id)}", "dim")
    left = difference.count - len(difference.examples)
    if difference.examples and left:
        print_wrapped(console, f"  … and {left:,} more", "dim")
    if difference.examples:
        console.print()


def difference_title(outcome: ReconcileOutcome, kind: DiffKind) -> str:
    """Format the number of ids with a kind of difference, and what it means."""
    meaning = MEANING[kind]
    if kind is DiffKind.DUPLICATED:
        meaning += _repeat_counts(outcome)
    elif kind is DiffKind.MISSING and outcome.ingested.unread:
        meaning = "sent but not found in what could be read"
    elif kind is DiffKind.UNEXPECTED and outcome.sent.unread:
        meaning = "ingested but not found in what could be read of the sent events"
    return f"{kind}: {amount(outcome.differences[kind].count, 'id')} {meaning}"


def _time_form(outcome: ReconcileOutcome, terminal: Terminal) -> TimeForm:
    """How all tables show times: in two columns if they fit the terminal, else in one."""
    room = terminal.out_stream.width
    if room is None:
        return TimeForm.FULL
    shown = None if terminal.verbose else SHOWN_TYPES
    differences = outcome.differences.values()
    widths = (difference_grid(each, TimeForm.WORDS, shown).width() for each in differences if each.count)
    return TimeForm.WORDS if all(width <= room for width in widths) else TimeForm.SPAN


def difference_grid(difference: "Difference", form: TimeForm, shown: int | None) -> Grid:
    """Build a table of the first event types (all if None) with a kind of difference."""
    groups = dict(islice(difference.groups.items(), shown))
    others = len(difference.groups) - len(groups)
    left = difference.count - sum(group.count for group in groups.values())
    rows, rest, total = list(groups.values()), DiffGroup(left), DiffGroup(difference.count)
    cells = [group_cell(name, EVENT_TYPE) for name in groups]
    more = Cell(f"… and {amount(others, 'more type')}")
    types = GridColumn(head="event type", cells=cells, rest=more, foot=Cell("total"), foldable=True)
    numbers = table_column(rows, rest, total, "ids", lambda group: Cell(f"{group.count:,}"), right=True)
    times = time_columns(
        rows, rest, total, lambda group: (moment_of(group.first), moment_of(group.last)), form, zone=" (UTC)"
    )
    return Grid(columns=(types, numbers, *times), has_rest=others > 0, has_foot=len(difference.groups) > 1)


def _repeat_counts(outcome: ReconcileOutcome) -> str:
    """Format how often duplicated ids occur: ` (3 twice, 1 5 times)`."""
    words = {2: "twice", 3: "three times"}
    times_and_ids = sorted(outcome.ingested.times.items())
    counts = [f"{ids:,} {words.get(times, f'{times:,} times')}" for times, ids in times_and_ids]
    more = ["…"] if len(counts) > SHOWN_COUNTS else []
    return f" ({', '.join(counts[:SHOWN_COUNTS] + more)})"


def equations(outcome: ReconcileOutcome) -> Iterator[str]:
    """Account for every id of both sides, leaving out what did not happen."""
    number = {kind: difference.count for kind, difference in outcome.differences.items()}
    for ids, side, kinds in (
        (outcome.sent.ids, "sent", (DiffKind.MISSING, DiffKind.CHANGED)),
        (outcome.ingested.ids, "ingested", (DiffKind.UNEXPECTED, DiffKind.CHANGED)),
    ):
        names = {DiffKind.MISSING: "not found"} if outcome.ingested.unread else {}
        parts = [f"{number[kind]:,} {names.get(kind, kind)}" for kind in kinds if number[kind]]
        parts.insert(0, f"{outcome.matched:,} matched")
        if side == "sent" and outcome.anonymous:
            parts.append(f"{outcome.anonymous.total():,} not expected")
        yield f"{amount(ids, 'id')} {side} = {' + '.join(parts)}"


def unread(outcome: ReconcileOutcome) -> Iterator[str]:
    """Tell what could not be read on each side: `Could not be read: 2 ingested rows, 1 ingested source`."""
    for name, side in (("sent", outcome.sent), ("ingested", outcome.ingested)):
        if side.unread:
            parts = [amount(number, f"{name} {what}") for what, number in side.unread.items()]
            yield f"Could not be read: {', '.join(parts)}."


def verdict(outcome: ReconcileOutcome) -> tuple[str, str]:
    """Return the last line and its style. It says why the exit code is not 0."""
    sent = outcome.sent
    if _is_smooth(outcome):
        arrived = f"all {sent.ids:,} sent event ids arrived" if sent.ids > 1 else "the sent event id arrived"
        return f"{_rows_of_sides(outcome)}{arrived}.".capitalize(), "bold green"
    if outcome.differences[DiffKind.MISSING].count or outcome.differences[DiffKind.CHANGED].count:
        return _difference_verdict(outcome), "bold red"
    if sent.counts.without_id:
        return f"{amount(sent.counts.without_id, 'event')} sent without an id cannot be verified.", "bold red"
    expected = f"All {outcome.expected:,} expected" if outcome.anonymous else f"All {sent.ids:,} sent"
    arrived = f"{expected} event ids arrived" if sent.ids > 1 else "The sent event id arrived"
    if not outcome.expected:
        nothing = "no sent event could be read" if sent.unread else "no events were sent"
        nothing = "no event is expected" if outcome.anonymous else nothing
        arrived = f"Nothing to compare: {nothing}"
    others = [f"{outcome.differences[kind].count:,} {kind}" for kind in outcome.failed]
    others += _incomplete(outcome)
    if others:
        return f"{arrived}, but {' and '.join(others)}.", "bold red"
    if sent.sources.left_out:
        return f"{arrived}; some files of the sent folder were left out (see above).", "bold yellow"
    return f"{arrived}.", "bold green" if outcome.expected else "bold yellow"


def _rows_of_sides(outcome: ReconcileOutcome) -> str:
    """Tell how many rows were read; nothing of a table, which returns ids."""
    sides = (("sent", outcome.sent), ("ingested", outcome.ingested))
    rows = [f"{amount(side.balance.rows_read, 'row')} {name}" for name, side in sides if side.balance.rows_read]
    return f"{', '.join(rows)}: " if rows else ""


def _difference_verdict(outcome: ReconcileOutcome) -> str:
    missing, changed = (outcome.differences[kind].count for kind in (DiffKind.MISSING, DiffKind.CHANGED))
    is_unknown = bool(missing and outcome.ingested.unread)
    counts = ((missing, "not found" if is_unknown else "missing"), (changed, "changed"))
    parts = [f"{number:,} {'is' if number == 1 else 'are'} {what}" for number, what in counts if number]
    verdict = f"Of {amount(outcome.sent.ids, 'sent event id')}, {' and '.join(parts)}"
    if is_unknown:
        return f"{verdict}; what is missing cannot be told until everything ingested can be read."
    read = " in the ingested files that were not left out" if outcome.ingested.sources.left_out else ""
    return f"{verdict}{read}."


def _incomplete(outcome: ReconcileOutcome) -> list[str]:
    if outcome.sent.unread:
        return ["not everything that was sent could be read"] if outcome.sent.ids else []
    if outcome.ingested.unread:
        return ["not everything that was ingested could be read"]
    errors = outcome.problems.errors
    return [f"there {'is' if errors == 1 else 'are'} {amount(errors, 'error')}"] if errors else []


SHOWN_IDS: Final = 10
"""Missing ids that are printed without --verbose; JSON has all of them."""


def print_verification(outcome: "VerifyOutcome", terminal: Terminal) -> None:
    """Print whether all events arrived, the missing ids, and what to do about them."""
    print_problems(outcome.problems, terminal)
    terminal.print(_arrival_line(outcome), "bold red" if outcome.missing else "bold green")
    sys.stdout.flush()
    shown = outcome.missing if terminal.verbose else outcome.missing[:SHOWN_IDS]
    for event_id in shown:
        terminal.print(f"  missing {printable(event_id)}")
    if more := len(outcome.missing) - len(shown):
        terminal.report(f"  … and {more:,} more; use --verbose or --format json to see all", "dim")
    if outcome.without_id and outcome.missing:
        terminal.report(f"{amount(outcome.without_id, 'event')} without an id cannot be verified", "yellow")
    if outcome.unreadable:
        terminal.report(f"{amount(outcome.unreadable, 'row')} of the table could not be read completely", "yellow")
    asked = f"{amount(outcome.asked, 'query', 'queries')} in {clock_time(outcome.seconds)}"
    terminal.report(f"{asked}; rows received from {outcome.rows} (UTC)", "dim")
    if outcome.advice:
        terminal.report(outcome.advice)


def _arrival_line(outcome: "VerifyOutcome") -> str:
    """Tell how many ids arrived and, if the exit code is not 0, why."""
    if not outcome.sent:
        arrived = "no event ids to search for"
    elif outcome.missing:
        found = "were found" if outcome.unreadable else "arrived"
        return f"{outcome.arrived:,} of {amount(outcome.sent, 'event id')} {found} in {outcome.table}"
    else:
        arrived = f"All {amount(outcome.sent, 'event id')} arrived in {outcome.table}"
    if outcome.problems.errors:
        return f"{arrived}, but not everything that was sent could be read"
    if outcome.without_id:
        return f"{arrived}, but {amount(outcome.without_id, 'event')} without an id cannot be verified"
    return arrived


def verification_line(update: "VerifyProgress | Update") -> str:
    """Format progress on one line: `arrived 90, missing 10, 0:35, next query in 5 s`; or the state of a query."""
    if isinstance(update, Job | Download | Retry):
        return job_progress.job_line(update)
    figures = [f"arrived {update.arrived:,}", f"missing {update.missing:,}", clock_time(update.seconds)]
    if update.pause is not None:
        figures.append(f"next query in {update.pause:,.0f} s")
    return ", ".join(figures)


def verification_updates(line: ProgressLine, terminal: Terminal) -> "VerifyCallback":
    """Return a function that shows the progress of a verification."""
    print_job = job_progress.job_printer(terminal, after=job_progress.JOB_INTERVAL)

    def print_update(update: "VerifyProgress | Update") -> None:
        if isinstance(update, Job | Download | Retry):
            print_job(update)
        else:
            print_wrapped(terminal.err, verification_line(update))

    return job_progress.updates(line, terminal, verification_line, print_update, job_progress.is_killed)
