"""The journal's file: an SQLite database of its own, opened by one run at a time, and what can be wrong with it."""

import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from td_currents_cli.errors import OutputError
from td_currents_cli.read.journal_events import APPLICATION, SCHEMA

_SENT: Final = (
    # Which events each request held, see `sent_events`: one row a request, for good.
    "CREATE TABLE sent (id INTEGER PRIMARY KEY, endpoint INTEGER NOT NULL, events BLOB NOT NULL)"
)
_CREATE: Final = (
    # What each request delivered, as it happens: one row a request, only ever appended.
    "CREATE TABLE request (id INTEGER PRIMARY KEY, endpoint INTEGER NOT NULL, keys BLOB NOT NULL)",
    # What the requests of earlier runs delivered, and how often.
    "CREATE TABLE delivered (endpoint INTEGER, key BLOB, count INTEGER, PRIMARY KEY (endpoint, key)) WITHOUT ROWID",
    (
        "CREATE TABLE endpoint (id INTEGER PRIMARY KEY, url BLOB, credential BLOB, shown TEXT,"
        " older INTEGER NOT NULL DEFAULT 0, UNIQUE (url, credential))"
    ),
    _SENT,
    f"PRAGMA application_id = {APPLICATION}",
    f"PRAGMA user_version = {SCHEMA}",
)
_UPGRADE: Final = (
    # Form 1 did not keep events: of its endpoints it is not known which events they have been delivered before.
    _SENT,
    "ALTER TABLE endpoint ADD COLUMN older INTEGER NOT NULL DEFAULT 0",
    "UPDATE endpoint SET older = 1 WHERE id IN (SELECT endpoint FROM request UNION SELECT endpoint FROM delivered)",
    f"PRAGMA user_version = {SCHEMA}",
)
_PATIENCE: Final = 1.0
"""Seconds to wait for another run that is about to end."""


class JournalError(OutputError):
    """The journal cannot be opened, read or written."""


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Failures of SQLite and of the file, in words.

    Raises:
        JournalError: instead of them.
    """
    try:
        yield
    except sqlite3.Error as error:
        unforeseen = (getattr(error, "sqlite_errorname", type(error).__name__), _MOVE)
        reason, hint = _REASONS.get(getattr(error, "sqlite_errorcode", 0) & 0xFF, unforeseen)
        raise JournalError(f"the journal {path} cannot be used: {reason}", hint=hint) from error
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        hint = _ELSEWHERE if path.parent.is_dir() else f"Create the folder {path.parent} first. {_ELSEWHERE}"
        raise JournalError(f"the journal {path} cannot be written: {reason}", hint=hint) from error


def open_journal(path: Path) -> sqlite3.Connection:
    """A connection to the journal, which is created where there is none. No other run can open it meanwhile.

    The connection may be used by any thread, one at a time.

    Raises:
        JournalError: another run has it, it is no journal, it is damaged, or it cannot be written.
    """
    deadline = time.monotonic() + _PATIENCE
    with explained(path):
        # SQLite gives its files beside this one the same permissions.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        while True:
            try:
                return _open(path)
            except sqlite3.OperationalError as error:
                # Let go of it in between: two that wait for each other would both fail.
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                    raise
            time.sleep(0.05)


def _open(path: Path) -> sqlite3.Connection:
    # Absolute: a file may have a name that means something else to SQLite, as `:memory:` does.
    connection = sqlite3.connect(path.absolute(), timeout=0, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("BEGIN EXCLUSIVE")
        for statement in _missing(connection, path):
            connection.execute(statement)
        connection.execute("COMMIT")
        # A commit is an append, and is there after a kill -9; a power cut may take the last ones with it, which sends
        # what they held again.
        connection.execute("PRAGMA journal_mode = WAL").fetchone()
        connection.execute("PRAGMA synchronous = NORMAL")
    except BaseException:
        connection.close()
        raise
    return connection


def _missing(connection: sqlite3.Connection, path: Path) -> Sequence[str]:
    """What makes a journal of this form of the database. Raises JournalError where nothing does."""
    application, schema = (_value(connection, f"PRAGMA {name}") for name in ("application_id", "user_version"))
    if not application and not _value(connection, "SELECT count(*) FROM sqlite_master"):
        return _CREATE
    if application != APPLICATION:
        raise JournalError(f"{path} is a database, but not a journal of tdcur", hint=_ELSEWHERE)
    if schema == 1:
        return _UPGRADE
    if schema != SCHEMA:
        raise JournalError(
            f"the journal {path} has the form {schema}, this tdcur knows the form {SCHEMA}",
            hint=f"Use the tdcur that wrote it. {_ELSEWHERE}",
        )
    return ()


def _value(connection: sqlite3.Connection, query: str) -> object:
    with closing(connection.execute(query)) as rows:
        return rows.fetchone()[0]


_ELSEWHERE: Final = "Name another file with --journal FILE."
_MOVE: Final = "Move it away and run again: what it knew as delivered is sent again then."
_RESUME: Final = (
    "Make room and run the same command again. What was delivered in the last moments may be sent twice then."
)
_REASONS: Final[dict[int, tuple[str, str]]] = {
    sqlite3.SQLITE_BUSY: ("another run of tdcur is using it", f"Wait for that run to end. {_ELSEWHERE}"),
    sqlite3.SQLITE_NOTADB: ("it is not a journal of tdcur", _ELSEWHERE),
    sqlite3.SQLITE_CORRUPT: ("it is damaged", _MOVE),
    sqlite3.SQLITE_READONLY: ("it is read-only", _ELSEWHERE),
    sqlite3.SQLITE_PERM: ("permission denied", _ELSEWHERE),
    sqlite3.SQLITE_CANTOPEN: ("it or its folder cannot be written to", _ELSEWHERE),
    sqlite3.SQLITE_FULL: ("the disk is full", _RESUME),
    sqlite3.SQLITE_IOERR: ("the disk does not take it", _RESUME),
}
