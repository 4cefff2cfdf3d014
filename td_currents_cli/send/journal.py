"""The journal: what an endpoint has been delivered, kept across runs and hard stops.

It knows again what was delivered by digests, see `digest`, and tells which events that were, see `sent_events`. The
same content may be delivered more than once; a later run skips as many occurrences of it as were delivered, and sends
the rest.
"""

import sqlite3
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from td_currents_cli.send.digest import DOCUMENT, EVENT, KEY_SIZE, OLDER_DOCUMENT, parts
from td_currents_cli.send.identity import Identity
from td_currents_cli.send.journal_file import JournalError, explained, open_journal

GROUP: Final = 64
"""Requests that are committed together, at most: so many may be lost to a hard stop."""

INTERVAL: Final = 0.5
"""Seconds after which a smaller group is committed."""

MET: Final = 10_000
"""Keys that are counted in memory."""


class Journal:
    """One endpoint's part of a journal, open for one run.

    Attributes:
        path: the file.
        knows_documents: whether earlier runs delivered documents whole.
        knows_older_documents: whether runs of earlier versions did, which knew them by other keys.
        knows_events: whether earlier runs delivered events in another way.
        knows_others: whether something was delivered to the same URL with another key.
    """

    def __init__(self, path: Path, *, identity: Identity, shown: str) -> None:
        """Open it, or create it. What the last run noted becomes what is known.

        Args:
            path: the file.
            identity: of the endpoint.
            shown: the endpoint, as it may be shown.

        Raises:
            JournalError: it cannot be opened, read or written.
        """
        self.path = path
        self._connection = open_journal(path)
        self._lock = threading.Lock()
        self._pending: list[tuple[bytes, bytes]] = []
        # How often each of what is known has been met in this run; beyond so many, in a table.
        self._met: dict[bytes, int] = {}
        try:
            with explained(path):
                self._begin(identity, shown)
        except BaseException:
            self._connection.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def pending(self) -> int:
        """Requests that were delivered and are not yet committed."""
        return len(self._pending)

    @property
    def knows_any(self) -> bool:
        """Whether earlier runs delivered anything."""
        return self.knows_documents or self.knows_older_documents or self.knows_events

    def take(self, keys: bytes) -> frozenset[int]:
        """Which of these earlier runs delivered, by their places from 0. Each delivery is given once.

        Raises:
            JournalError: it cannot be read.
        """
        known: set[int] = set()
        with self._lock, explained(self.path):
            found = self._connection.execute(_FIND, (keys, KEY_SIZE, self._endpoint)).fetchall()
            for place, key, delivered, met in found:
                self._met[key] = self._met.get(key, met) + 1
                if self._met[key] <= delivered:
                    known.add(place)
            if len(self._met) > MET:
                with self._whole():
                    self._connection.executemany(_MET, self._met.items())
                self._met.clear()
        return frozenset(known)

    def note(self, keys: bytes, events: bytes = b"") -> None:
        """A request has delivered these.

        Args:
            keys: what it is known by.
            events: which events it held, see `sent_events`.

        Raises:
            JournalError: the group was full and cannot be committed. It is kept, for another attempt.
        """
        self._pending.append((keys, events))
        if len(self._pending) >= GROUP:
            self.commit()

    def commit(self) -> None:
        """Commit what was noted. May be called by any thread, at any time.

        Raises:
            JournalError: it cannot be written. What was noted is kept, for another attempt.
        """
        if not self._pending:
            return
        with self._lock, explained(self.path):
            # Another thread may have committed them meanwhile, and more may be noted while they are written.
            group = self._pending.copy()
            if not group:
                return
            with self._whole():
                self._insert(_NOTE, [keys for keys, _ in group])
                self._insert(_HELD, [events for _, events in group if events])
            del self._pending[: len(group)]

    def _insert(self, statement: str, values: Sequence[bytes]) -> None:
        """Insert rows of this endpoint, as many at once as there are in a group.

        Row by row, the interpreter would change threads for each, and wait for the one that plans to let it go on.
        """
        for begin in range(0, len(values), GROUP):
            rows = values[begin : begin + GROUP]
            places = ", ".join(["(?1, ?)"] * len(rows))
            self._connection.execute(f"{statement} VALUES {places}", (self._endpoint, *rows))

    def close(self) -> None:
        """Commit what was noted and let go of the file.

        Raises:
            JournalError: the last group cannot be committed.
        """
        try:
            self.commit()
        finally:
            self._pending.clear()
            self._connection.close()

    def _begin(self, identity: Identity, shown: str) -> None:
        # Gone with the run, whole or not.
        self._connection.execute("PRAGMA temp.journal_mode = OFF")
        self._connection.execute("CREATE TEMP TABLE met (key BLOB PRIMARY KEY, count INTEGER) WITHOUT ROWID")
        if identity.credential is not None:
            self._connection.execute(_ENTER, (identity.url, identity.credential, shown))
        self._endpoint = self._value(_SELF, identity.url, identity.credential)
        if self._value("SELECT EXISTS (SELECT 1 FROM request)"):
            self._settle()
        self.knows_others = bool(self._value(_OTHERS, identity.url, self._endpoint))
        self.knows_documents = self._knows(DOCUMENT)
        self.knows_older_documents = self._knows(OLDER_DOCUMENT)
        self.knows_events = self._knows(EVENT)

    def _settle(self) -> None:
        """Enter what requests delivered into the table that it is looked up in."""
        with self._whole(), closing(self._connection.execute("SELECT endpoint, keys FROM request")) as requests:
            while rows := requests.fetchmany(1000):
                counts = Counter((endpoint, key) for endpoint, keys in rows for key in parts(keys))
                # In the order of the table: neighbours are written together.
                self._connection.executemany(_ADD, [(*each, count) for each, count in sorted(counts.items())])
            self._connection.execute("DELETE FROM request")

    def _knows(self, kind: bytes) -> bool:
        return bool(self._value(_ANY, self._endpoint, kind, bytes([kind[0] + 1])))

    def _value(self, query: str, *parameters: bytes | int | None) -> int:
        with closing(self._connection.execute(query, parameters)) as rows:
            value: int = rows.fetchone()[0]
            return value

    @contextmanager
    def _whole(self) -> Iterator[None]:
        """What is written meanwhile is written wholly, or not at all."""
        self._connection.execute("BEGIN")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")
            raise


