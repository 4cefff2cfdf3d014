"""The journal as `tdcur send` uses it: records what is delivered, and knows what earlier runs delivered.

The same content may be delivered more than once: a later run skips as many occurrences of it as were delivered, and
sends the rest.
"""

import os
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from td_currents_cli.errors import OutputError
from td_currents_cli.journal import schema
from td_currents_cli.journal.keys import (
    DOCUMENT,
    EVENT,
    KEY_SIZE,
    NAMED_EVENT,
    OLDER_DOCUMENT,
    EndpointIdentity,
    split_keys,
)

GROUP: Final = 64  # maximum number of requests committed together: as many may be lost to a hard stop

INTERVAL: Final = 0.5  # seconds after which a smaller group is committed

MAX_MET: Final = 10_000  # maximum number of keys counted in memory

_LOCK_TIMEOUT: Final = 1.0  # seconds to wait for another run that is about to end


class JournalError(OutputError):
    """The journal cannot be opened, read, or written."""


class Journal:
    """One endpoint's part of a journal, open for one run. Creates the file if there is none; `shown` is redacted.

    Every method may raise JournalError.
    """

    def __init__(self, path: Path, *, identity: EndpointIdentity, shown: str) -> None:
        self.path = path
        self._connection = _open_journal(path)
        self._lock = threading.Lock()
        self.pending: list[tuple[bytes, bytes]] = []  # delivered requests that are not committed yet
        # How often each known key has been met in this run; beyond MAX_MET keys, in a table.
        self._met: dict[bytes, int] = {}
        try:
            with _journal_errors(path):
                self._begin(identity, shown)
        except BaseException:
            self._connection.close()
            raise

    def take(self, keys: bytes) -> frozenset[int]:
        """Return the positions of those keys that earlier runs delivered. Each delivery is returned once."""
        known: set[int] = set()
        with self._lock, _journal_errors(self.path):
            wanted = {"keys": keys, "size": KEY_SIZE, "endpoint": self._endpoint}
            found = self._connection.execute(schema.FIND_DELIVERED, wanted).fetchall()
            for place, key, delivered, met in found:
                self._met[key] = self._met.get(key, met) + 1
                if self._met[key] <= delivered:
                    known.add(place)
            if len(self._met) > MAX_MET:
                with self._connection:
                    self._connection.execute("BEGIN")
                    self._connection.executemany(schema.INSERT_MET, self._met.items())
                self._met.clear()
        return frozenset(known)

    def record(self, keys: bytes, events: bytes = b"") -> None:
        """Record a delivered request: its keys, and which events it held, as the table `sent` keeps them."""
        self.pending.append((keys, events))
        if len(self.pending) >= GROUP:
            self.commit()

    def commit(self) -> None:
        """Commit what was recorded. Any thread may call it. What cannot be written is kept, for another attempt."""
        if not self.pending:
            return
        with self._lock, _journal_errors(self.path):
            # Another thread may have committed them meanwhile, and more may be recorded while they are written.
            group = self.pending.copy()
            if not group:
                return
            with self._connection:
                self._connection.execute("BEGIN")
                self._insert(schema.INSERT_REQUEST, [keys for keys, _ in group])
                self._insert(schema.INSERT_SENT, [events for _, events in group if events])
            del self.pending[: len(group)]

    def close(self) -> None:
        try:
            self.commit()
        finally:
            self.pending.clear()
            self._connection.close()

    def _insert(self, statement: str, values: Sequence[bytes]) -> None:
        # A group at once. Row by row, the interpreter would change threads for each row, and wait for the thread that
        # plans to let it go on.
        for start in range(0, len(values), GROUP):
            rows = values[start : start + GROUP]
            parameters = [each for row in rows for each in (self._endpoint, row)]
            self._connection.execute(f"{statement} VALUES {', '.join(['(?, ?)'] * len(rows))}", parameters)

    def _begin(self, identity: EndpointIdentity, shown: str) -> None:
        for statement in schema.CREATE_MET:
            self._connection.execute(statement)
        if identity.credential is not None:
            self._connection.execute(schema.INSERT_ENDPOINT, (identity.url, identity.credential, shown))
        self._endpoint = self._value(schema.SELECT_ENDPOINT, identity.url, identity.credential)
        if self._value(schema.HAS_REQUESTS):
            self._merge_requests()
        # Whether something was delivered to the same URL with another key.
        self.knows_others = bool(self._value(schema.HAS_OTHER_ENDPOINTS, identity.url, self._endpoint))
        # The kinds of keys that were delivered to this endpoint.
        self.kinds = frozenset(
            kind
            for kind in (DOCUMENT, OLDER_DOCUMENT, EVENT, NAMED_EVENT)
            if self._value(schema.HAS_DELIVERED, self._endpoint, kind, bytes([kind[0] + 1]))
        )

    def _merge_requests(self) -> None:
        # What the last run delivered goes into the table that is searched.
        with self._connection:
            self._connection.execute("BEGIN")
            requests = self._connection.execute(schema.SELECT_REQUESTS)
            while rows := requests.fetchmany(1000):
                counts = Counter((endpoint, key) for endpoint, keys in rows for key in split_keys(keys))
                # In the order of the table: neighbors are written together.
                self._connection.executemany(
                    schema.ADD_DELIVERED, [(*each, count) for each, count in sorted(counts.items())]
                )
            self._connection.execute(schema.DELETE_REQUESTS)

    def _value(self, query: str, *parameters: bytes | int | None) -> int:
        with closing(self._connection.execute(query, parameters)) as rows:
            value: int = rows.fetchone()[0]
            return value


