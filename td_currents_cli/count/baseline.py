"""Compares counts with those of an earlier run."""

import csv
import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from io import StringIO
from itertools import zip_longest
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from td_currents_cli.choices import Sort
from td_currents_cli.count.dimensions import Key
from td_currents_cli.count.result import Count, CountRequest, in_order
from td_currents_cli.errors import InputError, UsageError
from td_currents_cli.patterns import pattern
from td_currents_cli.read.formats.flat import NULL, unescaped

_COUNTS_HINT: Final = "Give the output of `tdcur count --format json` (or jsonl, csv, tsv) with the same --by."


def read_counts(path: Path, by: Sequence[str], option: str) -> dict[Key, str]:
    """The count of each group, as a string.

    The file is JSON (the envelope, a list of objects, or one object of names and counts), JSON Lines, CSV or TSV.

    `option` names the file in messages.

    Raises:
        InputError: the file cannot be read.
        UsageError: its format is another one, its counts have other dimensions, or a group occurs twice.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise InputError(f"cannot read {path}: not UTF-8") from None
    where = f"{option} {path}"
    counts: dict[Key, str] = {}
    for item in _items(text, by, where):
        _require_fields(item, by, where)
        count = item["count"]
        if isinstance(count, bool) or not isinstance(count, int | str):
            raise UsageError(f"{where}: the count of a group is neither a number nor a string", hint=_COUNTS_HINT)
        # CSV has no other way to write a missing value.
        key = tuple(None if item[name] in {None, ""} else str(item[name]) for name in by)
        if key in counts:
            raise UsageError(f"{where}: {key_text(key)} occurs twice")
        counts[key] = str(count)
    return counts


def key_text(key: Key) -> str:
    """A group as part of a message."""
    return ", ".join("(none)" if value is None else value for value in key)


def _items(text: str, by: Sequence[str], where: str) -> Iterator[Mapping[str, Any]]:
    if not text.lstrip().startswith(("{", "[")):
        yield from _delimited(text, by, where)
        return
    try:
        document = json.loads(text)
    except ValueError:
        try:
            document = [json.loads(line) for line in text.split("\n") if line.strip()]
        except ValueError as error:
            raise UsageError(f"{where} is neither JSON nor JSON Lines: {error}") from None
    if isinstance(document, dict):
        document = document.get("counts", document)
    if isinstance(document, dict):
        if set(by) | {"count"} <= document.keys():
            document = [document]
        elif len(by) > 1:
            raise UsageError(f"{where} has one name per count, but --by has {len(by)}", hint=_COUNTS_HINT)
        else:
            document = [{by[0]: name, "count": count} for name, count in document.items()]
    if not isinstance(document, list) or not all(isinstance(item, dict) for item in document):
        raise UsageError(f"{where} contains no counts", hint=_COUNTS_HINT)
    yield from document


def _delimited(text: str, by: Sequence[str], where: str) -> Iterator[Mapping[str, Any]]:
    is_tsv = "\t" in text.partition("\n")[0]

    def cells(row: Sequence[str]) -> list[str | None]:
        return [None if cell == NULL else unescaped(cell) for cell in row] if is_tsv else [*row]

    lines = StringIO(text, newline="")
    reader = csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE) if is_tsv else csv.reader(lines)
    try:
        header = [cell or "" for cell in cells(next(reader, []))]
        _require_fields(dict.fromkeys(header), by, where)
        for row in filter(None, reader):
            yield dict(zip_longest(header, cells(row[: len(header)])))
    except csv.Error as error:
        raise UsageError(f"{where} is neither JSON nor CSV: {error}") from None


def _require_fields(item: Mapping[str, Any], by: Sequence[str], where: str) -> None:
    missing = [name for name in (*by, "count") if name not in item]
    if missing:
        raise UsageError(f"{where} has no field `{missing[0]}`: its counts have other dimensions", hint=_COUNTS_HINT)


_PERCENT: Final = pattern(r"(\d+(?:\.\d+)?)\s*%", re.ASCII)


class CountChange(Struct, frozen=True):
    """Events of one group, in the earlier run and in this one."""

    key: Key
    before: int
    now: int

    @property
    def part(self) -> float | None:
        """The change relative to the earlier count, -1 if there are no events now; None if there were none."""
        return (self.now - self.before) / self.before if self.before else None


class CountComparison(Struct, frozen=True):
    file: str
    fail_on_drop: float | None  # 0 to 1; a group that lost this part of its events, or more, fails the run
    changes: tuple[CountChange, ...]  # groups of the earlier run in its order, then the new ones

    @property
    def changed(self) -> tuple[CountChange, ...]:
        return tuple(change for change in self.changes if change.now != change.before)

    @property
    def largest_first(self) -> tuple[CountChange, ...]:
        """The groups that changed, by how many events."""
        return tuple(sorted(self.changed, key=lambda change: -abs(change.now - change.before)))

    @property
    def dropped(self) -> tuple[CountChange, ...]:
        """Groups that lost too many events."""
        limit = self.fail_on_drop
        if limit is None:
            return ()
        return tuple(change for change in self.changes if change.part is not None and 0 > change.part <= -limit)

    def as_dict(self, by: Sequence[str], top: int | None) -> dict[str, object]:
        """The machine form, with all changes or, of those groups that changed, the largest `top`."""
        dropped = self.dropped
        shown = self.changes if top is None else self.largest_first[:top]
        return {
            "file": self.file,
            "fail_on_drop": self.fail_on_drop,
            "changed": len(self.changed),
            "dropped": len(dropped),
            "changes": [
                {
                    **dict(zip(by, change.key, strict=True)),
                    "before": change.before,
                    "count": change.now,
                    "change": None if change.part is None else round(change.part, 6),
                    "dropped": change in dropped,
                }
                for change in shown
            ],
        }


def part_of(text: str) -> float:
    """Parse a percentage such as `30%` into a part, 0 to 1.

    Raises:
        UsageError: it is not a percentage from 0% to 100%.
    """
    match = _PERCENT.fullmatch(text.strip())
    if match is None or float(match[1]) > 100:
        raise UsageError(f"--fail-on-drop must be a percentage from 0% to 100%, got {text}", hint="Example: 30%.")
    return float(match[1]) / 100


_EXPECTATION: Final = pattern(
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
    number, sign = int(match["number"]), match["sign"]
    tolerance = float(match["tolerance"] or 0) * (number / 100 if match["percent"] else 1)
    least = 0 if sign == "<=" else number - tolerance
    most = math.inf if sign == ">=" else number + tolerance
    return Expectation(text.strip(), least, most)


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


class CountBaseline:
    """The contents of the files that --expect and --compare name."""

    def __init__(self, request: CountRequest) -> None:
        """Read the files; see `read_counts` for the errors."""
        self._request = request
        self._expected: dict[Key, Expectation] = {}
        self._previous: dict[Key, int] = {}
        if path := request.expect:
            for key, text in read_counts(path, request.by, "--expect").items():
                self._expected[_as_written(key)] = expectation(text, f"--expect {path}: {key_text(key)}")
        if path := request.compare:
            for key, text in read_counts(path, request.by, "--compare").items():
                if not (text.isdecimal() and text.isascii()):
                    raise UsageError(f"--compare {path}: {key_text(key)}: `{text}` is not a count")
                self._previous[_as_written(key)] = int(text)

    def compare(self, counts: Iterable[Count]) -> tuple[CheckedCounts | None, CountComparison | None]:
        """Compare counts with the expected and with the earlier ones; None without --expect or --compare."""
        numbers: Counter[Key] = Counter()
        for each in in_order(counts, Sort.COUNT):
            numbers[_as_written(each.key)] += each.count
        expect, compare = self._request.expect, self._request.compare
        return (
            CheckedCounts(str(expect), tuple(self._checks(numbers))) if expect else None,
            CountComparison(str(compare), self._request.fail_on_drop, self._changes(numbers)) if compare else None,
        )

    def _checks(self, counts: Mapping[Key, int]) -> Iterator[CheckedCount]:
        # Stands for each group that is not named.
        others = next((key for key in self._expected if set(key) == {"*"}), None)
        wanted = {key: each for key, each in self._expected.items() if key != others}
        if others is not None:
            wanted |= {key: self._expected[others] for key in counts if key not in wanted}
        for key, each in wanted.items():
            count = counts.get(key, 0)
            yield CheckedCount(key, each.text, count, each.miss(count))

    def _changes(self, counts: Mapping[Key, int]) -> tuple[CountChange, ...]:
        keys = dict.fromkeys((*self._previous, *counts))
        return tuple(CountChange(key, self._previous.get(key, 0), counts.get(key, 0)) for key in keys)


def _as_written(key: Key) -> Key:
    """Replace lone surrogates in a key as CSV and TSV do, which cannot hold them."""
    return tuple(part.encode(errors="backslashreplace").decode() if isinstance(part, str) else part for part in key)
