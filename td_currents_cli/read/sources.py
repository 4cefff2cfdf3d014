"""Where bytes come from: the paths a user gave, resolved before any work begins."""

import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from glob import glob, has_magic
from pathlib import Path
from typing import BinaryIO, Final

from td_currents_cli.errors import InputError, UsageError

STDIN: Final = "-"

FORMS: Final = (".json", ".jsonl", ".ndjson", ".csv")
COMPRESSIONS: Final = ("", ".gz", ".zst", ".bz2", ".xz")
ENDINGS: Final = tuple(form + compression for form in FORMS for compression in COMPRESSIONS)
"""What a folder is searched for. A file that is named is read whatever its ending: contents decide."""


@dataclass(frozen=True, slots=True)
class Source:
    """One input.

    Attributes:
        name: as messages show it: the path as the user gave it, or `<stdin>`.
        path: the file; None for standard input.
    """

    name: str
    path: Path | None

    def open(self) -> BinaryIO:
        """The raw bytes, unbuffered where that is possible. The caller closes it.

        Raises:
            OSError: as `open` does.
        """
        if self.path is None:
            return os.fdopen(sys.stdin.fileno(), "rb", buffering=0, closefd=False)
        return self.path.open("rb", buffering=0)


def sources(paths: Sequence[str] | None) -> list[Source]:
    """Resolve files, folders, globs and `-`; no path at all means standard input.

    A folder stands for the files below it that have one of `ENDINGS`, in the order of their names.

    Raises:
        InputError: a path does not exist, cannot be read, or stands for no file at all. All are named.
        UsageError: `-` is given twice.
    """
    given = list(paths or [STDIN])
    if given.count(STDIN) > 1:
        raise UsageError("standard input (-) is given twice", hint="Give it once.")
    missing: list[str] = []
    found = [source for path in given for source in _resolve(path, missing)]
    if missing:
        raise InputError("; ".join(missing), hint="Nothing was read. Mend the paths and run the command again.")
    return found


def _resolve(path: str, missing: list[str]) -> Iterator[Source]:
    if path == STDIN:
        yield Source("<stdin>", None)
    elif Path(path).is_dir():
        files = [file for file in sorted(Path(path).rglob("*")) if file.name.endswith(ENDINGS) and file.is_file()]
        if not files:
            missing.append(f"{path}: no payload files in this folder (looked for {', '.join(FORMS)}, also compressed)")
        for file in files:
            yield from _file(str(file), missing)
    elif Path(path).exists():
        yield from _file(path, missing)
    elif has_magic(path):
        matches = sorted(glob(path, recursive=True))
        if not matches:
            missing.append(f"{path}: no file matches")
        for match in matches:
            yield from _resolve(match, missing)
    else:
        missing.append(f"{path}: no such file or folder")


def _file(path: str, missing: list[str]) -> Iterator[Source]:
    if os.access(path, os.R_OK):
        yield Source(path, Path(path))
    else:
        missing.append(f"{path}: permission denied")
