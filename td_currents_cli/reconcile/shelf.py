"""Stores all fingerprints of a side, partitioned by the first byte of their digests; spills to disk."""

from array import array
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from tempfile import TemporaryFile
from typing import BinaryIO, Final, Self

from msgspec import Struct

from td_currents_cli.errors import OutputError
from td_currents_cli.reconcile.sheaf import NO_TIME, RECORD, FingerprintBatch

MEMORY_LIMIT: Final = 700_000_000
"""Bytes of fingerprints of both sides in memory: 21 million of them."""

PARTITIONS: Final = 256
JOINED_BATCHES: Final = 64
"""Batches after which the fingerprints of each partition are joined in memory."""


class EventInfo(Struct, frozen=True, gc=False):
    position: int  # on its side, counted from 0 in the order read
    content: int  # digest, or UNKNOWN
    event_type: str | None
    seconds: int | None  # UNIX time


class Partition(Struct, frozen=True):
    """The fingerprints of a side whose digests begin with one byte."""

    records: bytes
    runs: Sequence[int]  # for each batch, its number and the number of its records here


class FingerprintStore:
    """Stores batches of fingerprints and returns the partitions, each once. A context manager.

    Attributes:
        events: number of events read, including those without a fingerprint.
        memory_bytes: bytes of fingerprints in memory.
        spilled: bytes of fingerprints on disk.

    Args:
        limit: maximum of `memory_bytes`, apart from the last batch.
    """

    def __init__(self, limit: int) -> None:
        self.events = 0
        self.memory_bytes = 0
        self.spilled = 0
        self._limit = limit
        # A growing bytearray would be moved again and again, and leave holes in memory as large as itself.
        self._joined: list[list[bytes]] = [[] for _ in range(PARTITIONS)]
        self._loose: list[list[bytes]] = [[] for _ in range(PARTITIONS)]
        self._runs = [array("I") for _ in range(PARTITIONS)]
        # The position of its first event, and the types, of each batch.
        self._batches: list[tuple[int, tuple[str | None, ...]]] = []
        self._types: dict[tuple[str | None, ...], tuple[str | None, ...]] = {}
        self._open = ExitStack()
        self._disk: BinaryIO | None = None
        self._on_disk: list[list[tuple[int, int]]] = [[] for _ in range(PARTITIONS)]  # offsets and sizes

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def add(self, batch: FingerprintBatch) -> None:
        """Add the next batch. Raises OutputError if it fits neither into memory nor on disk."""
        number, begin = len(self._batches), 0
        for partition, count in batch.sizes.items():
            end = begin + count * RECORD.size
            self._loose[partition].append(batch.records[begin:end])
            self._runs[partition].extend((number, count))
            begin = end
        # Nearly all batches have the same few types.
        self._batches.append((self.events, self._types.setdefault(batch.types, batch.types)))
        self.events += batch.events
        self.memory_bytes += len(batch.records)
        if len(self._batches) % JOINED_BATCHES == 0:
            self._join()
        if self.memory_bytes > self._limit:
            self._spill()

    def take(self, number: int) -> Partition:
        """Return a partition and release its memory. Raises OutputError if it cannot be read from disk."""
        records, runs = b"".join(self._joined[number] + self._loose[number]), self._runs[number]
        self._joined[number], self._loose[number], self._runs[number] = [], [], array("I")
        self.memory_bytes -= len(records)
        if self._disk is None or not self._on_disk[number]:
            return Partition(records, runs)
        with _disk_errors():
            return Partition(b"".join([*self._from_disk(self._disk, number), records]), runs)

    def infos(self, partition: Partition) -> Iterator[tuple[bytes, EventInfo]]:
        """The id's digest and the information of every event of a partition, in the order read."""
        records = RECORD.iter_unpack(partition.records)
        for number, count in zip(partition.runs[::2], partition.runs[1::2], strict=True):
            first, types = self._batches[number]
            for _ in range(count):
                digest, content, event_type, low, high, position = next(records)
                seconds = high << 32 | low
                time = None if seconds == NO_TIME else seconds
                yield digest, EventInfo(first + position, content, types[event_type], time)

    def _join(self) -> None:
        for joined, loose in zip(self._joined, self._loose, strict=True):
            if loose:
                joined.append(b"".join(loose))
                loose.clear()

    def _spill(self) -> None:
        with _disk_errors():
            if self._disk is None:
                file = TemporaryFile(prefix="tdcur-")  # noqa: SIM115 -- closed with the store
                self._disk = self._open.enter_context(file)
            offset = self.spilled
            self._join()
            for number, joined in enumerate(self._joined):
                size = sum(map(len, joined))
                self._disk.writelines(joined)
                self._on_disk[number].append((offset, size))
                offset += size
                joined.clear()
        self.spilled, self.memory_bytes = offset, 0

    def _from_disk(self, disk: BinaryIO, number: int) -> Iterator[bytes]:
        for offset, size in self._on_disk[number]:
            disk.seek(offset)
            yield disk.read(size)


@contextmanager
def _disk_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError(
            f"cannot store fingerprints of events in a temporary file: {error.strerror or type(error).__name__}",
            hint="Free disk space, or set TMPDIR to a larger disk.",
        ) from None
