"""Fingerprints of events: an id's digest, a content digest, type and time in 33 bytes.

What is compared, how fingerprints are made, stored (in memory, then on disk) and returned by id, and sets of positions.
"""

from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from heapq import heappush, heapreplace
from operator import itemgetter
from struct import Struct as Layout
from tempfile import TemporaryFile
from typing import Any, BinaryIO, Final, Self, TypeAlias

from msgspec import Struct, field

from td_currents_cli.braze import CANARY, LATEST
from td_currents_cli.errors import OutputError
from td_currents_cli.events.dedupe import digest
from td_currents_cli.events.filter import EVERYTHING, Filter, usable_seconds


@dataclass(frozen=True, slots=True)
class TimeScope:
    """Which events are compared on both sides, by event time: files have no receive time."""

    wanted: Filter = EVERYTHING  # the period; an event without a usable time is in none
    settled: float | None = None  # UNIX seconds after which an event is too young; one without a usable time never is

    def __bool__(self) -> bool:
        """Whether the time of an event decides if it is compared."""
        return self.wanted.timed or self.settled is not None

    def is_too_young(self, seconds: float | None) -> bool:
        return self.settled is not None and seconds is not None and seconds > self.settled


EVERY_EVENT: Final = TimeScope()

_INDEX_BITS: Final = 27


class BloomFilter:
    """A set of digests in 16 MB that may contain a few more than were added."""

    def __init__(self) -> None:
        self._bits = bytearray()

    def __bool__(self) -> bool:
        return bool(self._bits)

    def add(self, digest: bytes) -> None:
        if not self._bits:
            self._bits = bytearray(1 << _INDEX_BITS - 3)
        index = int.from_bytes(digest[:4], "big") >> 32 - _INDEX_BITS
        self._bits[index >> 3] |= 1 << (index & 7)

    def __contains__(self, digest: bytes) -> bool:
        index = int.from_bytes(digest[:4], "big") >> 32 - _INDEX_BITS
        return bool(self._bits[index >> 3] >> (index & 7) & 1)


RECORD: Final = Layout("<16sQHIBH")
"""Digest of the id, content, index of the type in the batch's types, time (38 bits, and flags), position in the batch.

The content is a digest of 64 bits, `content_hash.UNKNOWN` if only the id is known. It is made of the bytes of the
event; by `content_digest` for suspects; by `outline` when the other side is a table.
"""

NO_TIME: Final = (1 << 38) - 1
RECEIVED: Final = 1 << 38
OUTSIDE: Final = 1 << 39
"""Flags of the time in a fingerprint: it is the receive time; it is out of scope."""

BATCH_EVENTS: Final = 1 << 16
"""Maximum number of events in a batch: a position in it takes two bytes."""

EventKind: TypeAlias = tuple[str | None, bool]
"""The type of an event, and whether it need not arrive."""

EventFields: TypeAlias = tuple[Any, Any, Any, Any]
"""An event's `id`, `event_type` and `time` as decoded, and what its content digest is made of."""


class FingerprintBatch(Struct, frozen=True):
    """Fingerprints of consecutive events."""

    events: int  # number of events read; those out of scope may have no fingerprint
    types: tuple[EventKind, ...]
    sizes: dict[int, int]  # number of fingerprints by the first byte of their digests, in order
    records: bytes  # RECORDs in the order of their digests


class EventCounts(Struct):
    """Where the events of a side went."""

    by_type: Counter[str | None] = field(default_factory=Counter)  # compared events
    without_id: int = 0  # not compared, because their `id` is missing, empty, or not a string
    filtered: int = 0
    too_young: int = 0
    canaries: int = 0

    @property
    def in_scope(self) -> int:
        return self.by_type.total() + self.without_id

    @property
    def left_out(self) -> int:
        return self.filtered + self.too_young + self.canaries

    def add(self, other: "EventCounts") -> None:
        self.by_type += other.by_type
        self.without_id += other.without_id
        self.filtered += other.filtered
        self.too_young += other.too_young
        self.canaries += other.canaries

    def leave_out(self, *, too_young: bool) -> None:
        if too_young:
            self.too_young += 1
        else:
            self.filtered += 1


