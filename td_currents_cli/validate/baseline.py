"""Baselines: problems that are known and accepted, so that later runs fail only on others.

A baseline is a JSON file of problems without their positions, which change with every event that is added: the code,
the event type, and the pointer from the event down, with a count.
"""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from td_currents_cli.errors import InputError, UsageError
from td_currents_cli.model import Problem
from td_currents_cli.patterns import pattern

VERSION: Final = 1

_EVENT: Final = pattern(r"^(/events)?/\d+(?=/|$)")


class ProblemKind(NamedTuple):
    """What problems have in common that a baseline treats as the same."""

    code: str
    event_type: str | None
    pointer: str


def problem_kind(problem: Problem) -> ProblemKind:
    """The kind of a problem: its pointer starts at the event."""
    pointer = problem.pointer if problem.event_index is None else _EVENT.sub("", problem.pointer)
    return ProblemKind(problem.code, problem.event_type and _writable(problem.event_type), _writable(pointer))


def _writable(name: str) -> str:
    """The name with lone surrogates, which JSON allows but UTF-8 does not, as escapes."""
    return name if name.isascii() else name.encode(errors="backslashreplace").decode()


class _BaselineEntry(msgspec.Struct, forbid_unknown_fields=True):
    code: str
    event_type: str | None
    pointer: str
    count: int


class _BaselineFile(msgspec.Struct, forbid_unknown_fields=True):
    version: int
    findings: list[_BaselineEntry]


def read_baseline(path: Path) -> Counter[ProblemKind]:
    """Read a file that `write_baseline` has written.

    Returns:
        How many problems of each kind are accepted.

    Raises:
        InputError: the file cannot be read.
        UsageError: it is not a baseline, or one of another version.
    """
    try:
        file = msgspec.json.decode(path.read_bytes(), type=_BaselineFile)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}", hint="Create one with `--write-baseline`.") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: not a baseline: {error}", hint="Create one with `--write-baseline`.") from None
    if file.version != VERSION:
        raise UsageError(
            f"{path}: baseline version {file.version} is not supported, only version {VERSION}",
            hint="Recreate it with `--write-baseline`.",
        )
    return Counter({ProblemKind(each.code, each.event_type, each.pointer): each.count for each in file.findings})


def write_baseline(path: Path, counts: Mapping[ProblemKind, int]) -> None:
    """Write the count of each kind, in an order that keeps diffs small.

    Raises:
        OutputError: the file cannot be written.
    """
    from td_currents_cli.write.files import atomic_output  # noqa: PLC0415 -- few runs write a baseline

    ordered = sorted(counts.items(), key=lambda item: (item[0].code, item[0].event_type or "", item[0].pointer))
    entries = [_BaselineEntry(*kind, count) for kind, count in ordered]
    text = msgspec.json.format(msgspec.json.encode(_BaselineFile(VERSION, entries)), indent=2)
    with atomic_output(path) as output:
        output.write(text + b"\n")
