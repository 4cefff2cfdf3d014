"""One file per event type: all of them appear when they are complete, or none does."""

import os
import secrets
import shutil
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import BinaryIO, Final

from td_currents_cli.braze import table_name
from td_currents_cli.errors import OutputError
from td_currents_cli.write.files import write_all

MAX_OPEN: Final = 32
"""Files open at a time; one more closes the least recently written one."""


class TypeFiles:
    """Files of flat events in a temporary folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: OrderedDict[str, BinaryIO] = OrderedDict()
        self._stem_of_type: dict[str, str] = {}
        self.stems: dict[str, None] = {}  # of the files, in the order of creation

    def write(self, event_type: str, lines: bytes) -> None:
        """Write events of a type to its file. If two types give the same file name, the second one ends in `_2`."""
        stem = self._stem_of_type.get(event_type) or self._new(event_type)
        file = self._open.pop(stem, None)
        if file is None:
            if len(self._open) >= MAX_OPEN:
                self._open.popitem(last=False)[1].close()
            file = self.path(stem).open("ab")
        self._open[stem] = file
        write_all(file, lines)

    def _new(self, event_type: str) -> str:
        plain = stem = table_name(event_type)
        numbers = count(2)
        while stem in self.stems:
            stem = f"{plain}_{next(numbers)}"
        self._stem_of_type[event_type] = stem
        self.stems[stem] = None
        return stem

    def path(self, stem: str) -> Path:
        return self._folder / f"{stem}.part"

    def close(self) -> None:
        while self._open:
            self._open.popitem()[1].close()


@contextmanager
def appearing_together(out_dir: Path) -> Iterator[tuple[Path, Callable[[Path, str], None]]]:
    """A temporary folder to write files in, and a function that sets the final name of each. Raises OutputError."""
    final: list[tuple[Path, Path]] = []
    work = out_dir / f".tdcur-{secrets.token_hex(8)}.tmp"
    created = not out_dir.exists()
    try:
        work.mkdir(parents=True)
        yield work, lambda path, name: final.append((path, out_dir / name))
        _move(final)
    except OSError as error:
        _remove(out_dir, work, created=created)
        raise OutputError(f"cannot write to {out_dir}: {error.strerror or type(error).__name__}") from error
    except BaseException:
        _remove(out_dir, work, created=created)
        raise
    shutil.rmtree(work, ignore_errors=True)


def _move(final: list[tuple[Path, Path]]) -> None:
    new: list[Path] = []
    try:
        for path, name in final:
            is_new = not name.exists()
            path.replace(name)
            if is_new:
                new.append(name)
    except BaseException:
        for name in new:
            with suppress(OSError):
                name.unlink()
        raise


def _remove(out_dir: Path, work: Path, *, created: bool) -> None:
    shutil.rmtree(work, ignore_errors=True)
    if created:
        with suppress(OSError):
            os.rmdir(out_dir)  # noqa: PTH106 -- only when it is empty
