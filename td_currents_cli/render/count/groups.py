"""The groups of events as a grid, with as much of their figures as there is room for."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, tzinfo
from enum import Enum
from typing import Final

from msgspec import Struct
from rich.console import Console
from rich.text import Text

from td_currents_cli.count import Count, CountOutcome
from td_currents_cli.count.bins import TimeHistogram
from td_currents_cli.render.count.bars import bar, sparkline
from td_currents_cli.render.count.grid import Column, Grid, fits
from td_currents_cli.render.figures import amount
from td_currents_cli.render.terminal import printable

LABELS: Final = {"event_type": "event type"}
NONE: Final = {"event_type": "(no event_type)"}
UNKNOWN: Final = " ?"
"""Behind the name of a type that the catalogue does not have."""


class Times(Enum):
    """How the first and the last time are written."""

    NONE = "not at all"
    SHORT = "%m-%d %H:%M"
    FULL = "%Y-%m-%d %H:%M:%S"


class Extent(Struct, frozen=True):
    """How much there is room for.

    Attributes:
        bar: columns of the bar; 0 for none.
        spark: columns of the counts over time; 0 for none.
        times: how they are written.
        share: whether each group's part of all is there.
    """

    bar: int = 0
    spark: int = 0
    times: Times = Times.NONE
    share: bool = True


PLAIN: Final = Extent(bar=10, times=Times.FULL)
"""What is shown where width does not matter."""

EXTENTS: Final = (
    Extent(bar=20, spark=32, times=Times.FULL),
    Extent(bar=10, spark=16, times=Times.FULL),
    Extent(bar=10, spark=12, times=Times.SHORT),
    Extent(bar=10, times=Times.FULL),
    Extent(bar=10, times=Times.SHORT),
    Extent(times=Times.SHORT),
    Extent(bar=10),
    Extent(),
    Extent(share=False),
)
"""What a terminal shows, the first that fits."""


def groups_grid(outcome: CountOutcome, console: Console | None) -> Grid:
    """The groups of an outcome.

    Args:
        outcome: with the groups.
        console: where they are to fit; None for a page that has no width.
    """
    if console is None or not console.is_terminal:
        return _grid(outcome, PLAIN, ascii_only=console is not None and console.options.ascii_only)
    grids = (_grid(outcome, extent, ascii_only=console.options.ascii_only) for extent in EXTENTS)
    return next((grid for grid in grids if fits(grid.table(), console)), _grid(outcome, EXTENTS[-1], ascii_only=True))


def _grid(outcome: CountOutcome, extent: Extent, *, ascii_only: bool) -> Grid:
    return Grid(columns=tuple(_columns(outcome, extent, ascii_only=ascii_only)), has_rest=outcome.rest is not None)


def _columns(outcome: CountOutcome, extent: Extent, *, ascii_only: bool) -> Iterator[Column]:
    yield from _names(outcome)
    yield _numbers("count", outcome, "count")
    if extent.share:
        yield Column(
            head="share",
            cells=[Text(share(count.share)) for count in outcome.counts],
            rest=Text(share(outcome.rest.share) if outcome.rest else ""),
            foot=Text(share(outcome.total.share) if outcome.total.count else ""),
            right=True,
        )
    if extent.bar:
        highest = max((count.count for count in outcome.counts), default=0) or 1
        bars = [bar(count.count / highest, extent.bar, ascii_only=ascii_only) for count in outcome.counts]
        yield Column(head="", cells=[Text(each, "blue") for each in bars], graphic=True)
    for head, name in (("duplicates", "duplicates"), ("distinct ids", "unique_events"), ("users", "unique_users")):
        if getattr(outcome.total, name) is not None:
            yield _numbers(head, outcome, name)
    if extent.spark and not ascii_only and outcome.histogram:
        yield _over_time(outcome, outcome.histogram, extent.spark)
    if extent.times is not Times.NONE:
        yield _moments("first", outcome, extent.times)
        yield _moments("last", outcome, extent.times)


def _names(outcome: CountOutcome) -> Iterator[Column]:
    others = amount(outcome.others, "other")
    for place, name in enumerate(outcome.by):
        yield Column(
            head=label(name),
            cells=[cell(count.key[place], name, outcome.unknown_types) for count in outcome.counts],
            rest=Text(others if place == 0 else ""),
            foot=Text("total" if place == 0 else ""),
        )


def label(name: str) -> str:
    """What something that was counted by is called."""
    return LABELS.get(name, printable(name))


def cell(value: str | None, name: str, unknown_types: Sequence[str] = ()) -> Text:
    """A group's value of something that was counted by."""
    if not value:
        return Text(NONE.get(name, "(none)"), "dim")
    if name == "event_type" and value in unknown_types:
        return Text(printable(value) + UNKNOWN, "yellow")
    return Text(printable(value))


def share(part: float) -> str:
    """`12.5 %`."""
    return f"{part:.1%}".replace("%", " %")


def _numbers(head: str, outcome: CountOutcome, name: str) -> Column:
    def text(count: Count | None) -> Text:
        number = getattr(count, name, None)
        return Text("" if number is None else f"{number:,}", "dim" if number == 0 else "")

    cells = [text(count) for count in outcome.counts]
    return Column(head=head, cells=cells, rest=text(outcome.rest), foot=text(outcome.total), right=True)


def _over_time(outcome: CountOutcome, histogram: TimeHistogram, width: int) -> Column:
    lines = [histogram.heights(count.key, width) for count in outcome.counts]
    every = [histogram.heights(key, width) for key in histogram.counts]
    return Column(
        head="over time",
        cells=[Text(sparkline(line), "cyan") for line in lines],
        foot=Text(sparkline([sum(heights) for heights in zip(*every, strict=True)])),
        graphic=True,
    )


def _moments(head: str, outcome: CountOutcome, times: Times) -> Column:
    if times is Times.FULL:
        head = f"{head} (UTC)" if outcome.zone is UTC else head
        form = times.value
    else:
        years = {moment.year for moment in (outcome.total.first, outcome.total.last) if moment}
        form = times.value if len(years) < 2 else "%Y-%m-%d"
    which = "first" if head.startswith("first") else "last"

    def text(count: Count | None) -> Text:
        moment: datetime | None = getattr(count, which, None)
        return Text("" if moment is None else local(moment, outcome.zone).strftime(form))

    cells = [text(count) for count in outcome.counts]
    return Column(head=head, cells=cells, rest=text(outcome.rest), foot=text(outcome.total))


def local(moment: datetime, zone: tzinfo) -> datetime:
    """A moment in a time zone."""
    try:
        return moment.astimezone(zone)
    except OverflowError:
        # The last hours of the year 9999, seen from the east.
        return moment
