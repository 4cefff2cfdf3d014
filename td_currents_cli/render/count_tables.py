"""Tables for a terminal or a Markdown page."""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime, tzinfo
from enum import Enum
from typing import Final

from msgspec import Struct
from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from td_currents_cli.catalog import load
from td_currents_cli.count import Count, CountOutcome
from td_currents_cli.count.aggregate import TimeHistogram
from td_currents_cli.count.baseline import CheckedCounts, CountChange, CountComparison
from td_currents_cli.count.dimensions import Key, TimeUnit
from td_currents_cli.count.result import Pivot, PivotRow
from td_currents_cli.render.terminal import (
    ROW_CODES,
    UNCLIPPED,
    Terminal,
    amount,
    balance_line,
    percent,
    print_problems,
    print_wrapped,
    printable,
)


class GridColumn(Struct, frozen=True, kw_only=True):
    """One column of a table."""

    head: str
    cells: Sequence[Text]
    rest: Text = Text()  # in the row that sums up all rows not shown
    foot: Text = Text()  # in the row of the total
    right: bool = False  # aligned to the right, as numbers are
    graphic: bool = False  # a bar or sparkline, left out of Markdown


class Grid(Struct, frozen=True, kw_only=True):
    """A table with an optional row for all rows not shown, and one for the total."""

    columns: Sequence[GridColumn]
    has_rest: bool = False
    has_foot: bool = True
    title: str = ""

    def table(self) -> Table:
        """Build a table for a terminal."""
        table = Table(box=box.SIMPLE_HEAD, show_footer=self.has_foot, pad_edge=False, collapse_padding=True)
        for column in self.columns:
            table.add_column(
                column.head,
                column.foot,
                justify="right" if column.right else "left",
                no_wrap=column.right or column.graphic,
                overflow="fold",
            )
        for line in zip(*(column.cells for column in self.columns), strict=True):
            table.add_row(*line)
        if self.has_rest:
            table.add_row(*(column.rest for column in self.columns), style="dim")
        return table

    def plain(self) -> str:
        """Format the same table without styles and with lines of any length: rich takes a millisecond per line."""
        rows = [[cell.plain for cell in line] for line in zip(*(column.cells for column in self.columns), strict=True)]
        if self.has_rest:
            rows.append([column.rest.plain for column in self.columns])
        blank = [""] * len(self.columns)
        rows = [blank, [column.head for column in self.columns], *rows, blank]
        if self.has_foot:
            rows += [[column.foot.plain for column in self.columns], blank]
        widths = [max(map(cell_len, cells)) for cells in zip(*rows, strict=True)]
        lines = [f" {'  '.join(map(_padded, row, widths, [each.right for each in self.columns]))} \n" for row in rows]
        lines.insert(2, f" {'─' * (sum(widths) + 2 * len(widths) - 2)} \n")
        return "".join(lines)

    def markdown(self) -> str:
        """Format a table of GitHub Flavored Markdown, with its line ends."""
        columns = [column for column in self.columns if not column.graphic]
        lines = [_markdown_line(column.head for column in columns)]
        lines.append("| " + " | ".join("--:" if column.right else "---" for column in columns) + " |")
        cells = zip(*(column.cells for column in columns), strict=True)
        lines += [_markdown_line(cell.plain for cell in line) for line in cells]
        if self.has_rest:
            lines.append(_markdown_line(column.rest.plain for column in columns))
        if self.has_foot:
            cells_of_foot = (_escape_markdown(column.foot.plain) for column in columns)
            lines.append("| " + " | ".join(f"**{cell}**" if cell else "" for cell in cells_of_foot) + " |")
        title = f"{_escape_markdown(self.title)}\n\n" if self.title else ""
        return title + "\n".join(lines) + "\n"


def fits(table: Table, console: Console) -> bool:
    """Tell whether a table fits a console without folding a line."""
    return table.__rich_measure__(console, console.options.update(width=UNCLIPPED)).maximum <= console.width


def print_grid(grid: Grid, console: Console) -> None:
    """Print a table without truncation: on a terminal that is too narrow, long names are folded."""
    if grid.title:
        print_wrapped(console, grid.title, "bold")
    if console.is_terminal or console.color_system or any("\n" in column.head for column in grid.columns):
        console.print(grid.table(), crop=False)
    else:
        console.file.write(grid.plain())


def _padded(cell: str, width: int, right: bool) -> str:  # noqa: FBT001 -- mapped over columns
    padding = " " * (width - cell_len(cell))
    return padding + cell if right else cell + padding


def _markdown_line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(_escape_markdown(cell) for cell in cells) + " |"


def _escape_markdown(content: str) -> str:
    return _MARKDOWN_SPECIAL.sub(r"\\\g<0>", content)


