"""Sorts groups and adds them up."""

from collections.abc import Callable, Iterable
from typing import Any, Final

from td_currents_cli.choices import Sort
from td_currents_cli.count.dimension import Key
from td_currents_cli.count.figures import Count

_NO_TIME: Final = float("inf")

_ORDERS: Final[dict[Sort, Callable[[Count], Any]]] = {
    Sort.COUNT: lambda count: -count.count,
    Sort.NAME: lambda _count: 0,
    Sort.FIRST: lambda count: count.first.timestamp() if count.first else _NO_TIME,
    Sort.LAST: lambda count: -count.last.timestamp() if count.last else _NO_TIME,
}


def in_order(counts: Iterable[Count], sort: Sort) -> list[Count]:
    """Sort groups; equal ones by name, those without a name last."""
    return sorted(counts, key=lambda count: (_ORDERS[sort](count), by_name(count.key)))


def by_name(key: Key) -> list[tuple[bool, str]]:
    return [(value is None, value or "") for value in key]


def together(counts: Iterable[Count], key: Key, total: int) -> Count:
    """Add up groups, of `total` events in all; how many different events and users they have together is unknown."""
    counts = tuple(counts)
    count = sum(each.count for each in counts)
    dropped = [each.duplicates for each in counts if each.duplicates is not None]
    return Count(
        key=key,
        count=count,
        share=count / total if total else 0.0,
        first=min((each.first for each in counts if each.first), default=None),
        last=max((each.last for each in counts if each.last), default=None),
        duplicates=sum(dropped) if dropped else None,
    )
