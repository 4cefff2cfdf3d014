"""Counts beside those that should have come out."""

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from msgspec import Struct

from td_currents_cli.count.bins import Key
from td_currents_cli.count.counts_file import name_of, read_counts
from td_currents_cli.errors import UsageError

ANY_OTHER: Final = "*"
"""In the place of a name: each group that is not named."""

_FORM: Final = re.compile(
    r"(?P<sign>>=|<=)?\s*(?P<number>\d+)\s*(?:(?:±|\+-|\+/-)\s*(?P<tolerance>\d+(?:\.\d+)?)\s*(?P<percent>%)?)?",
    re.ASCII,
)


class Expectation(Struct, frozen=True):
    """What a count should be.

    Attributes:
        text: as it was written.
        least: the smallest count that is right.
        most: the largest one.
    """

    text: str
    least: float
    most: float

    def miss(self, count: int) -> int:
        """How far a count is from being right: how many are missing (below 0) or too many; 0 for none."""
        if count < self.least:
            return count - math.ceil(self.least)
        return count - math.floor(self.most) if count > self.most else 0


def expectation(text: str, where: str) -> Expectation:
    """What a text says a count should be: `100`, `>=100`, `<=100`, `100±5%`, `100±5` (also `+-` for `±`).

    Raises:
        UsageError: it says nothing of the kind; `where` is the beginning of the message.
    """
    match = _FORM.fullmatch(text.strip())
    if match is None or (match["sign"] and match["tolerance"]):
        raise UsageError(
            f"{where}: `{text}` says nothing about a count", hint="Write 100, >=100, <=100, 100±5% or 100±5."
        )
    number = int(match["number"])
    if match["sign"]:
        most_or_least = (number, math.inf) if match["sign"] == ">=" else (0, number)
        return Expectation(text.strip(), *most_or_least)
    tolerance = float(match["tolerance"] or 0) * (number / 100 if match["percent"] else 1)
    return Expectation(text.strip(), number - tolerance, number + tolerance)


class Check(Struct, frozen=True):
    """One group beside what was expected of it.

    Attributes:
        key: the group.
        expected: as it was written.
        count: what came out.
        miss: 0 when that is right; else how many are missing (below 0) or too many.
    """

    key: Key
    expected: str
    count: int
    miss: int


class Checks(Struct, frozen=True):
    """All groups of which something was expected, in the order of the file, then those that no line names.

    Attributes:
        file: with the expectations.
        checks: one for each group.
    """

    file: str
    checks: tuple[Check, ...]

    @property
    def failed(self) -> tuple[Check, ...]:
        """Those that are not as expected."""
        return tuple(check for check in self.checks if check.miss)

    def as_dict(self, by: Sequence[str]) -> dict[str, object]:
        """The machine form."""
        return {
            "file": self.file,
            "met": len(self.checks) - len(self.failed),
            "failed": len(self.failed),
            "checks": [
                dict(zip(by, check.key, strict=True))
                | {"expected": check.expected, "count": check.count, "miss": check.miss, "met": not check.miss}
                for check in self.checks
            ],
        }


def read_expectations(path: Path, by: Sequence[str]) -> dict[Key, Expectation]:
    """What a file says should come out, by group.

    Raises:
        InputError: the file cannot be read.
        UsageError: it does not hold expectations of counts by these.
    """
    counts = read_counts(path, by, "--expect")
    return {key: expectation(text, f"--expect {path}: {name_of(key)}") for key, text in counts.items()}


def check(counts: Mapping[Key, int], expected: Mapping[Key, Expectation], file: str) -> Checks:
    """Counts beside what was expected of them."""
    others = next((key for key in expected if set(key) == {ANY_OTHER}), None)
    wanted = {key: each for key, each in expected.items() if key != others}
    if others is not None:
        wanted |= {key: expected[others] for key in counts if key not in wanted}
    found = [(key, each, counts.get(key, 0)) for key, each in wanted.items()]
    return Checks(file, tuple(Check(key, each.text, count, each.miss(count)) for key, each, count in found))
