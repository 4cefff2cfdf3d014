"""The shape of charts: where each bar, line, and label is. The templates in `html/` draw them."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from msgspec import Struct

from td_currents_cli.count import CountOutcome
from td_currents_cli.count.dimensions import BUCKET_FORMATS, TimeUnit
from td_currents_cli.render.terminal import amount
from td_currents_cli.render.time_words import bucket_words, bucket_year, only_year

TOP: Final = 22
"""Pixels above the highest bar, for its label."""

HEIGHT: Final = 180
"""Pixels of a bar that reaches the highest level; below it are the labels of the axis."""

MAX_LABELED: Final = 8
"""Bars that have a label each; of more, only the highest one has."""

AXIS_LETTERS: Final = 36
"""Letters of all labels on the time axis, which are to fit a telephone."""

MAX_LEVELS: Final = 4
GAP: Final = 0.2
"""Part of a bar's place that is left free, so that neighbors can be told apart."""

MAX_BARS: Final = 1000
"""Places on the time axis; if there would be more, times without events have none."""


class TimeBar(Struct, frozen=True, kw_only=True):
    """A bar; `x` and `width` in percent of the chart's width, `y` and `height` in pixels."""

    x: float
    width: float
    y: float
    height: float
    title: str
    label: str = ""

    @property
    def middle(self) -> float:
        return self.x + self.width / 2


class Tick(Struct, frozen=True):
    """A label on the time axis."""

    x: float
    label: str


class GridLine(Struct, frozen=True):
    """A line across the chart, and its number."""

    y: float
    label: str


class TimeChart(Struct, frozen=True):
    """Vertical bars from 0 over a time axis."""

    title: str  # what is counted, and the unit
    undrawn: int  # events without a usable time
    summary: str = ""  # what the chart shows, in words
    bars: Sequence[TimeBar] = ()
    levels: Sequence[GridLine] = ()
    ticks: Sequence[Tick] = ()


def time_chart(outcome: CountOutcome) -> TimeChart:
    """Draw the counts of an outcome by hour, day, week, or month."""
    (unit,) = outcome.by
    title = f"Events per {unit} ({outcome.zone})"
    numbers = {count.key[0]: count.count for count in outcome.counts if count.key[0] is not None and count.count}
    undrawn = outcome.total.count - sum(numbers.values())
    if not numbers:
        return TimeChart(title, undrawn)
    names = _names(sorted(numbers), TimeUnit(unit))
    year = only_year(found for name in numbers if (found := bucket_year(name)))
    peak = max(numbers, key=lambda name: (numbers[name], name))
    step = step_of(numbers[peak])
    top = -(-numbers[peak] // step) * step
    # In the only year, the title says it.
    words = {name: bucket_words(name, with_year=not year) for name in names}
    return TimeChart(
        f"{title}, {year}" if year else title,
        undrawn,
        f"{title}: {amount(len(numbers), unit)} with events, from {names[0]} to {names[-1]}; the highest number is "
        f"{numbers[peak]:,} in {peak}. The table has all numbers.",
        [*_bars(names, numbers, top, peak)],
        [GridLine(TOP + HEIGHT - HEIGHT * level / top, f"{level:,}") for level in range(0, top + 1, step)],
        [*_ticks(names, words)],
    )


def _bars(names: Sequence[str], numbers: Mapping[str, int], top: int, peak: str) -> Iterator[TimeBar]:
    place = 100 / len(names)
    for index, name in enumerate(names):
        if number := numbers.get(name):
            height = max(HEIGHT * number / top, 1)
            yield TimeBar(
                x=round(place * (index + GAP / 2), 3),
                width=round(place * (1 - GAP), 3),
                y=round(TOP + HEIGHT - height, 2),
                height=round(height, 2),
                title=f"{name}: {amount(number, 'event')}",
                label=f"{number:,}" if name == peak or len(names) <= MAX_LABELED else "",
            )


def _ticks(names: Sequence[str], words: Mapping[str, str]) -> Iterator[Tick]:
    most = AXIS_LETTERS // (1 + max(len(words[name]) for name in names))
    place, every = 100 / len(names), -(-len(names) // max(most, 1))
    for index in range(0, len(names), every):
        yield Tick(round(place * (index + 0.5), 3), words[names[index]])


def step_of(highest: int) -> int:
    """The distance of levels: 1, 2, or 5 times a power of ten, for up to MAX_LEVELS of them above 0."""
    power = 1
    while True:
        for factor in (1, 2, 5):
            if highest <= factor * power * MAX_LEVELS:
                return factor * power
        power *= 10


def _names(found: Sequence[str], unit: TimeUnit) -> Sequence[str]:
    """All buckets from the first to the last, also those without events, so that the axis is even."""
    form = BUCKET_FORMATS[unit]
    # A week is that of its first day; the second of two hours, when clocks go back, has a UTC offset.
    first, last = (
        datetime.strptime(f"{name[:16]}-1", f"{form}-%u")  # noqa: DTZ007 -- times of day only
        if unit is TimeUnit.WEEK
        else datetime.strptime(name[:16], form)  # noqa: DTZ007 -- as above
        for name in (found[0], found[-1])
    )
    names = set(found)
    while first < last and len(names) <= MAX_BARS:
        first = _next(first, unit)
        names.add(f"{first:{form}}")
    return sorted(names) if len(names) <= MAX_BARS else found


def _next(moment: datetime, unit: TimeUnit) -> datetime:
    return moment + _STEPS[unit] if unit in _STEPS else (moment + timedelta(days=31)).replace(day=1)


_STEPS: Final = {
    TimeUnit.HOUR: timedelta(hours=1),
    TimeUnit.DAY: timedelta(days=1),
    TimeUnit.WEEK: timedelta(weeks=1),
}
