"""Turns grouped counts into the groups that are shown."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from td_currents_cli.catalog import load
from td_currents_cli.choices import Sort
from td_currents_cli.count.dimension import DERIVED, Dimension, DimensionKind, Key
from td_currents_cli.count.figures import Count
from td_currents_cli.count.tally import GroupCounts, GroupStats
from td_currents_cli.errors import UsageError
from td_currents_cli.events.filter import TypeGlobs, moment_of

if TYPE_CHECKING:
    from td_currents_cli.count.differing import DistinctStats

_EMPTY: Final = GroupStats()


def add_all_types(groups: GroupCounts, by: Sequence[Dimension], wanted: TypeGlobs) -> None:
    """Add an empty group for each type in the catalog that arrives over HTTP and has no events."""
    place = _place_of_type(by)
    found = {key[place] for key in groups.groups}
    for event_type in load().events.values():
        name = event_type.name
        if event_type.http and wanted(name) and name not in found:
            key = (name if each.kind is DimensionKind.TYPE else _derived(each, name) for each in by)
            groups.groups[tuple(key)] = GroupStats()


def _derived(dimension: Dimension, event_type: str) -> str | None:
    return DERIVED[dimension.name](event_type) if dimension.name in DERIVED else None


def check_all_types(by: Sequence[Dimension], pivot: str | None) -> None:
    """Raise UsageError if a type without events cannot be a group of its own."""
    if all(each.kind is not DimensionKind.TYPE for each in by):
        raise UsageError("--all-types needs event_type in --by", hint="Add event_type to --by.")
    kinds = {DimensionKind.TYPE, DimensionKind.DERIVED}
    others = [each.name for each in by if each.kind not in kinds and each.name != pivot]
    if others:
        raise UsageError(
            f"--all-types and --by {others[0]} cannot be used together: a type without events has no {others[0]}",
            hint=f"Remove {others[0]} from --by, or --pivot it.",
        )


def _place_of_type(by: Sequence[Dimension]) -> int:
    return next(place for place, each in enumerate(by) if each.kind is DimensionKind.TYPE)


def counts_of(groups: GroupCounts, distinct: "DistinctStats | None") -> list[Count]:
    total = groups.total
    keys = dict.fromkeys((*groups.groups, *(distinct.duplicates if distinct else ())))
    return [_count(key, groups.groups.get(key, _EMPTY), total, distinct) for key in keys]


def _count(key: Key, group: GroupStats, total: int, distinct: "DistinctStats | None") -> Count:
    return Count(
        key=key,
        count=group.count,
        share=group.count / total if total else 0.0,
        first=moment_of(group.first),
        last=moment_of(group.last),
        duplicates=distinct.duplicates[key] if distinct and distinct.dedupes else None,
        unique_events=distinct.events.in_groups[key] if distinct and distinct.events else None,
        unique_users=distinct.users.in_groups[key] if distinct and distinct.users else None,
    )


def default_sort(by: Sequence[Dimension]) -> Sort:
    """Times in their order, everything else by count."""
    return Sort.NAME if all(each.kind is DimensionKind.TIME for each in by) else Sort.COUNT


def unknown_types(keys: Iterable[Key], by: Sequence[Dimension]) -> tuple[str, ...]:
    """Types that are not in the catalog, in the order of their groups."""
    if all(each.kind is not DimensionKind.TYPE for each in by):
        return ()
    place, known = _place_of_type(by), load().events
    names = dict.fromkeys(key[place] for key in keys)
    return tuple(name for name in names if name is not None and name not in known)


def absent_fields(keys: Sequence[Key], by: Sequence[Dimension]) -> tuple[str, ...]:
    """Fields that no event has: probably misspelled."""
    if not keys:
        return ()
    fields = [(place, each.name) for place, each in enumerate(by) if each.kind is DimensionKind.FIELD]
    return tuple(name for place, name in fields if all(key[place] is None for key in keys))
