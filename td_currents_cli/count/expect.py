"""Compares counts with the expected ones."""

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from msgspec import Struct

from td_currents_cli.count.counts_file import key_text, read_counts
from td_currents_cli.count.dimension import Key
from td_currents_cli.errors import UsageError

ANY_OTHER: Final = "*"
"""Instead of a name: each group that is not named."""

_EXPECTATION: Final = re.compile(
    r"(?P<sign>>=|<=)?\s*(?P<number>\d+)\s*(?:(?:±|\+-|\+/-)\s*(?P<tolerance>\d+(?:\.\d+)?)\s*(?P<percent>%)?)?",
    re.ASCII,
)


class Expectation(Struct, frozen=True):
    """The smallest and the largest count that is correct."""

    text: str  # as written
    least: float
    most: float

    def miss(self, count: int) -> int:
        """By how much a count is too small (below 0) or too large; 0 for a correct one."""
        if count < self.least:
            return count - math.ceil(self.least)
        return count - math.floor(self.most) if count > self.most else 0


def expectation(text: str, where: str) -> Expectation:
    """Parse an expected count: `100`, `>=100`, `<=100`, `100±5%`, `100±5` (also `+-` for `±`).

    Raises:
        UsageError: it is none of these; `where` is the beginning of the message.
    """
    match = _EXPECTATION.fullmatch(text.strip())
    if match is None or (match["sign"] and match["tolerance"]):
        raise UsageError(
            f"{where}: `{text}` is not an expected count", hint="Write 100, >=100, <=100, 100±5% or 100±5."
        )
    number = int(match["number"])
    if match["sign"]:
        limits = (number, math.inf) if match["sign"] == ">=" else (0, number)
        return Expectation(text.strip(), *limits)
    tolerance = float(match["tolerance"] or 0) * (number / 100 if match["percent"] else 1)
    return Expectation(text.strip(), number - tolerance, number + tolerance)


class CheckedCount(Struct, frozen=True):
    key: Key
    expected: str  # as written
    count: int
    miss: int  # see Expectation.miss


class CheckedCounts(Struct, frozen=True):
    """All groups with an expected count: those that the file names, in its order, then the others."""

    file: str
    checks: tuple[CheckedCount, ...]

    @property
    def failed(self) -> tuple[CheckedCount, ...]:
        return tuple(check for check in self.checks if check.miss)

    def as_dict(self, by: Sequence[str]) -> dict[str, object]:
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
    """Read the expected counts, by group; see `read_counts` for the errors."""
    counts = read_counts(path, by, "--expect")
    return {key: expectation(text, f"--expect {path}: {key_text(key)}") for key, text in counts.items()}


def check_counts(counts: Mapping[Key, int], expected: Mapping[Key, Expectation], file: str) -> CheckedCounts:
    others = next((key for key in expected if set(key) == {ANY_OTHER}), None)
    wanted = {key: each for key, each in expected.items() if key != others}
    if others is not None:
        wanted |= {key: expected[others] for key in counts if key not in wanted}
    found = [(key, each, counts.get(key, 0)) for key, each in wanted.items()]
    checks = tuple(CheckedCount(key, each.text, count, each.miss(count)) for key, each, count in found)
    return CheckedCounts(file, checks)
