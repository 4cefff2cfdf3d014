"""All fingerprints of a side, parted by the first byte of their digests: in memory, beyond a bound on disk."""

from array import array
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from tempfile import TemporaryFile
from typing import BinaryIO, Final, Self

from msgspec import Struct

from td_currents_cli.errors import OutputError
from td_currents_cli.reconcile.sheaf import NO_TIME, RECORD, Sheaf

LIMIT: Final = 700_000_000
"""Bytes of fingerprints of both sides in memory: 21 million of them."""

PARTS: Final = 256

TOGETHER: Final = 64
"""Sheaves of which the fingerprints of a part are put together in memory."""


class Trait(Struct, frozen=True, gc=False):
    """What a fingerprint says of its event.

    Attributes:
        place: of the event on its side, counted from 0 in the order read.
        content: digest of its content, or UNKNOWN.
        event_type: None for none.
        seconds: its time in UNIX seconds; None for none.
    """

    place: int
    content: int
    event_type: str | None
    seconds: int | None


class Part(Struct, frozen=True):
    """The fingerprints of a side whose digests begin with one byte.

    Attributes:
        records: see `sheaf.RECORD`.
        runs: for each sheaf that they are from, its number, and how many follow one another.
    """

    records: bytes
    runs: Sequence[int]


class Shelf:
    """Takes sheaves, and gives the parts back, each once. Close it in the end (it is a context manager).

    Attributes:
        events: all events that were read, also those without a fingerprint.
        held: bytes of fingerprints in memory.
        spilled: bytes of fingerprints on disk.

    Args:
        limit: bytes of fingerprints in memory, at most, but for the last sheaf.
    """

    def __init__(self, limit: int) -> None:
        self.events = 0
        self.held = 0
        self.spilled = 0
        self._limit = limit
        # Bytes that grow would be moved again and again, and leave holes in memory as large as they are.
        self._blocks: list[list[bytes]] = [[] for _ in range(PARTS)]
        self._loose: list[list[bytes]] = [[] for _ in range(PARTS)]
        self._runs = [array("I") for _ in range(PARTS)]
        # The place of its first event, and the types, of each sheaf.
        self._sheaves: list[tuple[int, tuple[str | None, ...]]] = []
        self._types: dict[tuple[str | None, ...], tuple[str | None, ...]] = {}
        self._open = ExitStack()
        self._disk: BinaryIO | None = None
        self._extents: list[list[tuple[int, int]]] = [[] for _ in range(PARTS)]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def add(self, sheaf: Sheaf) -> None:
        """Take the next sheaf.

        Raises:
            OutputError: it does not fit into memory, nor on the disk.
        """
        number, begin = len(self._sheaves), 0
        for part, count in sheaf.sizes.items():
            end = begin + count * RECORD.size
            self._loose[part].append(sheaf.records[begin:end])
            self._runs[part].extend((number, count))
            begin = end
        # Nearly all sheaves have the same few types.
        self._sheaves.append((self.events, self._types.setdefault(sheaf.types, sheaf.types)))
        self.events += sheaf.events
        self.held += len(sheaf.records)
        if len(self._sheaves) % TOGETHER == 0:
            self._join()
        if self.held > self._limit:
            self._spill()

    def take(self, number: int) -> Part:
        """One of the parts, which is not kept.

        Raises:
            OutputError: it cannot be read from the disk.
        """
        records, runs = b"".join(self._blocks[number] + self._loose[number]), self._runs[number]
        self._blocks[number], self._loose[number], self._runs[number] = [], [], array("I")
        self.held -= len(records)
        if self._disk is None or not self._extents[number]:
            return Part(records, runs)
        with _disk_errors():
            return Part(b"".join([*self._from_disk(self._disk, number), records]), runs)

    def traits(self, part: Part) -> Iterator[tuple[bytes, Trait]]:
        """The digest and the traits of every event of a part, in the order read."""
        records = RECORD.iter_unpack(part.records)
        for number, count in zip(part.runs[::2], part.runs[1::2], strict=True):
            first, types = self._sheaves[number]
            for _ in range(count):
                digest, content, kind, low, high, place = next(records)
                seconds = high << 32 | low
                time = None if seconds == NO_TIME else seconds
                yield digest, Trait(first + place, content, types[kind], time)

    def _join(self) -> None:
        for blocks, loose in zip(self._blocks, self._loose, strict=True):
            if loose:
                blocks.append(b"".join(loose))
                loose.clear()

    def _spill(self) -> None:
        with _disk_errors():
            if self._disk is None:
                file = TemporaryFile(prefix="tdcur-")  # noqa: SIM115 -- closed with us
                self._disk = self._open.enter_context(file)
            place = self.spilled
            self._join()
            for number, blocks in enumerate(self._blocks):
                size = sum(map(len, blocks))
                self._disk.writelines(blocks)
                self._extents[number].append((place, size))
                place += size
                blocks.clear()
        self.spilled, self.held = place, 0

    def _from_disk(self, disk: BinaryIO, number: int) -> Iterator[bytes]:
        for place, size in self._extents[number]:
            disk.seek(place)
            yield disk.read(size)


@contextmanager
def _disk_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError(
            f"cannot keep the fingerprints of events in a temporary file: {error.strerror or type(error).__name__}",
            hint="Make room there, or set TMPDIR to a larger disk.",
        ) from None
