"""Counts beside those of an earlier run."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from msgspec import Struct

from td_currents_cli.count.bins import Key
from td_currents_cli.count.counts_file import name_of, read_counts
from td_currents_cli.errors import UsageError

_PERCENT: Final = re.compile(r"(\d+(?:\.\d+)?)\s*%", re.ASCII)


class Change(Struct, frozen=True):
    """One group then and now.

    Attributes:
        key: the group.
        before: its events in the earlier run.
        now: its events in this run.
    """

    key: Key
    before: int
    now: int

    @property
    def part(self) -> float | None:
        """The change as a part of what there was, -1 for all of it gone; None where there was nothing."""
        return (self.now - self.before) / self.before if self.before else None


class Changes(Struct, frozen=True):
    """All groups of both runs.

    Attributes:
        file: with the counts of the earlier run.
        fail_on_drop: the part, 0 to 1, by which no group may have fewer events; None for any.
        changes: groups of the earlier run in its order, then the new ones.
    """

    file: str
    fail_on_drop: float | None
    changes: tuple[Change, ...]

    @property
    def changed(self) -> tuple[Change, ...]:
        """Those that have not the same count."""
        return tuple(change for change in self.changes if change.now != change.before)

    @property
    def dropped(self) -> tuple[Change, ...]:
        """Those with too few events."""
        limit = self.fail_on_drop
        if limit is None:
            return ()
        return tuple(change for change in self.changes if change.part is not None and 0 > change.part <= -limit)

    def as_dict(self, by: Sequence[str]) -> dict[str, object]:
        """The machine form."""
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
    """What `30%` is a part, 0 to 1.

    Raises:
        UsageError: it is no percentage up to 100%.
    """
    match = _PERCENT.fullmatch(text.strip())
    if match is None or float(match[1]) > 100:
        raise UsageError(f"--fail-on-drop is not a percentage: {text}", hint="Give one such as 30%.")
    return float(match[1]) / 100


def read_previous(path: Path, by: Sequence[str]) -> dict[Key, int]:
    """The counts of an earlier run, by group.

    Raises:
        InputError: the file cannot be read.
        UsageError: it does not hold counts by these.
    """
    counts = read_counts(path, by, "--compare")
    for key, text in counts.items():
        if not (text.isdecimal() and text.isascii()):
            raise UsageError(f"--compare {path}: {name_of(key)}: `{text}` is not a count")
    return {key: int(text) for key, text in counts.items()}


def compare(counts: Mapping[Key, int], previous: Mapping[Key, int], file: str, fail_on_drop: float | None) -> Changes:
    """Counts beside those of an earlier run."""
    keys = (*previous, *(key for key in counts if key not in previous))
    return Changes(file, fail_on_drop, tuple(Change(key, previous.get(key, 0), counts.get(key, 0)) for key in keys))
