"""A file for each event type: all of them appear when they are whole, or none does."""

import os
import secrets
import shutil
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import BinaryIO, Final

from td_currents_cli.errors import OutputError
from td_currents_cli.names import table_name
from td_currents_cli.write.atomic import write_all

MOST_OPEN: Final = 32
"""Files that are open at a time; one more closes the one that was not written to for longest."""


class TypeFiles:
    """Files of flat events in a folder that is not the final one.

    Attributes:
        stems: of the files, in the order they were begun.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: OrderedDict[str, BinaryIO] = OrderedDict()
        self._of_type: dict[str, str] = {}
        self.stems: dict[str, None] = {}

    def write(self, event_type: str, lines: bytes) -> None:
        """Write events of a type to its file. Of types that are written alike, the second one's name ends in `_2`."""
        stem = self._of_type.get(event_type) or self._new(event_type)
        file = self._open.pop(stem, None)
        if file is None:
            if len(self._open) >= MOST_OPEN:
                self._open.popitem(last=False)[1].close()
            file = self.path(stem).open("ab")
        self._open[stem] = file
        write_all(file, lines)

    def _new(self, event_type: str) -> str:
        plain = stem = table_name(event_type)
        numbers = count(2)
        while stem in self.stems:
            stem = f"{plain}_{next(numbers)}"
        self._of_type[event_type] = stem
        self.stems[stem] = None
        return stem

    def path(self, stem: str) -> Path:
        """The file of an event type while it is written."""
        return self._folder / f"{stem}.part"

    def close(self) -> None:
        """Write what is still in memory."""
        while self._open:
            self._open.popitem()[1].close()


@contextmanager
def appearing_together(out_dir: Path) -> Iterator[tuple[Path, Callable[[Path, str], None]]]:
    """A folder to write files in, and what gives each its final name when all has been written.

    Raises:
        OutputError: a file or folder cannot be written.
    """
    final: list[tuple[Path, Path]] = []
    work = out_dir / f".tdcur-{secrets.token_hex(8)}.tmp"
    made = not out_dir.exists()
    try:
        work.mkdir(parents=True)
        yield work, lambda path, name: final.append((path, out_dir / name))
        _move(final)
    except OSError as error:
        _forget(out_dir, work, made=made)
        raise OutputError(f"cannot write to {out_dir}: {error.strerror or type(error).__name__}") from error
    except BaseException:
        _forget(out_dir, work, made=made)
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


def _forget(out_dir: Path, work: Path, *, made: bool) -> None:
    shutil.rmtree(work, ignore_errors=True)
    if made:
        with suppress(OSError):
            os.rmdir(out_dir)  # noqa: PTH106 -- only when it is empty
