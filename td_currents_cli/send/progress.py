"""How far a run is: looked up by whoever wants to know, as often as they like, so that it costs the run nothing."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from stat import S_ISREG

from td_currents_cli.model import Location, Record, Records
from td_currents_cli.read.sources import COMPRESSIONS, Source

_COMPRESSED = tuple(ending for ending in COMPRESSIONS if ending)


@dataclass(frozen=True, slots=True, kw_only=True)
class SendProgress:
    """How far a run is; see `SendOutcome`."""

    delivered: int
    bytes: int
    requests: int
    retries: int
    in_flight: int  # requests that have not ended
    share: float | None = None  # of the input that is settled, from 0 to 1; None where its size is not known


class InputProgress:
    """How far the inputs are read."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self._starts: dict[str, int] = {}
        self._total: int | None = 0
        self._place: Location | None = None
        for source in sources:
            size = _size(source)
            if size is None or self._total is None:
                self._total = None
                break
            self._starts.setdefault(source.name, self._total)
            self._total += size

    def watch(self, records: Records) -> Iterator[Record]:
        """Yield the same records."""
        for record in records:
            self._place = record.location
            yield record

    @property
    def share(self) -> float | None:
        """Share of the bytes before the current record; None where the total is not known."""
        place = self._place
        if not self._total:
            return None
        if place is None:
            return 0.0
        return min(1.0, (self._starts.get(place.source, 0) + place.offset) / self._total)


def _size(source: Source) -> int | None:
    """Return the bytes of a source that are known without reading it: not of a pipe or of a compressed file."""
    if source.path is None or source.name.lower().endswith(_COMPRESSED):
        return None
    try:
        status = source.path.stat()
    except OSError:
        return None
    return status.st_size if S_ISREG(status.st_mode) else None