_ENTER: Final = "INSERT OR IGNORE INTO endpoint (url, credential, shown) VALUES (?, ?, ?)"
_SELF: Final = "SELECT max(id) FROM endpoint WHERE url = ?1 AND credential = coalesce(?2, credential)"
_OTHERS: Final = (
    "SELECT EXISTS (SELECT 1 FROM endpoint CROSS JOIN delivered ON delivered.endpoint = endpoint.id"
    " WHERE endpoint.url = ? AND endpoint.id <> ?)"
)
_NOTE: Final = "INSERT INTO request (endpoint, keys)"
_HELD: Final = "INSERT INTO sent (endpoint, events)"
_ANY: Final = "SELECT EXISTS (SELECT 1 FROM delivered WHERE endpoint = ? AND key >= ? AND key < ?)"

_ADD: Final = (
    "INSERT INTO delivered (endpoint, key, count) VALUES (?, ?, ?)"
    " ON CONFLICT (endpoint, key) DO UPDATE SET count = count + excluded.count"
)
_FIND: Final = """
WITH RECURSIVE place (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM place WHERE (i + 1) * ?2 < length(?1))
SELECT i, delivered.key, delivered.count, coalesce(met.count, 0)
FROM place CROSS JOIN delivered LEFT JOIN temp.met ON met.key = delivered.key
WHERE endpoint = ?3 AND delivered.key = substr(?1, 1 + ?2 * i, ?2)
ORDER BY i
"""
_MET: Final = "INSERT OR REPLACE INTO temp.met VALUES (?, ?)"

__all__ = ["GROUP", "INTERVAL", "Journal", "JournalError"]
