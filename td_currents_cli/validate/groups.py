"""Groups of equal problems: of each, people are shown a few examples and the number."""

from collections import Counter
from collections.abc import Container
from typing import Final, NamedTuple

from td_currents_cli.model import Code, Problem
from td_currents_cli.validate.checks import shortened

OTHER_TYPES: Final = "other event types"
MAX_GROUPS: Final = 500
"""Groups with an event type of their own: a payload can have any number of types."""


class ProblemGroup(NamedTuple):
    """What equal problems have in common."""

    code: Code
    event_type: str | None = None


DUPLICATE_IDS: Final = ProblemGroup(Code.REPEATED_ID)
"""Most duplicates are counted without reading their events again, so their types are not known."""


def problem_group(problem: Problem, known: Container[ProblemGroup] | None = None) -> ProblemGroup:
    """The group of a problem by its event type; if that is not one of the known groups, the one of other types."""
    if problem.event_type is None:
        return ProblemGroup(problem.code)
    if problem.code is Code.REPEATED_ID:
        return DUPLICATE_IDS
    group = ProblemGroup(problem.code, shortened(problem.event_type))
    return group if known is None or group in known else ProblemGroup(problem.code, OTHER_TYPES)


class ExampleCounter:
    """Counts problems by group, and tells the examples: the first few of each group, or all if None."""

    def __init__(self, examples: int | None) -> None:
        self._examples = examples
        self.counts: Counter[ProblemGroup] = Counter()

    def add(self, problem: Problem) -> bool:
        """Count a problem; returns whether it is an example of its group."""
        group = problem_group(problem, self.counts if len(self.counts) >= MAX_GROUPS else None)
        self.counts[group] += 1
        return self._examples is None or self.counts[group] <= self._examples

    def needs(self, group: ProblemGroup) -> bool:
        """Whether the next problem of a group is an example."""
        return self._examples is None or self.counts[group] < self._examples
