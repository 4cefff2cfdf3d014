"""Counts by one of the names that events were also counted by: the same as if only that name had been asked for."""

from collections import defaultdict
from collections.abc import Callable

from msgspec import structs

from td_currents_cli.count.dimensions import dimensions
from td_currents_cli.count.result import (
    Count,
    CountOutcome,
    default_sort,
    first_counts,
    in_order,
    together,
    unknown_types,
)


def counts_by(
    outcome: CountOutcome,
    by: str,
    *,
    source: str | None = None,
    value_of: Callable[[str], str] = str,
    top: int | None = None,
    only_named: bool = False,
) -> CountOutcome:
    """Count the events of an outcome by a name.

    Args:
        outcome: with the counts by that name, or by its source.
        by: the name.
        source: a name whose values are finer than those of `by`.
        value_of: the value of `by` for one of the source.
        top: number of groups that are shown; all if None.
        only_named: leave out events without a value; shares are those of the others.
    """
    members: defaultdict[str | None, list[Count]] = defaultdict(list)
    for count in outcome.also[source or by]:
        (value,) = count.key
        if value is not None or not only_named:
            members[None if value is None else value_of(value)].append(count)
    total = sum(count.count for counts in members.values() for count in counts)
    found = dimensions([by])
    counts = in_order([together(each, (value,), total) for value, each in members.items()], default_sort(found))
    shown, others, rest = first_counts(counts, top, total)
    return structs.replace(
        outcome,
        by=(by,),
        also={},
        histogram=None,
        counts=shown,
        others=others,
        rest=rest,
        top=top,
        total=together(counts, (None,), total),
        unknown_types=unknown_types([count.key for count in counts], found),
        absent_fields=(),
    )
