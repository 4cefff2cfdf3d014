"""What is known and accepted today: later runs fail only on more.

A baseline is a JSON file of findings without their places, which change with every event that is added: the code, the
event type, and the pointer from the event down, with how often that came.
"""

import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from td_currents_cli.errors import InputError, UsageError
from td_currents_cli.model import Problem
from td_currents_cli.write.atomic import atomic_output

VERSION: Final = 1

_EVENT: Final = re.compile(r"^(/events)?/\d+(?=/|$)")


class Kind(NamedTuple):
    """What findings have in common that a baseline takes for the same."""

    code: str
    event_type: str | None
    pointer: str


def kind_of(problem: Problem) -> Kind:
    """The kind of a finding: its pointer begins at the event, wherever the event stands."""
    pointer = problem.pointer if problem.event_index is None else _EVENT.sub("", problem.pointer)
    return Kind(problem.code, problem.event_type and _writable(problem.event_type), _writable(pointer))


def _writable(name: str) -> str:
    """A name that UTF-8 can hold: lone surrogates, which JSON can name things by, as their escapes."""
    return name if name.isascii() else name.encode(errors="backslashreplace").decode()


class _Entry(msgspec.Struct, forbid_unknown_fields=True):
    code: str
    event_type: str | None
    pointer: str
    count: int


class _File(msgspec.Struct, forbid_unknown_fields=True):
    version: int
    findings: list[_Entry]


class Baseline:
    """Accepts as many findings of each kind as it has counted."""

    def __init__(self, counts: Mapping[Kind, int]) -> None:
        self._left = Counter(counts)

    def accepts(self, problem: Problem) -> bool:
        """Whether one more finding of this kind is accepted. Each call uses one up."""
        kind = kind_of(problem)
        accepted = self._left[kind] > 0
        if accepted:
            self._left[kind] -= 1
        return accepted


def read_baseline(path: Path) -> Baseline:
    """A baseline that `write_baseline` has written.

    Raises:
        InputError: the file cannot be read.
        UsageError: it is no baseline, or one of another version.
    """
    try:
        file = msgspec.json.decode(path.read_bytes(), type=_File)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}", hint="`--write-baseline` writes one.") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: not a baseline: {error}", hint="`--write-baseline` writes one.") from None
    if file.version != VERSION:
        raise UsageError(
            f"{path}: a baseline of version {file.version}, this program reads version {VERSION}",
            hint="Write it again with `--write-baseline`.",
        )
    return Baseline({Kind(each.code, each.event_type, each.pointer): each.count for each in file.findings})


def write_baseline(path: Path, counts: Mapping[Kind, int]) -> None:
    """Write how often each kind was found, in an order that makes small differences between versions.

    Raises:
        OutputError: the file cannot be written.
    """
    ordered = sorted(counts.items(), key=lambda item: (item[0].code, item[0].event_type or "", item[0].pointer))
    entries = [_Entry(*kind, count) for kind, count in ordered]
    text = msgspec.json.format(msgspec.json.encode(_File(VERSION, entries)), indent=2)
    with atomic_output(path) as output:
        output.write(text + b"\n")
