"""What came of all parts of the input, put together."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from td_currents_cli.count.counting import Counted, Counting, Plan
from td_currents_cli.count.request import CountRequest
from td_currents_cli.count.tally import Tally
from td_currents_cli.outcome import Balance, ProblemLog
from td_currents_cli.read import records
from td_currents_cli.read.spread import Part, spread
from td_currents_cli.read.stretches import Stretches

if TYPE_CHECKING:
    from td_currents_cli.count.distinct import Distinct


def counted(request: CountRequest, distinct: "Distinct | None") -> Counted:
    """The counts of all sources.

    Args:
        request: what to count.
        distinct: remembers ids and users, where that is wanted.
    """
    plan = Plan(by=request.by, zone=request.zone, wanted=request.wanted, over_time=request.over_time)
    if distinct is None and request.reading.is_silent:
        return _together(spread(Counting, (plan,), Stretches(request.sources, request.reading), request.jobs), plan)
    return _together(_one_by_one(request, Counting(plan, distinct)), plan)


def _one_by_one(request: CountRequest, counting: Counting) -> Iterator[Part[Counted]]:
    # Which of two events with one id came first, only one process can know; and stretches are told by their contents.
    for source in request.sources:
        yield Part(counting(records([source], request.reading), source.name))


def _together(parts: Iterable[Part[Counted]], plan: Plan) -> Counted:
    tally, log, balance = Tally(over_time=plan.over_time), ProblemLog(), Balance()
    for part in parts:
        some = part.result
        tally.merge(some.tally)
        balance += some.balance
        # Each part has kept the problems that would be among those kept of all, had it been the only one to have any.
        log.take(replace(some.problems, kept=tuple(map(part.placed, some.problems.kept))))
    return Counted(tally, balance, log.result())
