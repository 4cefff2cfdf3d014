"""Counts the events of all sources."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING

from msgspec import structs

from td_currents_cli.choices import Sort
from td_currents_cli.count.counting import Counted
from td_currents_cli.count.dimension import Dimension, dimensions
from td_currents_cli.count.figures import Count
from td_currents_cli.count.gather import counted
from td_currents_cli.count.groups import (
    absent_fields,
    add_all_types,
    check_all_types,
    counts_of,
    default_sort,
    unknown_types,
)
from td_currents_cli.count.order import in_order, together
from td_currents_cli.count.outcome import CountOutcome
from td_currents_cli.count.request import CountRequest
from td_currents_cli.errors import ExitCode, UsageError
from td_currents_cli.outcome import exit_code_of

if TYPE_CHECKING:
    from td_currents_cli.count.differing import Differing
    from td_currents_cli.count.distinct import Distinct
    from td_currents_cli.count.pivot import Pivot
    from td_currents_cli.count.reference import Reference


def run(request: CountRequest) -> CountOutcome:
    """Count the events of all sources.

    Raises:
        InputError: a file of expectations or earlier counts cannot be read.
        TdcurError: a table cannot be asked; see `Warehouse.query`.
        OutputError: ids that do not fit into memory cannot be kept on disk either.
        UsageError: the request, or such a file, makes no sense.
    """
    by = dimensions(request.by)
    _check(request, by)
    reference = _reference(request)
    everything, distinct = _everything(request)
    # Types of the catalogue that are only to be shown are nothing to compare.
    numbers = {each.key: each.count for each in in_order(counts_of(everything.tally, distinct), Sort.COUNT)}
    outcome = _outcome(request, by, everything, distinct)
    if reference is None:
        return outcome
    checks, changes = reference.checks(numbers), reference.changes(numbers)
    wrong = (checks is not None and checks.failed) or (changes is not None and changes.dropped)
    code = max(outcome.exit_code, ExitCode.FINDINGS) if wrong else outcome.exit_code
    return replace(outcome, checks=checks, changes=changes, exit_code=code)


def _check(request: CountRequest, by: Sequence[Dimension]) -> None:
    if request.pivot is not None and (request.pivot not in request.by or len(by) < 2):
        raise UsageError(
            f"--pivot {request.pivot} needs --by with {request.pivot} and something else",
            hint=f"Such as --by event_type,{request.pivot}.",
        )
    if request.fail_on_drop is not None and request.compare is None:
        raise UsageError("--fail-on-drop needs something to compare with", hint="Add --compare FILE.")
    if request.all_types:
        check_all_types(by, request.pivot)


def _reference(request: CountRequest) -> "Reference | None":
    if request.expect is None and request.compare is None:
        return None
    from td_currents_cli.count.reference import Reference  # noqa: PLC0415 -- small things should feel instant

    return Reference.read(request)


def _everything(request: CountRequest) -> "tuple[Counted, Differing | None]":
    if request.tables is not None:
        from td_currents_cli.count.pushdown import asked  # noqa: PLC0415 -- heavy, and few have a table

        return asked(request, request.tables)
    with _distinct(request) as distinct:
        return counted(request, distinct), distinct


def _distinct(request: CountRequest) -> "AbstractContextManager[Distinct | None]":
    if not (request.unique or request.dedupe):
        return nullcontext()
    from td_currents_cli.count.distinct import Distinct  # noqa: PLC0415 -- as above

    return Distinct(unique=request.unique, dedupe=request.dedupe, limit=request.limit)


def _outcome(
    request: CountRequest, by: Sequence[Dimension], everything: Counted, distinct: "Differing | None"
) -> CountOutcome:
    tally = everything.tally
    absent = absent_fields(tuple(tally.groups), by)
    if request.all_types:
        add_all_types(tally, by, request.pivot, request.wanted.types)
    counts = in_order(counts_of(tally, distinct), request.sort or default_sort(by))
    # Of a pivot, the first lines are shown, each with all its groups.
    shown = counts[: None if request.pivot else request.top]
    others = counts[len(shown) :]
    nobody = (None,) * len(by)
    return CountOutcome(
        by=request.by,
        counts=tuple(shown),
        others=len(others),
        rest=together(others, nobody, tally.total) if others else None,
        total=_total(together(counts, nobody, tally.total), distinct),
        balance=everything.balance,
        problems=everything.problems,
        zone=request.zone,
        pivot=_pivot(request, counts, by),
        bins=tally.bins,
        unknown_types=unknown_types([count.key for count in counts], by),
        absent_fields=absent,
        spilled=distinct.spilled if distinct else 0,
        exit_code=exit_code_of(everything.problems, everything.balance),
    )


def _pivot(request: CountRequest, counts: Sequence[Count], by: Sequence[Dimension]) -> "Pivot | None":
    if request.pivot is None:
        return None
    from td_currents_cli.count.pivot import pivoted  # noqa: PLC0415 -- as above

    rows = [dimension for dimension in by if dimension.name != request.pivot]
    return pivoted(counts, request.by, request.pivot, request.sort or default_sort(rows), request.top)


def _total(total: Count, distinct: "Differing | None") -> Count:
    if distinct is None or distinct.events is None or distinct.users is None:
        return total
    return structs.replace(total, unique_events=distinct.events.total, unique_users=distinct.users.total)
