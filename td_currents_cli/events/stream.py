"""From the stream of records to the stream of events, with everything accounted for."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from td_currents_cli.events.decode import Decoded, E
from td_currents_cli.model import Batch, Problem, Record
from td_currents_cli.outcome import Balance, ProblemLog


@dataclass(slots=True)
class EventReader:
    """Reads the events of records and counts what was read."""

    on_reject: Callable[[Problem], None] | None = None  # called for each rejected row or event; `raw` is its bytes
    log: ProblemLog = field(default_factory=ProblemLog)
    rows_read: int = 0
    rows_rejected: int = 0
    events_read: int = 0
    events_rejected: int = 0
    lost: int = 0

    def events(
        self, records: Iterable[Record], decode: Callable[[Batch], Decoded[E]]
    ) -> Iterator[tuple[Batch, list[E]]]:
        """Yield each good batch with its events; all else is counted, logged and passed to `on_reject`."""
        for record in records:
            if isinstance(record, Problem):
                if record.raw is not None:
                    self.rows_read += 1
                    self.rows_rejected += 1
                self._log(record)
                continue
            decoded = decode(record)
            if decoded.documents:
                yield from self.events(decoded.documents, decode)
                continue
            self.rows_read += 1
            if decoded.rejected:
                self.rows_rejected += 1
            else:
                self.events_read += len(decoded.events) + len(decoded.problems)
                self.events_rejected += len(decoded.problems) - decoded.lost
                self.lost += decoded.lost
            for problem in decoded.problems:
                self._log(problem)
            if not decoded.rejected:
                yield record, decoded.events

    def balance(self, *, events_out: int, duplicates: int = 0, filtered: int = 0) -> Balance:
        """What became of all rows and events, given what was done with the events."""
        return Balance(
            rows_read=self.rows_read,
            rows_rejected=self.rows_rejected,
            events_read=self.events_read,
            events_rejected=self.events_rejected,
            events_out=events_out,
            duplicates=duplicates,
            filtered=filtered,
            lost=self.lost,
        )

    def _log(self, problem: Problem) -> None:
        self.log.add(problem)
        if problem.raw is not None and self.on_reject is not None:
            self.on_reject(problem)
