"""How far a run is: looked up by whoever wants to know, as often as they like, so that it costs the run nothing."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from stat import S_ISREG

from td_currents_cli.model import Location, Record, Records
from td_currents_cli.read.sources import COMPRESSIONS, Source

_PACKED = tuple(ending for ending in COMPRESSIONS if ending)


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a run is.

    Attributes:
        delivered: events, in this run.
        bytes: of the bodies that were delivered.
        requests: all that were made.
        retries: those of them that repeated another.
        in_flight: requests that have not come back yet.
        share: of the input that is settled, from 0 to 1; None where its size is not known.
    """

    delivered: int
    bytes: int
    requests: int
    retries: int
    in_flight: int
    share: float | None = None


class Way:
    """Where in the input the reading is."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self._begins: dict[str, int] = {}
        self._total: int | None = 0
        self._place: Location | None = None
        for source in sources:
            size = _size(source)
            if size is None or self._total is None:
                self._total = None
                break
            self._begins.setdefault(source.name, self._total)
            self._total += size

    def watch(self, records: Records) -> Iterator[Record]:
        """The same records, one after another."""
        for record in records:
            self._place = record.location
            yield record

    @property
    def share(self) -> float | None:
        """Of all bytes, those before the record that is worked on; None where it is not known how many there are."""
        place = self._place
        if not self._total:
            return None
        if place is None:
            return 0.0
        return min(1.0, (self._begins.get(place.source, 0) + place.offset) / self._total)


def _size(source: Source) -> int | None:
    """Bytes of a source, where that can be told without reading it: not of a pipe, and not of what is compressed."""
    if source.path is None or source.name.lower().endswith(_PACKED):
        return None
    try:
        status = source.path.stat()
    except OSError:
        return None
    return status.st_size if S_ISREG(status.st_mode) else None
