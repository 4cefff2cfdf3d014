"""From records to lines of flat events: what each process does for the part of the input it is given."""

from collections.abc import Callable, Iterable
from typing import Any

import msgspec
from msgspec import Struct

from td_currents_cli.bulk import Bulk
from td_currents_cli.events.dedupe import event_digest
from td_currents_cli.events.filter import Filter, Sieve
from td_currents_cli.events.lenient import loads
from td_currents_cli.events.mask import Masking
from td_currents_cli.events.names import Names, named
from td_currents_cli.events.stream import Intake
from td_currents_cli.events.usual import Lines
from td_currents_cli.events.whole import flat, lined, nested, whole
from td_currents_cli.model import Problem, Record
from td_currents_cli.outcome import Balance, Problems
from td_currents_cli.parse.columns import Met, chosen, nested_as_text


class Plan(Struct, frozen=True, kw_only=True):
    """What every process is told.

    Attributes:
        wanted: which events are written.
        names: how members are named.
        texts: whether objects and arrays become texts that hold their JSON.
        fields: names of the members that are kept, in order; None for all.
        mask: whether personal data is masked.
        key: of the hashes; None to drop.
        ids: whether the events are to be told apart by their ids.
        types: whether they are to be told apart by their types.
        meet: whether it matters which columns there are.
        rejects: whether what is rejected is kept.
    """

    wanted: Filter
    names: Names = Names.SHORT
    texts: bool = False
    fields: tuple[str, ...] | None = None
    mask: bool = False
    key: bytes | None = None
    ids: bool = False
    types: bool = False
    meet: bool = False
    rejects: bool = False


class Shaped(Struct):
    """What came of a part of the input.

    Attributes:
        lines: flat events, with their line ends, one by one where they are to be told apart.
        bulk: all of them as one where they are not.
        digests: of the ids of each, where they are to be told apart by them.
        types: of each, where they are to be told apart by them.
        met: columns, where they matter.
        rejects: what stands for each row and event that was rejected.
        balance: where its rows and events went.
        problems: what was wrong with it.
    """

    lines: list[bytes]
    bulk: Bulk
    digests: list[bytes | None]
    types: list[str]
    met: Met
    rejects: list[Problem]
    balance: Balance
    problems: Problems

    def text(self) -> bytes | memoryview:
        """All flat events, while what they are in is there (see Bulk)."""
        return b"".join(self.lines) if self.lines else self.bulk.data


class _Envelope(Struct, gc=False):
    event_type: Any = None
    id: Any = None
    time: Any = None


class Shaping:
    """Shapes events after a plan."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._sieve = Sieve(plan.wanted)
        self._told_apart = plan.ids or plan.types
        self._knows = bool(plan.wanted) or self._told_apart
        self._steps: list[Callable[[bytes], bytes]] = []
        if plan.mask:
            self._steps.append(Masking(plan.key))
        if self._steps or plan.names is not Names.SHORT:
            self._steps.append(lambda event: named(event, plan.names))
        self._is_as_read = not plan.texts and plan.fields is None and not plan.meet
        self._decode = whole if self._knows or self._steps else lined

    def __call__(self, records: Iterable[Record]) -> Shaped:
        """The flat events of some records, in order."""
        rejects: list[Problem] = []
        intake = Intake(on_reject=rejects.append if self._plan.rejects else None)
        lines: list[bytes] = []
        kept: list[_Envelope] = []
        met = Met()
        written = filtered = 0
        for _batch, events in intake.events(records, self._decode):
            some, envelopes = self._sift(events)
            written += len(some)
            filtered += len(events) - len(some)
            kept += envelopes
            lines += self._lines(some, met)
        return Shaped(
            lines=lines if self._told_apart else [],
            bulk=Bulk(b"" if self._told_apart else b"".join(lines)),
            digests=[event_digest(each.id) for each in kept] if self._plan.ids else [],
            types=[each.event_type if isinstance(each.event_type, str) else "" for each in kept],
            met=met,
            rejects=rejects,
            balance=intake.balance(events_out=written, filtered=filtered),
            problems=intake.log.result(),
        )

    def _sift(self, events: list[Any]) -> tuple[list[Any], list[_Envelope]]:
        if not self._knows:
            return events, []
        pairs = [(event, _envelope(nested(event))) for event in events]
        pairs = [(event, each) for event, each in pairs if self._sieve.keeps(each.event_type, each.time)]
        return [event for event, _ in pairs], [each for _, each in pairs]

    def _lines(self, events: list[Any] | Lines, met: Met) -> list[bytes]:
        """Flat events with their line ends, one by one where they are to be told apart."""
        if self._is_as_read and isinstance(events, Lines):
            return [events.text]
        lines = self._shaped(events)
        if self._plan.meet:
            met.add(lines)
        return [line + b"\n" for line in lines] if self._told_apart else [b"\n".join([*lines, b""])]

    def _shaped(self, events: Iterable[Any]) -> list[bytes]:
        if self._steps:
            lines = [nested(event) for event in events]
            for step in self._steps:
                lines = [step(line) for line in lines]
        else:
            lines = flat(list(events)) if self._knows else list(events)
        if self._plan.fields is not None:
            lines = [chosen(line, self._plan.fields) for line in lines]
        return [nested_as_text(line) for line in lines] if self._plan.texts else lines


def _envelope(event: bytes) -> _Envelope:
    try:
        return msgspec.json.decode(event, type=_Envelope)
    except msgspec.DecodeError:
        return msgspec.convert(loads(event), _Envelope)
