"""Dead letters: events that were refused for good, each with the reason."""

import os
import re
import stat
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TypeAlias
from urllib.parse import quote, unquote, urlsplit

import msgspec
import orjson
from msgspec import Raw, Struct

from td_currents_cli.errors import OutputError
from td_currents_cli.journal.keys import event_keys, on_one_line
from td_currents_cli.model import Location, Problem
from td_currents_cli.patterns import pattern
from td_currents_cli.secrets import Secret, mask
from td_currents_cli.send.endpoint import Endpoint

_HIDDEN: Final = "***"
_SHORTEST: Final = 8  # minimum characters of a part of a secret that is worth hiding
_LONGEST: Final = 400  # maximum characters of what the two patterns below find, except for the digits of an account
_EMAIL_PATTERN: Final = pattern(r"[^\s@\"'<>(),;:=]{1,64}(?:@|%40|\\u0040)[\w.-]{1,255}")

Scrub: TypeAlias = Callable[[str, bool], str]  # takes a string and whether it was cut; returns what may be kept


def scrubber(endpoint: Endpoint) -> Scrub:
    """Return a function that hides credentials, and what looks like a write key or an email address.

    It also removes the end of a response that was cut, as far as it may be the beginning of one of these.
    """
    hidden = sorted(set(_secret_parts(endpoint)), key=len, reverse=True)
    secrets = re.compile("|".join(map(re.escape, hidden)), re.IGNORECASE) if hidden else None
    longest = max(_LONGEST, *map(len, hidden), 0)

    def scrub(text: str, is_cut: bool) -> str:  # noqa: FBT001 -- of a type that has no names
        if secrets is not None:
            text = secrets.sub(_HIDDEN, text)
        text = _EMAIL_PATTERN.sub(_HIDDEN, mask(text))
        # After the search: what is before the end is complete, and found.
        return text[:-longest] if is_cut else text

    return scrub


def _secret_parts(endpoint: Endpoint) -> Iterator[str]:
    values = [secret.reveal() for secret in (endpoint.write_key, endpoint.token) if isinstance(secret, Secret)]
    for parameter in urlsplit(endpoint.url.reveal()).query.split("&"):
        _, _, value = parameter.partition("=")
        values += [value, unquote(value)]
    for value in values:
        for part in (value, quote(value, safe=""), value.replace("/", "\\/"), *value.split("/")):
            if len(part) >= _SHORTEST:
                yield part


MAX_RESPONSE: Final = 500  # maximum characters of a response that are kept

START: Final = b'{"reason":'  # how a line begins


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """An event that was refused, and why."""

    event: bytes
    location: Location  # of the batch it was read in
    event_index: int
    problems: Sequence[Problem]
    status: int | None = None  # of the response; None where the event was not sent
    response: bytes = b""  # may contain anything
    is_cut: bool = False  # whether the response was longer
    attempts: int = 0
    pointer: str = ""  # to the event, where the pointers of its problems begin at the root of its batch

    def line(self, *, endpoint: str, at: float, scrub: Scrub) -> bytes:
        """Return this letter as a line of JSON Lines; `at` is in seconds since the epoch."""
        response = scrub(self.response.decode(errors="replace"), self.is_cut)[:MAX_RESPONSE]
        header = {
            "reason": "; ".join(f"{problem.code} {problem.message}" for problem in self.problems),
            "status": self.status,
            "response": None if self.status is None else response,
            "attempts": self.attempts,
            # File names need not be UTF-8.
            "source": self.location.source.encode(errors="surrogateescape").decode(errors="replace"),
            "line": self.location.line,
            "row": self.location.row,
            "event_index": self.event_index,
            "at": datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "endpoint": endpoint,
            # They point into the event: a letter holds nothing else of the batch.
            "findings": [
                {"code": each.code, "pointer": each.pointer.removeprefix(self.pointer), "message": each.message}
                for each in self.problems
            ],
        }
        # The event is inserted unchanged: decoding and encoding it could change it.
        return b"".join((orjson.dumps(header)[:-1], b',"event":', on_one_line(self.event), b"}\n"))


class DeadLetterFile:
    """A file that dead letters are appended to.

    What the file already contains for this endpoint is not written again, because the same command may meet the same
    events again. Each event in it takes 150 bytes of memory, once there is a first dead letter.

    Every method may raise OutputError. `is_input` is whether the run reads this file, too: what it appends, it will
    read.
    """

    def __init__(self, path: Path, endpoint: Endpoint, now: Callable[[], float], *, is_input: bool = False) -> None:
        self.path = path
        self._endpoint = endpoint.shown
        self._scrub = scrubber(endpoint)
        self._now = now
        self._is_input = is_input
        self._file: int | None = None
        self._known: Counter[bytes] = Counter()  # keys of the events in the file: how often not to write them again
        _check(path)

    def add(self, letter: DeadLetter) -> None:
        """Append a letter, wholly or not at all."""
        try:
            if self._file is None:
                self._file = _open(self.path)
                for each in _letters(self.path):
                    # Once is enough in an input, whoever refused it: otherwise the run would never reach the end of
                    # what it writes itself.
                    if self._is_input or each.endpoint == self._endpoint:
                        self._known[event_keys([bytes(each.event)])] += sys.maxsize if self._is_input else 1
            key = event_keys([letter.event])
            self._known[key] -= 1
            if self._known[key] < 0:
                _append(self._file, letter.line(endpoint=self._endpoint, at=self._now(), scrub=self._scrub))
                if self._is_input:
                    self._known[key] = sys.maxsize
        except OSError as error:
            raise _failure(self.path, error) from error

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
