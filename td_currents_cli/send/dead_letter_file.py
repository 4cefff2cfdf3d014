"""The dead-letter file: JSON Lines, one event per line, readable by its owner only.

`tdcur send FILE` sends the events of such a file again.
"""

import os
import stat
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Raw, Struct

from td_currents_cli.errors import OutputError
from td_currents_cli.journal.keys import event_keys
from td_currents_cli.send.dead_letter import START, DeadLetter
from td_currents_cli.send.scrub import Scrub


class DeadLetterFile:
    """A file that dead letters are appended to, whole lines at a time.

    What the file already contains for this endpoint is not written again, because the same command may meet the same
    events again. Each event in it takes 150 bytes of memory, once there is a first dead letter.

    Every method may raise OutputError. `is_input` is whether the run reads this file, too: what it appends, it will
    read.
    """

    def __init__(
        self,
        path: Path,
        *,
        endpoint: str,
        now: Callable[[], float],
        scrub: Scrub,
        is_input: bool = False,
    ) -> None:
        self.path = path
        self._endpoint = endpoint
        self._now = now
        self._scrub = scrub
        self._is_input = is_input
        self._file: int | None = None
        self._known: Counter[bytes] = Counter()
        _check(path)

    def add(self, letters: Iterable[DeadLetter]) -> None:
        """Append letters, in one write: all of them, or none."""
        lines: list[bytes] = []
        try:
            if self._file is None:
                self._file = _open(self.path)
                self._known = self._find_known()
            for letter in letters:
                key = event_keys([letter.event])
                self._known[key] -= 1
                if self._known[key] < 0:
                    lines.append(letter.line(endpoint=self._endpoint, at=self._now(), scrub=self._scrub))
                    if self._is_input:
                        self._known[key] = sys.maxsize
            _append(self._file, b"".join(lines))
        except OSError as error:
            raise _failure(self.path, error) from error

    def _find_known(self) -> Counter[bytes]:
        """Return the keys of the events in the file, and how often each must not be written again."""
        if self._is_input:
            # Once is enough, whoever refused it: otherwise the run would never reach the end of what it writes itself.
            return Counter({event_keys([bytes(each.event)]): sys.maxsize for each in _letters(self.path)})
        ours = (each.event for each in _letters(self.path) if each.endpoint == self._endpoint)
        return Counter(event_keys([bytes(event)]) for event in ours)

    def close(self) -> None:
        if self._file is None:
            return
        file, self._file = self._file, None
        try:
            if stat.S_ISREG(os.fstat(file).st_mode):
                os.fsync(file)
        except OSError as error:
            raise _failure(self.path, error) from error
        finally:
            os.close(file)


class _LetterLine(Struct, gc=False):
    event: Raw
    endpoint: str | None = None


_letter_line: Final = msgspec.json.Decoder(_LetterLine)


def _letters(path: Path) -> Iterator[_LetterLine]:
    if not path.is_file():
        return
    with path.open("rb") as lines:
        for line in lines:
            # A line that was cut off by a hard stop is left out; reading the file reports it.
            with suppress(msgspec.DecodeError, RecursionError):
                yield _letter_line.decode(line)


def _check(path: Path) -> None:
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return
    except OSError as error:
        raise _failure(path, error) from error
    if stat.S_ISDIR(mode):
        raise OutputError(f"cannot write {path}: it is a folder", hint="Give the path of a file.")
    if not os.access(path, os.W_OK):
        raise OutputError(f"cannot write {path}: permission denied", hint=_ELSEWHERE)
    if stat.S_ISREG(mode):
        with path.open("rb") as file:
            start = file.read(len(START))
        if start and start != START:
            raise OutputError(f"{path} contains something other than dead letters", hint=_ELSEWHERE)


def _open(path: Path) -> int:
    # Readable as well where possible: how the file ends is looked up.
    flags = os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
    file = os.open(path, flags | (os.O_RDWR if path.is_file() or not path.exists() else os.O_WRONLY), 0o600)
    size = os.fstat(file).st_size
    if size and os.pread(file, 1, size - 1) != b"\n":
        os.write(file, b"\n")
    return file


def _append(file: int, data: bytes) -> None:
    written = 0
    try:
        while written < len(data):
            written += os.write(file, data[written:])
    except OSError:
        size = os.fstat(file).st_size
        if written and os.pread(file, written, size - written) == data[:written]:
            os.ftruncate(file, size - written)
        raise


_ELSEWHERE: Final = "Name another file with --dead-letter FILE."


def _failure(path: Path, error: OSError) -> OutputError:
    hint = "" if path.parent.is_dir() else f"Create the folder {path.parent} first."
    return OutputError(f"cannot write {path}: {(error.strerror or type(error).__name__).lower()}", hint=hint)