def _open_journal(path: Path) -> sqlite3.Connection:
    """Open or create a journal. No other run can open it meanwhile; any thread may use it, one at a time."""
    deadline = time.monotonic() + _LOCK_TIMEOUT
    with _journal_errors(path):
        # SQLite gives its files next to this one the same permissions.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        while True:
            try:
                return _connect(path)
            except sqlite3.OperationalError as error:
                # Closed in between: two runs that wait for each other would both fail.
                if schema.error_code(error) != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                    raise
            time.sleep(0.05)


def _connect(path: Path) -> sqlite3.Connection:
    # Absolute: a file may have a name that means something else to SQLite, as `:memory:` does.
    connection = sqlite3.connect(path.absolute(), timeout=0, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("BEGIN EXCLUSIVE")
        for statement in _migration(connection, path):
            connection.execute(statement)
        connection.execute("COMMIT")
        # A commit is an append, and is there after a kill -9; a power cut may take the last ones with it, and what
        # they held is sent again.
        connection.execute("PRAGMA journal_mode = WAL").fetchone()
        connection.execute("PRAGMA synchronous = NORMAL")
    except BaseException:
        connection.close()
        raise
    return connection


def _migration(connection: sqlite3.Connection, path: Path) -> Sequence[str]:
    """Return the statements that make a journal of this version of the database."""
    application, version = schema.format_of(connection)
    if not application and not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        return schema.CREATE
    if application != schema.APPLICATION_ID:
        raise JournalError(f"{path} is a database, but not a journal of tdcur", hint=_OTHER_FILE)
    if version == 1:
        return schema.UPGRADE_FROM_1
    if version != schema.VERSION:
        hint = f"Use the version of tdcur that wrote it. {_OTHER_FILE}"
        raise JournalError(schema.unsupported(path, version), hint=hint)
    return ()


@contextmanager
def _journal_errors(path: Path) -> Iterator[None]:
    """Turn failures of SQLite and of the file into JournalError."""
    try:
        yield
    except schema.DAMAGE as error:
        code = schema.error_code(error)
        if code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_ERROR}:
            raise JournalError(f"the journal {path} is damaged", hint=_MOVE) from error
        reason, hint = _REASONS.get(code, (getattr(error, "sqlite_errorname", type(error).__name__), _MOVE))
        raise JournalError(f"the journal {path} cannot be used: {reason}", hint=hint) from error
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        hint = _OTHER_FILE if path.parent.is_dir() else f"Create the folder {path.parent} first. {_OTHER_FILE}"
        raise JournalError(f"the journal {path} cannot be written: {reason}", hint=hint) from error


_OTHER_FILE: Final = "Name another file with --journal FILE."
_MOVE: Final = "Move the file away and run the command again: events that it recorded as delivered are sent again."
_RESUME: Final = (
    "Free some space and run the same command again. Events delivered in the last moments may be sent twice."
)
_REASONS: Final[dict[int, tuple[str, str]]] = {
    sqlite3.SQLITE_BUSY: ("another run of tdcur is using it", f"Wait for that run to end. {_OTHER_FILE}"),
    sqlite3.SQLITE_NOTADB: ("it is not a journal of tdcur", _OTHER_FILE),
    sqlite3.SQLITE_READONLY: ("it is read-only", _OTHER_FILE),
    sqlite3.SQLITE_PERM: ("permission denied", _OTHER_FILE),
    sqlite3.SQLITE_CANTOPEN: ("the file or its folder cannot be written", _OTHER_FILE),
    sqlite3.SQLITE_FULL: ("the disk is full", _RESUME),
    sqlite3.SQLITE_IOERR: ("writing to the disk failed", _RESUME),
}
