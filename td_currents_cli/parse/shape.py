"""From records to lines of flat events: what each process does for the part of the input it is given."""

from collections.abc import Callable, Iterable
from itertools import compress
from typing import Any

import msgspec
from msgspec import Struct

from td_currents_cli.choices import Names
from td_currents_cli.events.dedupe import event_digest
from td_currents_cli.events.filter import Filter, Sieve
from td_currents_cli.events.lenient import loads
from td_currents_cli.events.mask import Masking
from td_currents_cli.events.names import named
from td_currents_cli.events.stream import Intake
from td_currents_cli.events.usual import Lines
from td_currents_cli.events.whole import lined, nested, whole
from td_currents_cli.model import Problem, Record
from td_currents_cli.outcome import Balance, Problems
from td_currents_cli.parallel.pool import SharedBytes
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
        bulk: flat events, with their line ends.
        digests: of the ids of each, where they are to be told apart by them.
        types: of each, where they are to be told apart by them.
        met: columns, where they matter.
        rejects: what stands for each row and event that was rejected.
        balance: where its rows and events went.
        problems: what was wrong with it.
    """

    bulk: SharedBytes
    digests: list[bytes | None]
    types: list[str]
    met: Met
    rejects: list[Problem]
    balance: Balance
    problems: Problems

    def lines(self) -> list[bytes]:
        """The flat events one by one, without their line ends."""
        return bytes(self.bulk.data).split(b"\n")[:-1]


class _Envelope(Struct, gc=False):
    event_type: Any = None
    id: Any = None
    time: Any = None


class Shaping:
    """Shapes events after a plan."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._sieve = Sieve(plan.wanted)
        self._knows = bool(plan.wanted) or plan.ids or plan.types
        self._steps: list[Callable[[bytes], bytes]] = []
        if plan.mask:
            self._steps.append(Masking(plan.key))
        if self._steps or plan.names is not Names.SHORT:
            self._steps.append(lambda event: named(event, plan.names))
        self._is_as_read = not plan.texts and plan.fields is None and not plan.meet
        self._decode = whole if self._steps else lined

    def __call__(self, records: Iterable[Record]) -> Shaped:
        """The flat events of some records, in order."""
        rejects: list[Problem] = []
        intake = Intake(on_reject=rejects.append if self._plan.rejects else None)
        texts: list[bytes] = []
        kept: list[Any] = []
        met = Met()
        written = filtered = 0
        for _batch, events in intake.events(records, self._decode):
            some, envelopes = self._sift(events)
            written += len(some)
            filtered += len(events) - len(some)
            kept += envelopes
            texts.append(self._text(some, met))
        return Shaped(
            bulk=SharedBytes(b"".join(texts)),
            digests=[event_digest(each.id) for each in kept] if self._plan.ids else [],
            types=[_type_of(each) for each in kept] if self._plan.types else [],
            met=met,
            rejects=rejects,
            balance=intake.balance(events_out=written, filtered=filtered),
            problems=intake.log.result(),
        )

    def _sift(self, events: list[Any] | Lines) -> tuple[list[Any] | Lines, list[Any]]:
        """The events that are wanted, and their envelopes where those matter."""
        if not self._knows:
            return events, []
        envelopes = events.envelopes if isinstance(events, Lines) else [_envelope(nested(event)) for event in events]
        if not self._plan.wanted:
            return events, envelopes
        keeps = [self._sieve.keeps(each.event_type, each.time) for each in envelopes]
        return list(compress(events, keeps)), list(compress(envelopes, keeps))

    def _text(self, events: list[Any] | Lines, met: Met) -> bytes:
        """Flat events with their line ends."""
        if self._is_as_read and isinstance(events, Lines):
            return events.text
        lines = self._shaped(events)
        if self._plan.meet:
            met.add(lines)
        return b"\n".join([*lines, b""])

    def _shaped(self, events: Iterable[Any]) -> list[bytes]:
        if self._steps:
            lines = [nested(event) for event in events]
            for step in self._steps:
                lines = [step(line) for line in lines]
        else:
            lines = list(events)
        if self._plan.fields is not None:
            lines = [chosen(line, self._plan.fields) for line in lines]
        return [nested_as_text(line) for line in lines] if self._plan.texts else lines


def _type_of(envelope: Any) -> str:  # noqa: ANN401 -- of either kind
    return envelope.event_type if isinstance(envelope.event_type, str) else ""


def _envelope(event: bytes) -> _Envelope:
    try:
        return msgspec.json.decode(event, type=_Envelope)
    except msgspec.DecodeError:
        return msgspec.convert(loads(event), _Envelope)