_MARKDOWN_SPECIAL: Final = re.compile(r"[\\`*\[\]|<]")


_EIGHTHS: Final = "▏▎▍▌▋▊▉█"
_HEIGHTS: Final = "▁▂▃▄▅▆▇█"


def bar(share: float, width: int, *, ascii_only: bool = False) -> str:
    """Draw a horizontal bar: `width` cells for a share of 1, and at least a sliver above 0."""
    if ascii_only:
        return "#" * max(round(share * width), 1 if share > 0 else 0)
    eighths = max(round(share * width * 8), 1 if share > 0 else 0)
    full, left = divmod(eighths, 8)
    return _EIGHTHS[-1] * full + (_EIGHTHS[left - 1] if left else "")


def sparkline(heights: Sequence[int]) -> str:
    """Draw a vertical bar for each number, the highest one full; a space for 0."""
    highest = max(heights, default=0)
    return "".join(_HEIGHTS[-(-height * 8 // highest) - 1] if height else " " for height in heights)


HEADINGS: Final = {"event_type": "event type"}
EMPTY_GROUPS: Final = {"event_type": "(no event_type)"}
UNKNOWN_MARK: Final = " ?"
"""After the name of a type that is not in the catalog."""


class TimeFormat(Enum):
    """Format of the first and the last time."""

    NONE = ""
    SHORT = "%m-%d %H:%M"
    FULL = "%Y-%m-%d %H:%M:%S"


class TableDetail(Struct, frozen=True):
    """Which figures a table has."""

    bar: int = 0  # width of the bars
    spark: int = 0  # width of the sparklines
    times: TimeFormat = TimeFormat.NONE
    share: bool = True


OFF_TERMINAL: Final = TableDetail(bar=10, times=TimeFormat.FULL)

DETAILS: Final = (
    TableDetail(bar=20, spark=32, times=TimeFormat.FULL),
    TableDetail(bar=10, spark=16, times=TimeFormat.FULL),
    TableDetail(bar=10, spark=12, times=TimeFormat.SHORT),
    TableDetail(bar=10, times=TimeFormat.FULL),
    TableDetail(bar=10, times=TimeFormat.SHORT),
    TableDetail(times=TimeFormat.SHORT),
    TableDetail(bar=10),
    TableDetail(),
    TableDetail(share=False),
)
"""On a terminal, the first of these that fits."""


def groups_grid(outcome: CountOutcome, console: Console | None) -> Grid:
    """Build the table of the groups, to fit a console; None is a page without a width."""
    if console is None or not console.is_terminal:
        return _group_grid(outcome, OFF_TERMINAL, ascii_only=console is not None and console.options.ascii_only)
    grids = (_group_grid(outcome, detail, ascii_only=console.options.ascii_only) for detail in DETAILS)
    return next(
        (grid for grid in grids if fits(grid.table(), console)), _group_grid(outcome, DETAILS[-1], ascii_only=True)
    )


def _group_grid(outcome: CountOutcome, detail: TableDetail, *, ascii_only: bool) -> Grid:
    return Grid(
        columns=tuple(_group_columns(outcome, detail, ascii_only=ascii_only)), has_rest=outcome.rest is not None
    )


def _group_columns(outcome: CountOutcome, detail: TableDetail, *, ascii_only: bool) -> Iterator[GridColumn]:
    yield from _group_names(outcome)
    yield _figures_column("count", outcome, "count")
    if detail.share:
        yield GridColumn(
            head="share",
            cells=[Text(percent(count.share)) for count in outcome.counts],
            rest=Text(percent(outcome.rest.share) if outcome.rest else ""),
            foot=Text(percent(outcome.total.share) if outcome.total.count else ""),
            right=True,
        )
    if detail.bar:
        highest = max((count.count for count in outcome.counts), default=0) or 1
        bars = [bar(count.count / highest, detail.bar, ascii_only=ascii_only) for count in outcome.counts]
        yield GridColumn(head="", cells=[Text(each, "blue") for each in bars], graphic=True)
    for head, name in (("duplicates", "duplicates"), ("distinct ids", "unique_events"), ("users", "unique_users")):
        if getattr(outcome.total, name) is not None:
            yield _figures_column(head, outcome, name)
    if detail.spark and not ascii_only and outcome.histogram:
        yield _sparkline_column(outcome, outcome.histogram, detail.spark)
    if detail.times is not TimeFormat.NONE:
        yield _times_column("first", outcome, detail.times)
        yield _times_column("last", outcome, detail.times)


def _group_names(outcome: CountOutcome) -> Iterator[GridColumn]:
    others, unknown = amount(outcome.others, "other"), frozenset(outcome.unknown_types)
    for place, name in enumerate(outcome.by):
        yield GridColumn(
            head=heading(name),
            cells=[group_cell(count.key[place], name, unknown) for count in outcome.counts],
            rest=Text(others if place == 0 else ""),
            foot=Text("total" if place == 0 else ""),
        )


def heading(name: str) -> str:
    """Return the column heading for a `--by` name."""
    return HEADINGS.get(name, printable(name))


def group_cell(value: str | None, name: str, unknown_types: Collection[str] = ()) -> Text:
    """Format a group's value of a `--by` name."""
    if not value:
        return Text(EMPTY_GROUPS.get(name, "(none)"), "dim")
    if name == "event_type" and value in unknown_types:
        return Text(printable(value) + UNKNOWN_MARK, "yellow")
    return Text(printable(value))


def _figures_column(head: str, outcome: CountOutcome, name: str) -> GridColumn:
    def format_cell(count: Count | None) -> Text:
        number = getattr(count, name, None)
        return Text("" if number is None else f"{number:,}", "dim" if number == 0 else "")

    cells = [format_cell(count) for count in outcome.counts]
    return GridColumn(
        head=head, cells=cells, rest=format_cell(outcome.rest), foot=format_cell(outcome.total), right=True
    )


def _sparkline_column(outcome: CountOutcome, histogram: TimeHistogram, width: int) -> GridColumn:
    lines = [histogram.heights(count.key, width) for count in outcome.counts]
    every = [histogram.heights(key, width) for key in histogram.counts]
    return GridColumn(
        head="over time",
        cells=[Text(sparkline(line), "cyan") for line in lines],
        foot=Text(sparkline([sum(heights) for heights in zip(*every, strict=True)])),
        graphic=True,
    )


def _times_column(head: str, outcome: CountOutcome, times: TimeFormat) -> GridColumn:
    if times is TimeFormat.FULL:
        head = f"{head} (UTC)" if outcome.zone is UTC else head
        form = times.value
    else:
        years = {moment.year for moment in (outcome.total.first, outcome.total.last) if moment}
        form = times.value if len(years) < 2 else "%Y-%m-%d"
    which = "first" if head.startswith("first") else "last"

    def format_cell(count: Count | None) -> Text:
        moment: datetime | None = getattr(count, which, None)
        return Text("" if moment is None else to_zone(moment, outcome.zone).strftime(form))

    cells = [format_cell(count) for count in outcome.counts]
    return GridColumn(head=head, cells=cells, rest=format_cell(outcome.rest), foot=format_cell(outcome.total))


def to_zone(moment: datetime, zone: tzinfo) -> datetime:
    """Convert a moment to a time zone."""
    try:
        return moment.astimezone(zone)
    except OverflowError:
        # The last hours of the year 9999, in a zone east of UTC.
        return moment


def pivot_grids(outcome: CountOutcome, pivot: Pivot, console: Console | None) -> Iterator[Grid]:
    """Build a pivot table, or several with some of the columns each if one is too wide for the console.

    Without a console, on a page without a width, there is one table.
    """
    names = list(_pivot_names(outcome, pivot))
    heads = [group_cell(value, pivot.name).plain for value in pivot.columns]
    if console is not None and pivot.name == "hour":
        # Day and hour on two lines take less width.
        heads = [head.replace("T", "\n") for head in heads]
    numbers = [_pivot_column(pivot, head, place) for place, head in enumerate(heads)]
    numbers.append(_pivot_column(pivot, "total", None))
    while numbers:
        some = len(numbers) if console is None else _fitting_columns(pivot, names, numbers, console)
        yield _pivot_grid(pivot, [*names, *numbers[:some]])
        numbers = numbers[some:]


def _fitting_columns(pivot: Pivot, names: Sequence[GridColumn], numbers: Sequence[GridColumn], console: Console) -> int:
    """Count the columns that fit next to the names: at least one."""
    some = 1
    while some < len(numbers) and fits(_pivot_grid(pivot, [*names, *numbers[: some + 1]]).table(), console):
        some += 1
    return some


def _pivot_grid(pivot: Pivot, columns: Sequence[GridColumn]) -> Grid:
    return Grid(columns=tuple(columns), has_rest=pivot.rest is not None)


def _pivot_names(outcome: CountOutcome, pivot: Pivot) -> Iterator[GridColumn]:
    unknown = frozenset(outcome.unknown_types)
    for place, name in enumerate(pivot.by):
        yield GridColumn(
            head=heading(name),
            cells=[group_cell(row.key[place], name, unknown) for row in pivot.rows],
            rest=Text(amount(pivot.others, "other") if place == 0 else ""),
            foot=Text("total" if place == 0 else ""),
        )


def _pivot_column(pivot: Pivot, head: str, place: int | None) -> GridColumn:
    def format_cell(row: PivotRow | None) -> Text:
        number = 0 if row is None else row.total if place is None else row.cells[place]
        return Text(f"{number:,}", "" if number else "dim")

    return GridColumn(
        head=head,
        cells=[format_cell(row) for row in pivot.rows],
        rest=format_cell(pivot.rest),
        foot=format_cell(pivot.total),
        right=True,
    )


SHOWN_UNKNOWN: Final = 5
"""Unknown types that are named."""


def report_count(outcome: CountOutcome, terminal: Terminal) -> None:
    """Report the problems, unknown types and fields, and the balance."""
    print_problems(outcome.problems, terminal, ROW_CODES)
    if terminal.quiet:
        return
    for name in outcome.unknown_types[:SHOWN_UNKNOWN]:
        near = load().suggest(name)
        suggestion = f"; did you mean `{near}`?" if near else ""
        terminal.report(f"`{printable(name)}` is not in the catalog{suggestion}", "yellow")
    if len(outcome.unknown_types) > SHOWN_UNKNOWN:
        more = amount(len(outcome.unknown_types) - SHOWN_UNKNOWN, "more type")
        terminal.report(f"… and {more} not in the catalog", "yellow")
    for name in outcome.absent_fields:
        terminal.report(f"no event has the field `{printable(name)}`", "yellow")
    if outcome.spilled:
        terminal.report(f"{amount(outcome.spilled, 'id')} kept in a temporary file to limit memory use", "dim")
    if outcome.streaming:
        units = [f"{name}s" for name in outcome.by if name in set(TimeUnit)]
        of_receipt = f": {' and '.join(units)} are those of receipt" if units else ""
        terminal.report(f"times of rows of the streaming connector are when they were received{of_receipt}", "yellow")
    if outcome.zone is not UTC:
        terminal.report(f"times in {outcome.zone}", "dim")
    terminal.report(balance_line(outcome.balance, "counted"), "dim")
    if not outcome.complete:
        compared = "; the comparison is incomplete" if outcome.checks or outcome.changes else ""
        terminal.report(f"what could not be read is not counted{compared}", "yellow")


def difference_grids(outcome: CountOutcome) -> Iterator[Grid]:
    """Yield a grid of the groups that differ from the expected counts, and one of those that changed."""
    if outcome.checks and outcome.checks.failed:
        yield _mismatch_grid(outcome.checks, outcome.by)
    if outcome.changes and outcome.changes.changed:
        yield _change_grid(outcome.changes, outcome.by, outcome.top)


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


def _change_grid(changes: CountComparison, by: Sequence[str], top: int | None) -> Grid:
    changed, dropped = changes.changed, changes.dropped
    shown, others = changed[:top], changed[top:] if top else ()
    before, now = sum(each.before for each in others), sum(each.now for each in others)
    title = f"{printable(changes.file)}: {len(changed):,} of {amount(len(changes.changes), 'group')} changed"
    columns = [
        *_key_columns([change.key for change in shown], by, amount(len(others), "other")),
        _number_column("before", (f"{change.before:,}" for change in shown), f"{before:,}"),
        _number_column("now", (f"{change.now:,}" for change in shown), f"{now:,}"),
        _number_column("change", (f"{change.now - change.before:+,}" for change in shown), f"{now - before:+,}"),
        GridColumn(head="", cells=[_relative_change(change) for change in shown], right=True),
    ]
    if changes.fail_on_drop is not None:
        title += f"; {len(dropped):,} dropped by {percent(changes.fail_on_drop)} or more"
        in_others = len(dropped) - len(set(dropped) & set(shown))
        columns.append(
            GridColumn(
                head="",
                cells=[Text("dropped" if each in dropped else "", "red") for each in shown],
                rest=Text(f"{in_others:,} dropped" if in_others else ""),
            )
        )
    return Grid(title=title, columns=columns, has_rest=bool(others), has_foot=False)


def _relative_change(change: CountChange) -> Text:
    return Text("new", "cyan") if change.part is None else Text(f"{change.part:+.1%}".replace("%", " %"))


def _key_columns(keys: Sequence[Key], by: Sequence[str], rest: str = "") -> Iterator[GridColumn]:
    for place, name in enumerate(by):
        cells = [group_cell(key[place], name) for key in keys]
        yield GridColumn(head=heading(name), cells=cells, rest=Text("" if place else rest))


def _number_column(head: str, numbers: Iterable[str], rest: str = "") -> GridColumn:
    return GridColumn(head=head, cells=[Text(number) for number in numbers], rest=Text(rest), right=True)
