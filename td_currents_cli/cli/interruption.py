"""What a run leaves that Ctrl-C or SIGTERM stopped: which of its outputs were written, and which were not."""

import stat
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, TypeAlias

from td_currents_cli.render.terminal import printable

FileState: TypeAlias = object
"""Differs from an earlier one if the file was written in between."""

_RESULT_AT_END: Final = frozenset({"validate", "count", "reconcile", "verify"})
"""Commands that print their result once they have read everything."""


def file_state(path: Path) -> FileState:
    """Return what identifies the version of a file, or of the files in a folder."""
    with suppress(OSError, ValueError):
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            names = sorted(each for each in path.iterdir() if not each.name.startswith("."))
            return [(name, file_state(name)) for name in names] or None
        # A pipe or a device has no versions.
        return (status.st_ino, status.st_mtime_ns) if stat.S_ISREG(status.st_mode) else ""
    return None


def describe_outputs(command: str, files: Mapping[Path, FileState], *, streams: bool, query: str = "") -> str:
    """Say on one line what was and was not written.

    Args:
        command: its name.
        files: that it was asked to write, with their states before the run.
        streams: whether it writes data to standard output while it runs.
        query: what its query may have left; see `describe_query`.
    """
    found = {"written": list[str](), "incomplete": ["standard output"] * streams, "not written": [], "unchanged": []}
    for path, before in files.items():
        now = file_state(path)
        state = "unchanged" if now == before else "written"
        state = "incomplete" if before == "" else "not written" if now is None else state
        found[state].append(printable(str(path)))
    parts = [_sentence(names, state) for state, names in found.items() if names]
    if query:
        parts.append(query)
    if command in _RESULT_AT_END:
        parts.insert(0, "no result was printed")
    return ", ".join(parts)


def describe_query(into: str | None, *, is_repeatable: bool, dry_run: bool) -> str:
    """Say what a query that inserts into a table may have left, and what to do; nothing without a table."""
    if into is None or dry_run:
        return ""
    if is_repeatable:
        return "the query was stopped; run the command again: events that were inserted are recognized"
    return f"the query was stopped: check whether {into} has the events before you run it again"


def _sentence(names: Sequence[str], state: str) -> str:
    """Format `a, b, and c were not written`."""
    *others, last = names
    several = f"{', '.join(others)} and " if others else ""
    verb = ("are" if others else "is") if state in {"incomplete", "unchanged"} else ("were" if others else "was")
    return f"{several}{last} {verb} {state}"
