"""The counts that counts are compared with: those that were expected, and those of an earlier run."""

from collections.abc import Mapping

from msgspec import Struct

from td_currents_cli.count.bins import Key
from td_currents_cli.count.compare import Changes, compare, read_previous
from td_currents_cli.count.expect import Checks, Expectation, check, read_expectations
from td_currents_cli.count.request import CountRequest


class Reference(Struct, frozen=True):
    """What was read from the files that a request names.

    Attributes:
        request: which names them.
        expected: what should come out, by group; None where nobody says.
        previous: what came out before, by group; None where nobody says.
    """

    request: CountRequest
    expected: Mapping[Key, Expectation] | None
    previous: Mapping[Key, int] | None

    @classmethod
    def read(cls, request: CountRequest) -> "Reference":
        """Read the files.

        Raises:
            InputError: one of them cannot be read.
            UsageError: one of them does not hold such counts.
        """
        return cls(
            request,
            None if request.expect is None else read_expectations(request.expect, request.by),
            None if request.compare is None else read_previous(request.compare, request.by),
        )

    def checks(self, counts: Mapping[Key, int]) -> Checks | None:
        """Counts beside what was expected."""
        return None if self.expected is None else check(counts, self.expected, str(self.request.expect))

    def changes(self, counts: Mapping[Key, int]) -> Changes | None:
        """Counts beside those of the earlier run."""
        if self.previous is None:
            return None
        return compare(counts, self.previous, str(self.request.compare), self.request.fail_on_drop)
