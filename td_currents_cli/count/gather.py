"""Counts all sources and adds up their counts."""

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from td_currents_cli.count.counting import CounterConfig, EventCounter, PartialCount
from td_currents_cli.count.request import CountRequest
from td_currents_cli.count.tally import GroupCounts
from td_currents_cli.outcome import Balance, ProblemLog
from td_currents_cli.parallel.map import ChunkResult, map_records
from td_currents_cli.parallel.splits import MIN_SIZE
from td_currents_cli.read import records

if TYPE_CHECKING:
    from td_currents_cli.count.distinct import Distinct


def count_sources(request: CountRequest, distinct: "Distinct | None") -> PartialCount:
    """Count all sources; `distinct` remembers ids and users for --unique and --dedupe."""
    config = CounterConfig(by=request.by, zone=request.zone, wanted=request.wanted, over_time=request.over_time)
    sources, reading = request.sources, request.reading
    is_small = len(sources) == 1 and (sources[0].plain_size() or 0) < MIN_SIZE
    if distinct or is_small:
        # Only one process can know which of two events with one id came first.
        count = EventCounter(config, distinct)
        return _add_up((ChunkResult(count(records([source], reading))) for source in sources), config)
    results = map_records(EventCounter, (config,), sources, options=reading, jobs=request.jobs, whole_sources=True)
    return _add_up(results, config)


def _add_up(parts: Iterable[ChunkResult[PartialCount]], config: CounterConfig) -> PartialCount:
    groups, log, balance = GroupCounts(over_time=config.over_time), ProblemLog(), Balance()
    for part in parts:
        some = part.result
        groups.merge(some.groups)
        balance += some.balance
        # Each part has kept the problems that would be among those kept of all, had it been the only one to have any.
        log.merge(replace(some.problems, kept=tuple(map(part.placed, some.problems.kept))))
    return PartialCount(groups, balance, log.result())
