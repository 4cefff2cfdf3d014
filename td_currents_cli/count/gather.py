"""Counts all sources and adds up their counts."""

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from td_currents_cli.count.counting import CounterConfig, EventCounter, PartialCount
from td_currents_cli.count.request import CountRequest
from td_currents_cli.count.tally import GroupCounts
from td_currents_cli.outcome import Balance, ProblemLog
from td_currents_cli.read import records
from td_currents_cli.read.spread import Part, spread
from td_currents_cli.read.stretches import LARGE, Stretches

if TYPE_CHECKING:
    from td_currents_cli.count.distinct import Distinct


def count_sources(request: CountRequest, distinct: "Distinct | None") -> PartialCount:
    """Count all sources; `distinct` remembers ids and users for --unique and --dedupe."""
    config = CounterConfig(by=request.by, zone=request.zone, wanted=request.wanted, over_time=request.over_time)
    sources, reading = request.sources, request.reading
    is_small = len(sources) == 1 and (sources[0].plain_size() or 0) < LARGE
    if distinct or is_small or not reading.is_silent:
        # Only one process can know which of two events with one id came first; and what is read is reported in order.
        count = EventCounter(config, distinct)
        return _add_up((Part(count(records([source], reading), source.name)) for source in sources), config)
    return _add_up(spread(EventCounter, (config,), Stretches(sources, reading), request.jobs), config)


def _add_up(parts: Iterable[Part[PartialCount]], config: CounterConfig) -> PartialCount:
    groups, log, balance = GroupCounts(over_time=config.over_time), ProblemLog(), Balance()
    for part in parts:
        some = part.result
        groups.merge(some.groups)
        balance += some.balance
        # Each part has kept the problems that would be among those kept of all, had it been the only one to have any.
        log.take(replace(some.problems, kept=tuple(map(part.placed, some.problems.kept))))
    return PartialCount(groups, balance, log.result())
