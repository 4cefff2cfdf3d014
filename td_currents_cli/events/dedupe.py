"""Which ids come for the first time: exactly, in little memory, and beyond a bound on disk."""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from hashlib import blake2b
from typing import Final, Self

from td_currents_cli.errors import OutputError

DIGEST: Final = 16
"""Bytes of a digest. Among a billion ids, the odds that any two are taken for the same are one to 10^20."""

LIMIT: Final = 10_000_000
"""Digests in memory, about 20 bytes each, before they go to disk."""

_PREFIX: Final = 2
_REST: Final = DIGEST - _PREFIX
_CACHE: Final = "PRAGMA cache_size = -65536"  # 64 MiB


def digest(text: str) -> bytes:
    """What stands for an id."""
    return blake2b(text.encode(errors="surrogatepass"), digest_size=DIGEST).digest()


def event_digest(event_id: object) -> bytes | None:
    """What stands for an event's `id`; None for one that is no text, or empty: it identifies nothing."""
    return digest(event_id) if isinstance(event_id, str) and event_id else None


class FirstTimes:
    """Tells of digests whether they come for the first time.

    Up to `limit` of them are kept in memory, in 65,536 buckets by their first two bytes, each the rest of its digests
    one after another: 14 bytes a digest and an eighth more for growth. When that is full, they all go to a temporary
    file, which is asked from then on about what is not in memory. Close it in the end (it is a context manager).

    Attributes:
        spilled: how many went to disk.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._buckets: defaultdict[int, bytearray] = defaultdict(bytearray)
        self._kept = 0
        self._disk: sqlite3.Connection | None = None
        self.spilled = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __len__(self) -> int:
        """How many different ones came."""
        return self._kept + self.spilled

    def add(self, digests: Iterable[bytes | None]) -> list[bool]:
        """Take digests, in order; for each, whether it comes for the first time. None always does.

        Raises:
            OutputError: they no longer fit into memory, nor on the disk.
        """
        with _disk_errors():
            return self._add(digests)

    def _add(self, digests: Iterable[bytes | None]) -> list[bool]:
        buckets, first = self._buckets, []
        for each in digests:
            if each is None:
                first.append(True)
                continue
            bucket, rest = buckets[each[0] << 8 | each[1]], each[_PREFIX:]
            place = bucket.find(rest)
            # Bytes of two neighbours can look like a third.
            while place > 0 and place % _REST:
                place = bucket.find(rest, place + 1)
            if place >= 0 or (self._disk is not None and _is_there(self._disk, each)):
                first.append(False)
                continue
            first.append(True)
            bucket += rest
            self._kept += 1
            if self._kept >= self._limit:
                self._spill()
        return first

    def close(self) -> None:
        """Free the memory and the disk."""
        self._buckets.clear()
        if self._disk is not None:
            self._disk.close()
            self._disk = None

    def _spill(self) -> None:
        if self._disk is None:
            self._disk = _temporary_database()
        # At once and in order, so that the pages of the table are visited one after another.
        self._disk.execute("BEGIN").close()
        self._disk.executemany("INSERT INTO seen VALUES (?)", self._in_order()).close()
        self._disk.execute("COMMIT").close()
        self.spilled += self._kept
        self._kept = 0
        self._buckets.clear()

    def _in_order(self) -> Iterator[tuple[bytes]]:
        for number, bucket in sorted(self._buckets.items()):
            prefix = number.to_bytes(_PREFIX, "big")
            for rest in sorted(bytes(bucket[place : place + _REST]) for place in range(0, len(bucket), _REST)):
                yield (prefix + rest,)


def _temporary_database() -> sqlite3.Connection:
    """A database in a file without a name (in `TMPDIR`), which is gone with its connection."""
    database = sqlite3.connect("", isolation_level=None)
    for setting in ("PRAGMA journal_mode = OFF", "PRAGMA synchronous = OFF", "PRAGMA temp_store = FILE", _CACHE):
        database.execute(setting).close()
    database.execute("CREATE TABLE seen (digest BLOB PRIMARY KEY) WITHOUT ROWID").close()
    return database


def _is_there(disk: sqlite3.Connection, each: bytes) -> bool:
    with closing(disk.execute("SELECT 1 FROM seen WHERE digest = ?", (each,))) as found:
        return found.fetchone() is not None


@contextmanager
def _disk_errors() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise OutputError(
            f"cannot keep the ids in a temporary file: {error}", hint="Make room there, or set TMPDIR to a larger disk."
        ) from None
