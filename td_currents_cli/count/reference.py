"""What counts are compared with: expected counts, and those of an earlier run."""

from collections.abc import Mapping

from msgspec import Struct

from td_currents_cli.count.compare import CountComparison, compare, read_previous
from td_currents_cli.count.dimension import Key
from td_currents_cli.count.expect import CheckedCounts, Expectation, check_counts, read_expectations
from td_currents_cli.count.request import CountRequest


class CountBaseline(Struct, frozen=True):
    """The contents of the files that a request names; None for a file that it does not name."""

    request: CountRequest
    expected: Mapping[Key, Expectation] | None
    previous: Mapping[Key, int] | None

    @classmethod
    def read(cls, request: CountRequest) -> "CountBaseline":
        """Read the files; see `read_counts` for the errors."""
        return cls(
            request,
            None if request.expect is None else read_expectations(request.expect, request.by),
            None if request.compare is None else read_previous(request.compare, request.by),
        )

    def checks(self, counts: Mapping[Key, int]) -> CheckedCounts | None:
        return None if self.expected is None else check_counts(counts, self.expected, str(self.request.expect))

    def changes(self, counts: Mapping[Key, int]) -> CountComparison | None:
        if self.previous is None:
            return None
        return compare(counts, self.previous, str(self.request.compare), self.request.fail_on_drop)
