"""Which ids were met before: exactly, in memory up to a bound, and beyond it on disk."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final, Generic, Self, TypeVar

from td_currents_cli.errors import OutputError

if TYPE_CHECKING:
    import sqlite3

K = TypeVar("K", bytes, int)
"""What stands for an id: a digest, or a signed 64-bit hash."""

DIGEST: Final = 16
"""Bytes of a digest. Among a billion ids, the odds that any two have the same are one in 10^20."""

LIMIT: Final = 2_796_202
"""Ids in memory: as many as a dict of 2**22 slots holds. With one more, its size doubles."""

_PARAMETERS: Final = 500
"""Ids in one query; older versions of SQLite allow 999 parameters."""


def digest(event_id: str) -> bytes:
    return blake2b(event_id.encode(errors="surrogatepass"), digest_size=DIGEST).digest()


def event_digest(event_id: object) -> bytes | None:
    """The digest of an event's `id`; None for an empty string or any other value, which identifies nothing."""
    return digest(event_id) if isinstance(event_id, str) and event_id else None


class IdSet(Generic[K]):
    """A set of ids, each with the number it was first added with. Close it in the end (it is a context manager).

    Up to `limit` ids are in a dict: 95 bytes for each digest and 77 for each hash when it is full (measured; at LIMIT
    265 and 215 MB). Then all of them go to a temporary SQLite file with a cache of 64 MB, and the dict starts empty:
    an id that is not in it is looked up in the file.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._memory: dict[K, int] = {}
        self._disk: sqlite3.Connection | None = None
        self.spilled = 0  # ids on disk

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __len__(self) -> int:
        return len(self._memory) + self.spilled

    def add(self, ids: Sequence[K | None], number: int = 0) -> dict[int, int]:
        """Add ids with one number for all of them. None stands for no id, and is never a duplicate.

        Returns:
            For the index of each id that is a duplicate, the number that it was first added with.

        Raises:
            OutputError: the ids fit neither into memory nor onto the disk.
        """
        new: dict[Any, int] = dict.fromkeys(ids, number)
        fits = self._disk is None and len(self._memory) + len(new) < self._limit
        if fits and len(new) == len(ids) and None not in new and self._memory.keys().isdisjoint(new):
            self._memory.update(new)
            return {}
        new.pop(None, None)
        known = {each: self._memory[each] for each in self._memory.keys() & new.keys()}
        if self._disk is not None:
            with _disk_errors():
                known |= _on_disk(self._disk, [each for each in new if each not in known])
        repeated: dict[int, int] = {}
        if known or len(new) < len(ids):
            first = dict(known)
            for index, each in enumerate(ids):
                if each in first:
                    repeated[index] = first[each]
                elif each is not None:
                    first[each] = number
            for each in known:
                del new[each]
        # Before the dict doubles.
        if self._memory and len(self._memory) + len(new) > self._limit:
            with _disk_errors():
                self._spill()
        self._memory.update(new)
        if len(self._memory) >= self._limit:
            with _disk_errors():
                self._spill()
        return repeated

    def close(self) -> None:
        self._memory.clear()
        if self._disk is not None:
            self._disk.close()

    def _spill(self) -> None:
        if self._disk is None:
            import sqlite3  # noqa: PLC0415 -- seldom needed

            # In a file without a name (in `TMPDIR`), which is removed with its connection.
            self._disk = sqlite3.connect("")
            for setting in ("journal_mode = OFF", "synchronous = OFF", "temp_store = FILE", "cache_size = -65536"):
                self._disk.execute(f"PRAGMA {setting}").close()
            self._disk.execute("CREATE TABLE ids (id PRIMARY KEY, number INTEGER) WITHOUT ROWID").close()
        # In order, so that the pages of the table are visited one after another.
        rows = ((each, self._memory[each]) for each in sorted(self._memory))
        with self._disk:
            self._disk.executemany("INSERT INTO ids VALUES (?, ?)", rows)
        self.spilled += len(self._memory)
        self._memory.clear()


def _on_disk(disk: "sqlite3.Connection", ids: Sequence[K]) -> dict[K, int]:
    found: dict[K, int] = {}
    for begin in range(0, len(ids), _PARAMETERS):
        some = ids[begin : begin + _PARAMETERS]
        query = f"SELECT id, number FROM ids WHERE id IN ({','.join('?' * len(some))})"  # noqa: S608 -- only `?`
        found.update(disk.execute(query, some).fetchall())
    return found


@contextmanager
def _disk_errors() -> Iterator[None]:
    import sqlite3  # noqa: PLC0415 -- as above

    try:
        yield
    except sqlite3.Error as error:
        raise OutputError(
            f"cannot write the ids to a temporary file: {error}",
            hint="Free some space, or set TMPDIR to a larger disk.",
        ) from None
