"""Tables for a terminal or a Markdown page."""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime, tzinfo
from functools import partial
from typing import Final, TypeVar

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

    def rows(self, columns: Sequence[GridColumn]) -> list[Sequence[Text]]:
        """The rows between the head and the total."""
        rest = [tuple(column.rest for column in columns)] if self.has_rest else []
        return [*zip(*(column.cells for column in columns), strict=True), *rest]

    def width(self) -> int:
        """Columns of a terminal that the table takes without folding a line."""
        return sum(self._widths()) + 2 * len(self.columns)

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
        for row in self.rows(self.columns):
            table.add_row(*row)
        if self.has_rest:
            table.rows[-1].style = "dim"
        return table

    def plain(self) -> str:
        """Format the same table without styles and with lines of any length: rich takes a millisecond per line."""
        blank = [""] * len(self.columns)
        rows = [blank, [column.head for column in self.columns]]
        rows += [[cell.plain for cell in row] for row in self.rows(self.columns)]
        rows.append(blank)
        if self.has_foot:
            rows += [[column.foot.plain for column in self.columns], blank]
        widths = self._widths()
        lines = [f" {'  '.join(map(_padded, row, widths, [each.right for each in self.columns]))} \n" for row in rows]
        lines.insert(2, f" {'─' * (self.width() - 2)} \n")
        return "".join(lines)

    def markdown(self) -> str:
        """Format a table of GitHub Flavored Markdown, with its line ends."""
        columns = [column for column in self.columns if not column.graphic]
        lines = [_markdown_line(column.head for column in columns)]
        lines.append("| " + " | ".join("--:" if column.right else "---" for column in columns) + " |")
        lines += [_markdown_line(cell.plain for cell in row) for row in self.rows(columns)]
        if self.has_foot:
            cells_of_foot = (_escape_markdown(column.foot.plain) for column in columns)
            lines.append("| " + " | ".join(f"**{cell}**" if cell else "" for cell in cells_of_foot) + " |")
        title = f"{_escape_markdown(self.title)}\n\n" if self.title else ""
        return title + "\n".join(lines) + "\n"

    def _widths(self) -> list[int]:
        widths = []
        for column in self.columns:
            lines = column.head.split("\n") + [cell.plain for cell in column.cells]
            if self.has_rest:
                lines.append(column.rest.plain)
            if self.has_foot:
                lines.append(column.foot.plain)
            widths.append(max(map(cell_len, lines)))
        return widths


def first_fitting(grids: Iterable[Grid], console: Console) -> Grid:
    """Return the first of some tables that fits the console without folding a line, else the last."""
    for grid in grids:
        if grid.width() <= console.width:
            break
    return grid


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


FULL_TIME: Final = "%Y-%m-%d %H:%M:%S"
SHORT_TIME: Final = "%m-%d %H:%M"


class TableDetail(Struct, frozen=True):
    """Which figures a table has."""

    bar: int = 0  # width of the bars
    spark: int = 0  # width of the sparklines
    times: str = ""  # format of the first and the last time
    share: bool = True


DETAILS: Final = (
    TableDetail(bar=20, spark=32, times=FULL_TIME),
    TableDetail(bar=10, spark=16, times=FULL_TIME),
    TableDetail(bar=10, spark=12, times=SHORT_TIME),
    TableDetail(bar=10, times=FULL_TIME),
    TableDetail(bar=10, times=SHORT_TIME),
    TableDetail(times=SHORT_TIME),
    TableDetail(bar=10),
    TableDetail(),
    TableDetail(share=False),
)
"""On a terminal, the first of these that fits."""


def count_grids(outcome: CountOutcome, console: Console | None) -> Iterator[Grid]:
    """Build all tables of a count, to fit a console; None is a page without a width."""
    if outcome.pivot:
        yield from _pivot_grids(outcome, outcome.pivot, console)
    elif console is None or not console.is_terminal:
        detail = TableDetail(bar=10, times=FULL_TIME)
        yield _group_grid(outcome, detail, ascii_only=console is not None and console.options.ascii_only)
    else:
        ascii_only = console.options.ascii_only
        yield first_fitting((_group_grid(outcome, each, ascii_only=ascii_only) for each in DETAILS), console)
    yield from difference_grids(outcome)


