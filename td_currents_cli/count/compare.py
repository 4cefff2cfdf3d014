"""Compares counts with those of an earlier run."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from msgspec import Struct

from td_currents_cli.count.counts_file import key_text, read_counts
from td_currents_cli.count.dimension import Key
from td_currents_cli.errors import UsageError

_PERCENT: Final = re.compile(r"(\d+(?:\.\d+)?)\s*%", re.ASCII)


class CountChange(Struct, frozen=True):
    """Events of one group, in the earlier run and in this one."""

    key: Key
    before: int
    now: int

    @property
    def part(self) -> float | None:
        """The change relative to the earlier count, -1 if all events are gone; None if there were none."""
        return (self.now - self.before) / self.before if self.before else None


class CountComparison(Struct, frozen=True):
    file: str
    fail_on_drop: float | None  # 0 to 1; a group that lost this part of its events, or more, fails the run
    changes: tuple[CountChange, ...]  # groups of the earlier run in its order, then the new ones

    @property
    def changed(self) -> tuple[CountChange, ...]:
        return tuple(change for change in self.changes if change.now != change.before)

    @property
    def dropped(self) -> tuple[CountChange, ...]:
        """Groups that lost too many events."""
        limit = self.fail_on_drop
        if limit is None:
            return ()
        return tuple(change for change in self.changes if change.part is not None and 0 > change.part <= -limit)

    def as_dict(self, by: Sequence[str]) -> dict[str, object]:
        dropped = self.dropped
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
                for change in self.changes
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


def read_previous(path: Path, by: Sequence[str]) -> dict[Key, int]:
    """Read the counts of an earlier run, by group; see `read_counts` for the errors."""
    counts = read_counts(path, by, "--compare")
    for key, text in counts.items():
        if not (text.isdecimal() and text.isascii()):
            raise UsageError(f"--compare {path}: {key_text(key)}: `{text}` is not a count")
    return {key: int(text) for key, text in counts.items()}


def compare(
    counts: Mapping[Key, int], previous: Mapping[Key, int], file: str, fail_on_drop: float | None
) -> CountComparison:
    """Compare counts with those of an earlier run, which a file contains."""
    keys = (*previous, *(key for key in counts if key not in previous))
    changes = tuple(CountChange(key, previous.get(key, 0), counts.get(key, 0)) for key in keys)
    return CountComparison(file, fail_on_drop, changes)
