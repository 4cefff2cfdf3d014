"""The groups of events as a grid, with as many figures as fit."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, tzinfo
from enum import Enum
from typing import Final

from msgspec import Struct
from rich.console import Console
from rich.text import Text

from td_currents_cli.count import Count, CountOutcome
from td_currents_cli.count.aggregate import TimeHistogram
from td_currents_cli.render.count.bars import bar, sparkline
from td_currents_cli.render.count.grid import Grid, GridColumn, fits
from td_currents_cli.render.figures import amount, percent
from td_currents_cli.render.terminal import printable

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
    others = amount(outcome.others, "other")
    for place, name in enumerate(outcome.by):
        yield GridColumn(
            head=heading(name),
            cells=[group_cell(count.key[place], name, outcome.unknown_types) for count in outcome.counts],
            rest=Text(others if place == 0 else ""),
            foot=Text("total" if place == 0 else ""),
        )


def heading(name: str) -> str:
    """Return the column heading for a `--by` name."""
    return HEADINGS.get(name, printable(name))


def group_cell(value: str | None, name: str, unknown_types: Sequence[str] = ()) -> Text:
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
