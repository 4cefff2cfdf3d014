"""`tdcur show`: the first events of the input, or those with an id, each with its place."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import msgspec
import orjson
from msgspec import Struct

from td_currents_cli.errors import ExitCode
from td_currents_cli.events.decode import EventReader, split
from td_currents_cli.events.filter import EVERYTHING, EventFilter, Filter
from td_currents_cli.events.json import decode_any
from td_currents_cli.events.mask import Masking
from td_currents_cli.model import Location
from td_currents_cli.outcome import Balance, Outcome, exit_code_of
from td_currents_cli.read import Source, records
from td_currents_cli.read.options import DEFAULT, ReadOptions

HIDDEN: Final = "***"
"""What is shown in place of personal data."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowRequest:
    sources: tuple[Source, ...]
    reading: ReadOptions = DEFAULT
    filter: Filter = EVERYTHING
    ids: frozenset[str] = frozenset()  # empty for any id
    limit: int = 5
    unmask: bool = False


@dataclass(frozen=True, slots=True)
class ShownEvent:
    location: Location  # of its batch
    index: int  # in its batch, from 0
    event: bytes  # JSON, masked unless the request says otherwise

    def as_dict(self) -> dict[str, object]:
        return {
            "source": self.location.source,
            "line": self.location.line,
            "row": self.location.row,
            "event_index": self.index,
            "event": orjson.Fragment(self.event),
        }


class ShowOutcome(Outcome, frozen=True, kw_only=True):
    command: ClassVar[str] = "show"

    events: tuple[ShownEvent, ...]
    balance: Balance  # of what was read
    is_limited: bool  # whether reading stopped because there were enough
    missing: tuple[str, ...] = ()  # requested ids that were not found, although everything was read

    def summary(self) -> dict[str, object]:
        return {
            "rows_read": self.balance.rows_read,
            "rows_rejected": self.balance.rows_rejected,
            "rows_truncated": self.balance.rows_truncated,
            "events_read": self.balance.events_read,
            "shown": len(self.events),
            "limited": self.is_limited,
            "missing": list(self.missing),
        }

    def data(self) -> dict[str, object]:
        return {"events": [each.as_dict() for each in self.events]}


class _Head(Struct, gc=False):
    event_type: Any = None
    id: Any = None
    time: Any = None


_head: Final = msgspec.json.Decoder(_Head)


class _Placeholder(Masking):
    """Writes the same word in place of all personal data."""

    def __init__(self) -> None:
        super().__init__(None)

    def replacement(self, string: str) -> object:  # noqa: ARG002 -- whatever it was
        return HIDDEN


def run(request: ShowRequest) -> ShowOutcome:
    """Read until there are enough events."""
    reader = EventReader()
    shown: list[ShownEvent] = []
    for event in _wanted(request, reader):
        shown.append(event)
        if len(shown) == request.limit:
            break
    is_limited = len(shown) == request.limit
    missing = request.ids - {_head_of(each.event).id for each in shown}
    others = reader.events_read - reader.events_rejected - reader.lost - len(shown)
    balance, problems = reader.balance(events_out=len(shown), filtered=others), reader.log.result()
    if not request.unmask:
        masked = _Placeholder()
        shown = [ShownEvent(each.location, each.index, masked(each.event)) for each in shown]
    return ShowOutcome(
        events=tuple(shown),
        balance=balance,
        is_limited=is_limited,
        missing=() if is_limited else tuple(sorted(missing)),
        problems=problems,
        exit_code=ExitCode.FINDINGS if missing and not is_limited else exit_code_of(problems, balance),
    )


def _wanted(request: ShowRequest, reader: EventReader) -> Iterator[ShownEvent]:
    kept = EventFilter(request.filter)
    for batch, events in reader.events(records(request.sources, request.reading), split):
        for index, event in enumerate(events):
            head = _head_of(bytes(event))
            if (not request.ids or head.id in request.ids) and kept.keeps(head.event_type, head.time):
                yield ShownEvent(batch.location, index, bytes(event))


def _head_of(event: bytes) -> _Head:
    try:
        return _head.decode(event)
    except msgspec.DecodeError:
        return decode_any(event, _Head)