class Fingerprinter:
    """Makes batches of fingerprints of events.

    Args:
        scope: which events are compared.
        content: makes the content digest of the last of the EventFields; called for events in scope only.
        suspects: ids that get fingerprints; None for all.
        per_id: events out of scope get fingerprints too, because it is each id that is in scope or not.
    """

    def __init__(
        self,
        scope: TimeScope,
        content: Callable[[Any], int],
        suspects: BloomFilter | None = None,
        *,
        per_id: bool = False,
    ) -> None:
        self.counts = EventCounts()
        self._scope = scope or None
        self._left_out = None if scope.wanted.canaries else CANARY
        self._content = content
        self._suspects = suspects
        self._per_id = per_id
        self._records: list[bytes] = []
        self._types: dict[EventKind, int] = {}
        self._events = 0
        self._batches: list[FingerprintBatch] = []

    def add(  # noqa: C901 -- the loop over all events
        self, events: Iterable[EventFields], *, received: bool = False, optional: bool = False
    ) -> None:
        """Add events, in the order read; tell if their times are receive times, and if they need not arrive."""
        scope, suspects, content, pack = self._scope, self._suspects, self._content, RECORD.pack
        left_out = self._left_out
        of_batch = RECEIVED if received and self._per_id else 0
        for event_id, event_type, time, event in events:
            if self._events == BATCH_EVENTS:
                self._finish_batch()
            self._events += 1
            if left_out is not None and event_type == left_out:
                self.counts.canaries += 1
                continue
            seconds = time if type(time) is int and 0 <= time <= LATEST else usable_seconds(time)
            flags, has_id = of_batch, isinstance(event_id, str) and event_id != ""
            if scope is not None:
                is_inside = scope.wanted.covers(seconds)
                if not is_inside or scope.is_too_young(seconds):
                    flags |= OUTSIDE
                    if not (of_batch and has_id):
                        self.counts.leave_out(too_young=is_inside)
                        if not (self._per_id and has_id):
                            continue
            if not has_id:
                self.counts.without_id += 1
                continue
            name = event_type if isinstance(event_type, str) and event_type else None
            if flags != OUTSIDE:
                self.counts.by_type[name] += 1
            key = digest(event_id)
            if suspects is not None and key not in suspects:
                continue
            number = self._types.setdefault((name, optional), len(self._types))
            whole = (NO_TIME if seconds is None else int(seconds)) | flags
            position = self._events - 1
            self._records.append(pack(key, content(event), number, whole & 0xFFFF_FFFF, whole >> 32, position))

    def batches(self) -> list[FingerprintBatch]:
        """The batches of all events. Called once, after the last event."""
        if self._events:
            self._finish_batch()
        return self._batches

    def _finish_batch(self) -> None:
        records = self._records
        records.sort()
        sizes = dict(Counter(map(itemgetter(0), records)))
        self._batches.append(FingerprintBatch(self._events, tuple(self._types), sizes, b"".join(records)))
        self._records, self._types, self._events = [], {}, 0


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
    received: bool = False  # it is the receive time
    outside: bool = False  # it is out of scope
    optional: bool = False  # it need not arrive


class Partition(Struct, frozen=True):
    """The fingerprints of a side whose digests begin with one byte."""

    records: bytes
    runs: Sequence[int]  # for each batch, its number and the number of its records here


class FingerprintStore:
    """Stores batches of fingerprints and returns the partitions, each once. A context manager.

    Args:
        limit: maximum bytes of fingerprints in memory, apart from the last batch.
    """

    def __init__(self, limit: int) -> None:
        self.events = 0  # read, including those without a fingerprint
        self.memory_bytes = 0  # of fingerprints
        self.spilled = 0  # bytes of fingerprints on disk
        self._limit = limit
        # A growing bytearray would be moved again and again, and leave holes in memory as large as itself.
        self._joined: list[list[bytes]] = [[] for _ in range(PARTITIONS)]
        self._loose: list[list[bytes]] = [[] for _ in range(PARTITIONS)]
        self._runs = [array("I") for _ in range(PARTITIONS)]
        # The position of its first event, and the types, of each batch.
        self._batches: list[tuple[int, tuple[EventKind, ...]]] = []
        self._types: dict[tuple[EventKind, ...], tuple[EventKind, ...]] = {}
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
        pieces = []
        with _disk_errors():
            for offset, size in self._on_disk[number]:
                self._disk.seek(offset)
                pieces.append(self._disk.read(size))
        return Partition(b"".join([*pieces, records]), runs)

    def infos(self, partition: Partition) -> Iterator[tuple[bytes, EventInfo]]:
        """The id's digest and the information of every event of a partition, in the order read."""
        records = RECORD.iter_unpack(partition.records)
        for number, count in zip(partition.runs[::2], partition.runs[1::2], strict=True):
            first, types = self._batches[number]
            for _ in range(count):
                digest, content, event_type, low, high, position = next(records)
                time = high << 32 | low
                seconds = None if time & NO_TIME == NO_TIME else time & NO_TIME
                flags = time & RECEIVED != 0, time & OUTSIDE != 0
                name, optional = types[event_type]
                yield digest, EventInfo(first + position, content, name, seconds, *flags, optional)

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


@contextmanager
def _disk_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError(
            f"cannot store fingerprints of events in a temporary file: {error.strerror or type(error).__name__}",
            hint="Free disk space, or set TMPDIR to a larger disk.",
        ) from None


class Bitmap:
    """A set of positions that takes a bit for each position there is.

    Its `check` combines the digests of the marked events: equal sets have equal checks.
    """

    def __init__(self, size: int) -> None:
        self._bits = bytearray(size // 8 + 1)
        self._last = -1
        self.count = 0
        self.check = 0

    def add(self, position: int, digest: bytes) -> None:
        """Mark a position that is not marked yet."""
        self._bits[position >> 3] |= 1 << (position & 7)
        self._last = max(self._last, position)
        self.count += 1
        self.check ^= int.from_bytes(digest, "big")

    def within(self, first: int, count: int) -> list[int]:
        """The marked ones of `count` positions from `first` on, relative to it."""
        if not self._bits[first >> 3 : (first + count + 7) >> 3].strip(b"\0"):
            return []
        bits = self._bits
        return [at - first for at in range(first, min(first + count, self._last + 1)) if bits[at >> 3] >> (at & 7) & 1]

    def is_past(self, position: int) -> bool:
        """Whether no position from this one on is marked."""
        return position > self._last


class FirstN:
    """The lowest few of many positions, and the digests of the ids there."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._heap: list[tuple[int, bytes]] = []

    def add(self, position: int, digest: bytes) -> None:
        """Keep a position if it is among the lowest."""
        if len(self._heap) < self._limit:
            heappush(self._heap, (-position, digest))
        elif self._heap and -position > self._heap[0][0]:
            heapreplace(self._heap, (-position, digest))

    def digests(self) -> dict[int, bytes]:
        """The digests by position, in order."""
        return {-position: digest for position, digest in sorted(self._heap, reverse=True)}
