"""Runs `tdcur count`."""

from collections.abc import Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from msgspec import structs

from td_currents_cli.count.aggregate import EventCounter, GroupCounts, PartialCount
from td_currents_cli.count.dimensions import Dimension, dimensions
from td_currents_cli.count.result import (
    CountOutcome,
    CountRequest,
    absent_fields,
    add_all_types,
    check_all_types,
    counts_of,
    default_sort,
    first_counts,
    in_order,
    nearest_dimension,
    pivoted,
    together,
    unknown_types,
)
from td_currents_cli.errors import ExitCode, UsageError
from td_currents_cli.outcome import Balance, ProblemLog, exit_code_of
from td_currents_cli.parallel.map import ChunkResult, map_records
from td_currents_cli.read import records

if TYPE_CHECKING:
    from td_currents_cli.count.distinct import Distinct, DistinctStats


def count_sources(request: CountRequest, distinct: "Distinct | None") -> PartialCount:
    """Count all sources; `distinct` remembers ids and users for --unique and --dedupe."""
    sources, reading = request.sources, request.reading
    arguments = request.by, request.zone, request.wanted
    parts: Iterable[ChunkResult[PartialCount]]
    if distinct:
        # Only one process can know which of two events with one id came first.
        count = EventCounter(*arguments, also=request.also, over_time=request.over_time, distinct=distinct)
        parts = (ChunkResult(count(records([source], reading))) for source in sources)
    else:
        make = partial(EventCounter, also=request.also, over_time=request.over_time)
        parts = map_records(make, arguments, sources, options=reading, jobs=request.jobs, whole_sources=True)
    groups, log, balance = GroupCounts(over_time=request.over_time), ProblemLog(), Balance()
    also = [GroupCounts() for _ in request.also]
    streaming = False
    for part in parts:
        some = part.result
        groups.merge(some.groups)
        for each, found in zip(also, some.also, strict=True):
            each.merge(found)
        balance += some.balance
        streaming |= some.streaming
        # Each part has kept the problems that would be among those kept of all, had it been the only one to have any.
        log.merge(structs.replace(some.problems, kept=tuple(map(part.placed, some.problems.kept))))
    return PartialCount(groups, balance, log.result(), streaming, also)


def run(request: CountRequest) -> CountOutcome:
    """Count the events of all sources, or of all tables.

    Raises:
        InputError: the file of --expect or --compare cannot be read.
        TdcurError: a table cannot be queried; see `TdClient.query`.
        OutputError: ids fit neither into memory nor on disk.
        UsageError: the request, or one of these files, is invalid.
    """
    by = dimensions(request.by)
    _check(request, by)
    baseline = None
    if request.expect is not None or request.compare is not None:
        from td_currents_cli.count.baseline import CountBaseline  # noqa: PLC0415 -- only needed with these options

        baseline = CountBaseline(request)
    counted, distinct = _count(request)
    # Before --all-types adds types without events, which are not compared.
    in_groups = counts_of(counted.groups, distinct) if baseline else []
    outcome = _outcome(request, by, counted, distinct)
    if baseline is None:
        return outcome
    checks, changes = baseline.compare(in_groups)
    failed = (checks is not None and checks.failed) or (changes is not None and changes.dropped)
    code = max(outcome.exit_code, ExitCode.FINDINGS) if failed else outcome.exit_code
    return structs.replace(outcome, checks=checks, changes=changes, exit_code=code)


def _check(request: CountRequest, by: Sequence[Dimension]) -> None:
    if request.pivot is not None and (request.pivot not in request.by or len(by) < 2):
        raise UsageError(
            f"--pivot {request.pivot} needs --by with {request.pivot} and another name",
            hint=f"Example: --by event_type,{request.pivot}.",
        )
    if request.fail_on_drop is not None and request.compare is None:
        raise UsageError("--fail-on-drop needs --compare", hint="Add --compare FILE.")
    if request.all_types:
        check_all_types(by, request.pivot)


def _count(request: CountRequest) -> "tuple[PartialCount, DistinctStats | None]":
    if request.tables is not None:
        from td_currents_cli.count.pushdown import count_tables  # noqa: PLC0415 -- slow to import, only for tables

        return count_tables(request, request.tables)
    if not (request.unique or request.dedupe):
        return count_sources(request, None), None
    from td_currents_cli.count.distinct import Distinct  # noqa: PLC0415 -- only needed with these options

    with Distinct(unique=request.unique, dedupe=request.dedupe, limit=request.limit) as distinct:
        return count_sources(request, distinct), distinct.stats


def _outcome(
    request: CountRequest, by: Sequence[Dimension], counted: PartialCount, distinct: "DistinctStats | None"
) -> CountOutcome:
    groups = counted.groups
    absent = absent_fields(tuple(groups.groups), by)
    for name in absent:
        if (near := nearest_dimension(name)) and near != name.rpartition(".")[2]:
            raise UsageError(f"no event has the field `{name}`", hint=f"Did you mean --by {near}?")
    if request.all_types:
        add_all_types(groups, by, request.wanted.types)
    counts = in_order(counts_of(groups, distinct), request.sort or default_sort(by))
    # A pivot limits its rows instead, each of which has all its groups.
    shown, others, rest = first_counts(counts, None if request.pivot else request.top, groups.total)
    total = together(counts, (None,) * len(by), groups.total)
    if distinct and distinct.unique:
        total = structs.replace(total, unique_events=distinct.events.total, unique_users=distinct.users.total)
    return CountOutcome(
        by=request.by,
        counts=shown,
        others=others,
        top=request.top,
        wide=request.wide,
        rest=rest,
        total=total,
        balance=counted.balance,
        problems=counted.problems,
        zone=request.zone,
        streaming=counted.streaming,
        pivot=pivoted(request, counts, by),
        histogram=groups.histogram,
        unknown_types=unknown_types([count.key for count in counts], by),
        absent_fields=absent,
        spilled=distinct.spilled if distinct else 0,
        exit_code=exit_code_of(counted.problems, counted.balance),
        also={
            name: in_order(counts_of(found, None), default_sort(dimensions([name])))
            for name, found in zip(request.also, counted.also, strict=True)
        },
    )
