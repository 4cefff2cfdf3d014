"""From a tally to the groups that are shown."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from td_currents_cli.catalog import load
from td_currents_cli.choices import Sort
from td_currents_cli.count.bins import Key
from td_currents_cli.count.dimension import DERIVED, Dimension, Kind
from td_currents_cli.count.figures import Count
from td_currents_cli.count.tally import Group, Tally
from td_currents_cli.errors import UsageError
from td_currents_cli.events.filter import TypeGlobs
from td_currents_cli.events.times import moment_of

if TYPE_CHECKING:
    from td_currents_cli.count.differing import Differing


def add_all_types(tally: Tally, by: Sequence[Dimension], pivot: str | None, wanted: TypeGlobs) -> None:
    """Make a group of each type of the catalogue that arrives over HTTP, where there is none."""
    check_all_types(by, pivot)
    there = {key[_place_of_type(by)] for key in tally.groups}
    for event_type in load().events.values():
        name = event_type.name
        if event_type.http and wanted(name) and name not in there:
            key = tuple(name if each.kind is Kind.TYPE else DERIVED.get(each.name, _nothing)(name) for each in by)
            tally.groups[key] = Group()


def check_all_types(by: Sequence[Dimension], pivot: str | None) -> None:
    """Raises UsageError where a type that no event has would not be a group of its own."""
    if not any(each.kind is Kind.TYPE for each in by):
        raise UsageError("--all-types is about event types", hint="Add event_type to --by.")
    others = [each.name for each in by if each.kind not in {Kind.TYPE, Kind.DERIVED} and each.name != pivot]
    if others:
        raise UsageError(
            f"--all-types: a type without events has no {others[0]}", hint=f"Leave {others[0]} out, or --pivot it."
        )


def _place_of_type(by: Sequence[Dimension]) -> int:
    return next(place for place, each in enumerate(by) if each.kind is Kind.TYPE)


def _nothing(_name: str) -> None:
    return None


def counts_of(tally: Tally, distinct: "Differing | None") -> list[Count]:
    """The figures of all groups."""
    total = sum(group.count for group in tally.groups.values())
    keys = dict.fromkeys((*tally.groups, *(distinct.duplicates if distinct else ())))
    return [_count(key, tally.groups.get(key, _EMPTY), total, distinct) for key in keys]


def _count(key: Key, group: Group, total: int, distinct: "Differing | None") -> Count:
    dropped = distinct.duplicates[key] if distinct is not None and distinct.dedupes else None
    return Count(
        key=key,
        count=group.count,
        share=group.count / total if total else 0.0,
        first=moment_of(group.first),
        last=moment_of(group.last),
        duplicates=dropped,
        unique_events=distinct.events.in_groups[key] if distinct and distinct.events else None,
        unique_users=distinct.users.in_groups[key] if distinct and distinct.users else None,
    )


_EMPTY: Final = Group()


def default_sort(by: Sequence[Dimension]) -> Sort:
    """Times alone are looked at in their order, all else by how much there is of it."""
    return Sort.NAME if all(each.kind is Kind.TIME for each in by) else Sort.COUNT


def unknown_types(keys: Iterable[Key], by: Sequence[Dimension]) -> tuple[str, ...]:
    """Types that the catalogue does not have, in the order of their groups."""
    if not any(each.kind is Kind.TYPE for each in by):
        return ()
    place, known = _place_of_type(by), load().events
    names = dict.fromkeys(key[place] for key in keys)
    return tuple(name for name in names if name is not None and name not in known)


def absent_fields(keys: Sequence[Key], by: Sequence[Dimension]) -> tuple[str, ...]:
    """Fields that no event has: their names may be slips of the pen."""
    if not keys:
        return ()
    fields = [(place, each.name) for place, each in enumerate(by) if each.kind is Kind.FIELD]
    return tuple(name for place, name in fields if all(key[place] is None for key in keys))