def _group_grid(outcome: CountOutcome, detail: TableDetail, *, ascii_only: bool) -> Grid:
    columns = tuple(_group_columns(outcome, detail, ascii_only=ascii_only))
    return Grid(columns=columns, has_rest=outcome.rest is not None)


def _group_columns(outcome: CountOutcome, detail: TableDetail, *, ascii_only: bool) -> Iterator[GridColumn]:
    counts, total = outcome.counts, outcome.total
    column = partial(table_column, counts, outcome.rest, total)
    yield from _key_columns([count.key for count in counts], outcome.by, outcome.others, outcome.unknown_types)
    yield column("count", partial(_figure, "count"), right=True)
    if detail.share:
        empty = None if total.count else total
        yield column("share", lambda count: Text("" if count is empty else percent(count.share)), right=True)
    if detail.bar:
        highest = max((count.count for count in counts), default=0) or 1
        bars = [bar(count.count / highest, detail.bar, ascii_only=ascii_only) for count in counts]
        yield GridColumn(head="", cells=[Text(each, "blue") for each in bars], graphic=True)
    for head, name in (("duplicates", "duplicates"), ("distinct ids", "unique_events"), ("users", "unique_users")):
        if getattr(total, name) is not None:
            yield column(head, partial(_figure, name), right=True)
    if detail.spark and not ascii_only and outcome.histogram:
        yield _sparkline_column(outcome, outcome.histogram, detail.spark)
    if detail.times:
        utc = " (UTC)" if detail.times == FULL_TIME and outcome.zone is UTC else ""
        years = {moment.year for moment in (total.first, total.last) if moment}
        form = "%Y-%m-%d" if detail.times == SHORT_TIME and len(years) > 1 else detail.times
        yield column(f"first{utc}", lambda count: _time(count.first, outcome.zone, form))
        yield column(f"last{utc}", lambda count: _time(count.last, outcome.zone, form))


Row = TypeVar("Row")


def table_column(
    rows: Sequence[Row],
    rest: Row | None,
    total: Row | None,
    head: str,
    cell: Callable[[Row], Text],
    *,
    right: bool = False,
) -> GridColumn:
    """Build a column of what a function makes of each row, of the sum of all rows not shown, and of the total."""
    rest_cell, foot = (Text() if row is None else cell(row) for row in (rest, total))
    return GridColumn(head=head, cells=list(map(cell, rows)), rest=rest_cell, foot=foot, right=right)


def _key_columns(
    keys: Sequence[Key], by: Sequence[str], others: int, unknown_types: Iterable[str] = ()
) -> Iterator[GridColumn]:
    unknown = frozenset(unknown_types)
    for place, name in enumerate(by):
        yield GridColumn(
            head="event type" if name == "event_type" else printable(name),
            cells=[group_cell(key[place], name, unknown) for key in keys],
            rest=Text("" if place else amount(others, "other")),
            foot=Text("" if place else "total"),
        )


def group_cell(value: str | None, name: str, unknown_types: Collection[str] = ()) -> Text:
    """Format a group's value of a `--by` name; a type that is not in the catalog is marked."""
    if not value:
        return Text("(no event_type)" if name == "event_type" else "(none)", "dim")
    if name == "event_type" and value in unknown_types:
        return Text(f"{printable(value)} ?", "yellow")
    return Text(printable(value))


def _number(number: int | None) -> Text:
    return Text("" if number is None else f"{number:,}", "" if number else "dim")


def _figure(name: str, count: Count) -> Text:
    return _number(getattr(count, name))


def _cell_at(place: int, row: PivotRow) -> Text:
    return _number(row.cells[place])


def _sparkline_column(outcome: CountOutcome, histogram: TimeHistogram, width: int) -> GridColumn:
    lines = [histogram.heights(count.key, width) for count in outcome.counts]
    every = [histogram.heights(key, width) for key in histogram.counts]
    return GridColumn(
        head="over time",
        cells=[Text(sparkline(line), "cyan") for line in lines],
        foot=Text(sparkline([sum(heights) for heights in zip(*every, strict=True)])),
        graphic=True,
    )


def _time(moment: datetime | None, zone: tzinfo, form: str) -> Text:
    try:
        return Text(f"{moment.astimezone(zone):{form}}" if moment else "")
    except OverflowError:
        # The last hours of the year 9999, in a zone east of UTC.
        return Text(f"{moment:{form}}")


