"""Times as people write them: `Jul 1 09:00`, with the year only where it is not said elsewhere."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from td_currents_cli.patterns import pattern

FULL_TIME: Final = "%Y-%m-%d %H:%M:%S"
DASH: Final = "\N{EN DASH}"

_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_BUCKET: Final = pattern(r"(\d{4})-(0[1-9]|1[0-2])(?:-(\d\d)(?:T(\d\d:\d\d.*))?)?")


def only_year(years: Iterable[int]) -> int | None:
    """The year that all times are in; None if they are in several, or there are none."""
    found = set(years)
    return found.pop() if len(found) == 1 else None


def bucket_year(name: str | None) -> int | None:
    """The year in the name of an hour, day, or month; None in any other."""
    found = _BUCKET.fullmatch(name or "")
    return int(found[1]) if found else None


def bucket_words(name: str, *, with_year: bool) -> str:
    """The name of an hour, day, or month in words; any other unchanged."""
    found = _BUCKET.fullmatch(name)
    if found is None:
        return name
    year, month, day, clock = found.groups()
    date = [_MONTHS[int(month) - 1], *([day.lstrip("0")] if day else []), *([year] if with_year else [])]
    return " ".join([*date, *([clock] if clock else [])])


def date_words(moment: datetime, *, with_year: bool) -> str:
    return f"{_MONTHS[moment.month - 1]} {moment.day}" + (f" {moment.year}" if with_year else "")


def moment_words(moment: datetime, *, with_year: bool) -> str:
    return f"{date_words(moment, with_year=with_year)} {moment:%H:%M}"


def span_words(first: datetime, last: datetime, *, with_year: bool, dash: str = DASH) -> str:
    """Two times in one: day and two clock times, or two days; one clock time if they are equal to the minute."""
    if first.date() != last.date():
        return dash.join(date_words(moment, with_year=with_year) for moment in (first, last))
    clocks = dict.fromkeys(f"{moment:%H:%M}" for moment in (first, last))
    return f"{date_words(first, with_year=with_year)} {dash.join(clocks)}"
