"""`tdcur journal`: lists the journals of the state folder, shows what one contains, and removes those out of use."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final

from td_currents_cli.choices import JournalAction
from td_currents_cli.errors import ExitCode, InputError, OutputError, UsageError
from td_currents_cli.journal.reader import JournalEndpoint, delivered_events, journal_endpoints
from td_currents_cli.outcome import Outcome

JOURNAL_NAME: Final = "journal.sqlite"
DEAD_LETTER_NAME: Final = "dead-letter.jsonl"
_COMPANIONS: Final = ("-wal", "-shm", "-journal")


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalRequest:
    action: JournalAction
    folder: Path  # the state folder, with a folder for each endpoint
    journal: Path | None = None  # the file to show
    unused_for: float = 0.0  # seconds since a journal was last written to, at the least, to be pruned
    dry_run: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalFile:
    path: Path
    bytes: int
    used_at: float  # UNIX seconds
    endpoints: tuple[JournalEndpoint, ...] = ()
    dead_letters: int = 0  # bytes of the file of dead letters next to it
    trouble: str = ""  # why it cannot be read

    def as_dict(self) -> dict[str, object]:
        return {
            "path": str(self.path),
            "bytes": self.bytes,
            "used_at": int(self.used_at),
            "endpoints": [{"url": each.url, "requests": each.requests} for each in self.endpoints],
            "dead_letter_bytes": self.dead_letters,
            "error": self.trouble,
        }


@dataclass(slots=True)
class TypeDeliveries:
    """What a journal knows of the delivered events of a type."""

    events: int = 0
    first: float | None = None  # event time, UNIX seconds
    last: float | None = None

    def add(self, when: object) -> None:
        self.events += 1
        if isinstance(when, int | float):
            self.first = when if self.first is None else min(self.first, when)
            self.last = when if self.last is None else max(self.last, when)


class JournalOutcome(Outcome, frozen=True, kw_only=True):
    """The journals that were listed, shown, or pruned."""

    command: ClassVar[str] = "journal"

    request: JournalRequest
    journals: tuple[JournalFile, ...] = ()
    types: dict[str, TypeDeliveries] | None = None  # of the journal that is shown, those with the most events first
    kept: int = 0  # journals that were not pruned

    def summary(self) -> dict[str, object]:
        return {"journals": len(self.journals), "bytes": sum(each.bytes for each in self.journals), "kept": self.kept}

    def data(self) -> dict[str, object]:
        types = {
            name: {"events": each.events, "first": each.first, "last": each.last}
            for name, each in (self.types or {}).items()
        }
        return {"journals": [each.as_dict() for each in self.journals], "event_types": types}


def run(request: JournalRequest) -> JournalOutcome:
    """List, show, or prune.

    Raises:
        UsageError: no journal was named to show.
        InputError: the journal to show cannot be read.
        OutputError: a journal cannot be removed.
    """
    if request.action is JournalAction.SHOW:
        if request.journal is None:
            raise UsageError("no journal given", hint="`tdcur journal list` lists them.")
        endpoints = journal_endpoints(request.journal)
        found = _describe(request.journal)
        types = _types(request.journal, endpoints)
        return JournalOutcome(request=request, journals=(found,), types=types)
    journals = [_describe(path) for path in sorted(request.folder.glob(f"*/{JOURNAL_NAME}"))]
    if request.action is JournalAction.LIST:
        unreadable = any(each.trouble for each in journals)
        code = ExitCode.IO if unreadable else ExitCode.OK
        return JournalOutcome(request=request, journals=tuple(journals), exit_code=code)
    now = time.time()
    # What cannot be read may belong to a newer version.
    unused = [each for each in journals if not each.trouble and now - each.used_at >= request.unused_for]
    removed = [each for each in unused if request.dry_run or _remove(each)]
    return JournalOutcome(request=request, journals=tuple(removed), kept=len(journals) - len(removed))


def _describe(path: Path) -> JournalFile:
    files = [path, *(path.with_name(path.name + end) for end in _COMPANIONS)]
    states = [file.stat() for file in files if file.exists()]
    letters = path.with_name(DEAD_LETTER_NAME)
    endpoints: list[JournalEndpoint] = []
    trouble = ""
    try:
        endpoints = journal_endpoints(path)
    except InputError as error:
        trouble = error.message
    return JournalFile(
        path=path,
        bytes=sum(state.st_size for state in states),
        used_at=max((state.st_mtime for state in states), default=0.0),
        endpoints=tuple(endpoints),
        dead_letters=letters.stat().st_size if letters.exists() else 0,
        trouble=trouble,
    )


def _types(path: Path, endpoints: list[JournalEndpoint]) -> dict[str, TypeDeliveries]:
    found: dict[str, TypeDeliveries] = {}
    for _, event_type, when in _events(path, endpoints):
        found.setdefault(event_type or "", TypeDeliveries()).add(when)
    return dict(sorted(found.items(), key=lambda item: (-item[1].events, item[0])))


def _events(path: Path, endpoints: list[JournalEndpoint]) -> Iterator[tuple[object, str | None, object]]:
    for url in dict.fromkeys(each.url for each in endpoints if not each.has_older):
        for batch in delivered_events(path, endpoint=url):
            yield from batch


def _remove(journal: JournalFile) -> bool:
    """Remove a journal with its lock held, so that no run is using it; False if one is."""
    try:
        with closing(sqlite3.connect(journal.path.absolute(), timeout=0, isolation_level=None)) as connection:
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")
            connection.execute("BEGIN EXCLUSIVE")
            for end in ("", *_COMPANIONS):
                journal.path.with_name(journal.path.name + end).unlink(missing_ok=True)
    except sqlite3.Error:
        return False
    except OSError as error:
        raise OutputError(f"cannot remove {journal.path}: {error.strerror}") from error
    return True