def _pivot_grids(outcome: CountOutcome, pivot: Pivot, console: Console | None) -> Iterator[Grid]:
    """Build a pivot table, or several with some of the columns each if one is too wide for the console."""
    names = list(_key_columns([row.key for row in pivot.rows], pivot.by, pivot.others, outcome.unknown_types))
    heads = [group_cell(value, pivot.name).plain for value in pivot.columns]
    if console is not None and pivot.name == "hour":
        # Day and hour on two lines take less width.
        heads = [head.replace("T", "\n") for head in heads]
    column = partial(table_column, pivot.rows, pivot.rest, pivot.total, right=True)
    numbers = [column(head, partial(_cell_at, place)) for place, head in enumerate(heads)]
    numbers.append(column("total", lambda row: _number(row.total)))
    while numbers:
        # No more columns fit than the console has characters.
        most = len(numbers) if console is None else min(len(numbers), console.width)
        grids = (Grid(columns=[*names, *numbers[:n]], has_rest=pivot.rest is not None) for n in range(most, 0, -1))
        grid = next(grids) if console is None else first_fitting(grids, console)
        yield grid
        numbers = numbers[len(grid.columns) - len(names) :]


SHOWN_UNKNOWN: Final = 5
"""Unknown types that are named."""


def report_count(outcome: CountOutcome, terminal: Terminal) -> None:
    """Report what the counts match, the problems, unknown types and fields, and the balance."""
    _report_matches(outcome, terminal)
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


def _report_matches(outcome: CountOutcome, terminal: Terminal) -> None:
    checks, changes = outcome.checks, outcome.changes
    if checks and not checks.failed:
        terminal.report(f"{printable(checks.file)}: counts match ({amount(len(checks.checks), 'group')})", "green")
    if changes and not changes.changed:
        terminal.report(f"{printable(changes.file)}: no change ({amount(len(changes.changes), 'group')})", "green")


def difference_grids(outcome: CountOutcome) -> Iterator[Grid]:
    """Yield a grid of the groups that differ from the expected counts, and one of those that changed."""
    if outcome.checks and outcome.checks.failed:
        yield _mismatch_grid(outcome.checks, outcome.by)
    if outcome.changes and outcome.changes.changed:
        yield _change_grid(outcome.changes, outcome.by, outcome.top)


def _mismatch_grid(checks: CheckedCounts, by: Sequence[str]) -> Grid:
    failed = checks.failed
    column = partial(table_column, failed, None, None, right=True)
    return Grid(
        title=f"{printable(checks.file)}: {len(failed):,} of {amount(len(checks.checks), 'group')} do not match",
        columns=(
            *_key_columns([check.key for check in failed], by, 0),
            column("expected", lambda check: Text(printable(check.expected))),
            column("counted", lambda check: Text(f"{check.count:,}")),
            column("difference", lambda check: Text(f"{check.miss:+,}", "red")),
        ),
        has_foot=False,
    )


def _change_grid(changes: CountComparison, by: Sequence[str], top: int | None) -> Grid:
    changed, dropped = changes.changed, changes.dropped
    shown, others = changed[:top], changed[top:] if top else ()
    rest = CountChange((), sum(each.before for each in others), sum(each.now for each in others))
    column = partial(table_column, shown, rest, None, right=True)
    title = f"{printable(changes.file)}: {len(changed):,} of {amount(len(changes.changes), 'group')} changed"
    columns = [
        *_key_columns([change.key for change in shown], by, len(others)),
        column("before", lambda change: Text(f"{change.before:,}")),
        column("now", lambda change: Text(f"{change.now:,}")),
        column("change", lambda change: Text(f"{change.now - change.before:+,}")),
        GridColumn(head="", cells=[_relative_change(change) for change in shown], right=True),
    ]
    if changes.fail_on_drop is not None:
        title += f"; {len(dropped):,} dropped by {percent(changes.fail_on_drop)} or more"
        of_others = len(set(dropped) - set(shown))
        cells = [Text("dropped" if each in dropped else "", "red") for each in shown]
        columns.append(GridColumn(head="", cells=cells, rest=Text(f"{of_others:,} dropped" if of_others else "")))
    return Grid(title=title, columns=columns, has_rest=bool(others), has_foot=False)


def _relative_change(change: CountChange) -> Text:
    return Text("new", "cyan") if change.part is None else Text(f"{change.part:+.1%}".replace("%", " %"))
