"""Tables for a terminal or a Markdown page."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, tzinfo
from functools import partial
from typing import Final

from msgspec import Struct, structs

from td_currents_cli.count import Count, CountOutcome
from td_currents_cli.count.aggregate import TimeHistogram
from td_currents_cli.count.baseline import CheckedCounts, CountChange, CountComparison
from td_currents_cli.count.dimensions import EVENT_TYPE
from td_currents_cli.render.count_report import report_count
from td_currents_cli.render.grid import (
    Cell,
    Grid,
    GridColumn,
    GroupNames,
    TimeForm,
    each_once,
    least_room,
    print_grid,
    table_column,
    time_columns,
)
from td_currents_cli.render.pivot_table import PivotTable
from td_currents_cli.render.terminal import Stream, Terminal, amount, percent, printable
from td_currents_cli.render.time_words import DASH

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


def scale_of(shares: Iterable[float]) -> float:
    """The share that fills the width of the bars: of 0.1, 0.2, 0.5, 1 … 100 %, the first that none exceeds."""
    highest = max(shares, default=0.0)
    return next((scale for scale in _SCALES if 0 < highest <= scale), 1.0)


_SCALES: Final = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)


def axis(scale: float, width: int) -> str:
    """The heading of bars, as wide as they are: `0    10 %`."""
    return "0" + f"{100 * scale:g}".rjust(width - 3) + " %"


class TableDetail(Struct, frozen=True, kw_only=True):
    """Which figures a table has."""

    share: bool = True
    bar: int = 0  # width of the bars
    spark: int = 0  # width of the sparklines
    times: TimeForm = TimeForm.NONE


NARROW_BAR: Final = 7
DETAILS: Final = (
    TableDetail(bar=20, spark=32, times=TimeForm.WORDS),
    TableDetail(bar=10, spark=12, times=TimeForm.WORDS),
    TableDetail(bar=10, times=TimeForm.WORDS),
    TableDetail(bar=10, times=TimeForm.SPAN),
    TableDetail(bar=NARROW_BAR, times=TimeForm.SPAN),
    TableDetail(bar=10),
    TableDetail(bar=NARROW_BAR),
    TableDetail(bar=NARROW_BAR, share=False),
    TableDetail(),
    TableDetail(share=False),
)
"""On a terminal, the first of these that fits, but rather with short names than without bars or times."""

RICH_DETAILS: Final = tuple(detail for detail in DETAILS if detail.bar and detail.times is not TimeForm.NONE)

WHOLE: Final = TableDetail(bar=10, times=TimeForm.FULL)
PAGE: Final = TableDetail(bar=10, times=TimeForm.WORDS)
REPORT: Final = TableDetail(bar=10, spark=24, times=TimeForm.SPAN)
WIDE: Final = TableDetail(bar=20, spark=32, times=TimeForm.FULL)


def print_count_table(outcome: CountOutcome, terminal: Terminal) -> None:
    """Print the counts and what they were compared with, as tables that fit the terminal."""
    for grid in count_grids(outcome, terminal.out_stream):
        print_grid(grid, terminal.out_stream, is_wide=outcome.wide)
    report_count(outcome, terminal)


def write_count_markdown(outcome: CountOutcome, terminal: Terminal) -> None:
    """Write the same as tables of GitHub Flavored Markdown, for a summary page."""
    page = "\n".join(grid.markdown() for grid in count_grids(outcome, None))
    sys.stdout.buffer.write(page.encode(errors="backslashreplace"))
    report_count(outcome, terminal)


def count_grids(outcome: CountOutcome, stream: Stream | None, whole: TableDetail = WHOLE) -> Iterator[Grid]:
    """Build all tables of a count, to fit a terminal; None is a page without a width, with `whole` figures."""
    is_unreadable = not (outcome.total.count or outcome.complete)
    # An empty table before the errors that tell why is only in the way.
    if outcome.pivot and not (stream and is_unreadable):
        yield PivotTable(outcome, outcome.pivot, stream).grid(_names_of(outcome))
    elif not (stream and is_unreadable):
        yield _group_grid(outcome, stream, whole)
    yield from difference_grids(outcome)


def _group_grid(outcome: CountOutcome, stream: Stream | None, whole: TableDetail) -> Grid:
    names = _names_of(outcome)

    def build(detail: TableDetail, names: GroupNames) -> Grid:
        ascii_only = stream is not None and stream.ascii_only
        columns = tuple(_group_columns(outcome, names, detail, ascii_only=ascii_only))
        return Grid(columns=columns, has_rest=outcome.rest is not None)

    if stream is None or (width := stream.width) is None:
        return build(whole, names)
    if outcome.wide:
        return build(WIDE, names)
    place = outcome.by.index(EVENT_TYPE) if EVENT_TYPE in outcome.by else None
    short = names.shortened([] if place is None else [count.key[place] for count in outcome.counts])
    for each in (structs.replace(names, in_words=True), short):
        for detail in RICH_DETAILS:
            grid = build(detail, each)
            if grid.width() <= width:
                return grid
    for detail in DETAILS:
        grid = build(detail, short)
        if grid.least_width(*least_room(outcome.by)) <= width:
            break
    return grid


def _names_of(outcome: CountOutcome) -> GroupNames:
    return GroupNames(unknown_types=frozenset(outcome.unknown_types))


def _group_columns(
    outcome: CountOutcome, names: GroupNames, detail: TableDetail, *, ascii_only: bool
) -> Iterator[GridColumn]:
    counts, total = outcome.counts, outcome.total
    column = partial(table_column, counts, outcome.rest, total)
    yield from names.columns([count.key for count in counts], outcome.by, outcome.others)
    yield column("count", partial(_figure, "count"), right=True)
    if detail.share:
        empty = None if total.count else total
        yield column("share", lambda count: Cell("" if count is empty else percent(count.share)), right=True)
    if detail.bar and total.count:
        scale = scale_of(count.share for count in counts)
        parts = (count.share / scale for count in counts)
        bars = each_once(Cell(bar(part, detail.bar, ascii_only=ascii_only), "blue", part) for part in parts)
        yield GridColumn(head=axis(scale, detail.bar), cells=bars, graphic=True, scale=f"{100 * scale:g} %")
    ids = "distinct ids" if detail.times is TimeForm.FULL else "distinct\nids"
    for head, name in (("duplicates", "duplicates"), (ids, "unique_events"), ("users", "unique_users")):
        if getattr(total, name) is not None:
            yield column(head, partial(_figure, name), right=True)
    if detail.spark and not ascii_only and outcome.histogram and total.first:
        yield _sparkline_column(outcome, outcome.histogram, detail.spark)
    if detail.times is TimeForm.FULL or (detail.times is not TimeForm.NONE and total.first):
        yield from time_columns(
            counts,
            outcome.rest,
            total,
            lambda count: (in_zone(count.first, outcome.zone), in_zone(count.last, outcome.zone)),
            detail.times,
            zone=" (UTC)" if outcome.zone is UTC else "",
            dash="-" if ascii_only else DASH,
        )


def in_zone(moment: datetime | None, zone: tzinfo) -> datetime | None:
    """The same moment in a time zone, if it can be told there."""
    try:
        return moment and moment.astimezone(zone)
    except OverflowError:
        # The last hours of the year 9999, in a zone east of UTC.
        return moment


def _number(number: int | None) -> Cell:
    return Cell("" if number is None else f"{number:,}", "" if number else "dim")


def _figure(name: str, count: Count) -> Cell:
    return _number(getattr(count, name))


def _sparkline_column(outcome: CountOutcome, histogram: TimeHistogram, width: int) -> GridColumn:
    lines = [histogram.heights(count.key, width) for count in outcome.counts]
    every = [histogram.heights(key, width) for key in histogram.counts]
    whole = [sum(heights) for heights in zip(*every, strict=True)]
    return GridColumn(
        head="over time",
        cells=[Cell(sparkline(line), "cyan", heights=tuple(line)) for line in lines],
        foot=Cell(sparkline(whole), heights=tuple(whole)),
        graphic=True,
    )


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
            *GroupNames().columns([check.key for check in failed], by, 0),
            column("expected", lambda check: Cell(printable(check.expected))),
            column("counted", lambda check: Cell(f"{check.count:,}")),
            column("difference", lambda check: Cell(f"{check.miss:+,}", "red")),
        ),
        has_foot=False,
    )


def _change_grid(changes: CountComparison, by: Sequence[str], top: int | None) -> Grid:
    changed, dropped = changes.changed, changes.dropped
    shown, others = (changed, ()) if top is None else (changes.largest_first[:top], changes.largest_first[top:])
    rest = CountChange((), sum(each.before for each in others), sum(each.now for each in others))
    column = partial(table_column, shown, rest, None, right=True)
    title = f"{printable(changes.file)}: {len(changed):,} of {amount(len(changes.changes), 'group')} changed"
    columns = [
        *GroupNames().columns([change.key for change in shown], by, len(others)),
        column("before", lambda change: Cell(f"{change.before:,}")),
        column("now", lambda change: Cell(f"{change.now:,}")),
        column("change", lambda change: Cell(f"{change.now - change.before:+,}")),
        GridColumn(head="", cells=[_relative_change(change) for change in shown], right=True),
    ]
    if changes.fail_on_drop is not None:
        title += f"; {len(dropped):,} dropped by {percent(changes.fail_on_drop)} or more"
        of_others = len(set(dropped) - set(shown))
        cells = [Cell("dropped" if each in dropped else "", "red") for each in shown]
        columns.append(GridColumn(head="", cells=cells, rest=Cell(f"{of_others:,} dropped" if of_others else "")))
    return Grid(title=title, columns=columns, has_rest=bool(others), has_foot=False)


def _relative_change(change: CountChange) -> Cell:
    return Cell("new", "cyan") if change.part is None else Cell(f"{change.part:+.1%}".replace("%", " %"))
