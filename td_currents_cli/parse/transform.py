"""From records to JSON Lines of flat events: what each worker process does with its chunks of the input."""

from collections.abc import Callable, Iterable
from itertools import compress
from typing import Any

import msgspec
from msgspec import Struct

from td_currents_cli.choices import Names
from td_currents_cli.events.decode import EventReader, split
from td_currents_cli.events.dedupe import event_digest
from td_currents_cli.events.filter import EventFilter, Filter
from td_currents_cli.events.flatten import FlatLines, as_bare_event, flatten_batch, named
from td_currents_cli.events.json import decode_any
from td_currents_cli.events.mask import Masking
from td_currents_cli.model import Problem, Record
from td_currents_cli.outcome import Balance, Problems
from td_currents_cli.parallel.pool import SharedBytes
from td_currents_cli.parse.columns import ColumnStats, nested_as_strings, select_fields


class TransformerConfig(Struct, frozen=True, kw_only=True):
    """What a worker process needs to know of the request."""

    wanted: Filter
    names: Names = Names.SHORT
    nested_as_strings: bool = False
    fields: tuple[str, ...] | None = None  # None for all
    mask: bool = False
    key: bytes | None = None  # of the hashes; None to drop personal data
    with_ids: bool = False
    with_types: bool = False
    with_columns: bool = False
    with_rejects: bool = False


class TransformedChunk(Struct):
    """The flat events of a chunk of the input."""

    lines: SharedBytes  # JSON Lines
    digests: list[bytes | None]  # of the id of each event, if requested
    types: list[str]  # of each event, if requested
    columns: ColumnStats  # empty unless requested
    rejects: list[Problem]  # for each rejected row and event, if requested
    balance: Balance
    problems: Problems

    def split_lines(self) -> list[bytes]:
        """The flat events one by one, without their line ends."""
        return bytes(self.lines.data).split(b"\n")[:-1]


class _AnyEnvelope(Struct, gc=False):
    event_type: Any = None
    id: Any = None
    time: Any = None


class Transformer:
    """Filters, masks, renames and flattens events."""

    def __init__(self, config: TransformerConfig) -> None:
        self._config = config
        self._filter = EventFilter(config.wanted)
        self._needs_envelopes = bool(config.wanted) or config.with_ids or config.with_types
        self._steps: list[Callable[[bytes], bytes]] = []
        if config.mask:
            self._steps.append(Masking(config.key))
        if self._steps or config.names is not Names.SHORT:
            self._steps.append(lambda event: named(event, config.names))
        self._only_flattens = not (config.nested_as_strings or config.with_columns or config.fields is not None)
        self._decode = split if self._steps else flatten_batch

    def __call__(self, records: Iterable[Record]) -> TransformedChunk:
        rejects: list[Problem] = []
        reader = EventReader(on_reject=rejects.append if self._config.with_rejects else None)
        lines: list[bytes] = []
        envelopes: list[Any] = []
        columns = ColumnStats()
        written = filtered = 0
        for _batch, events in reader.events(records, self._decode):
            kept, envelopes_of_kept = self._filtered(events)
            written += len(kept)
            filtered += len(events) - len(kept)
            envelopes += envelopes_of_kept
            lines.append(self._lines(kept, columns))
        return TransformedChunk(
            lines=SharedBytes(b"".join(lines)),
            digests=[event_digest(each.id) for each in envelopes] if self._config.with_ids else [],
            types=[_type_of(each) for each in envelopes] if self._config.with_types else [],
            columns=columns,
            rejects=rejects,
            balance=reader.balance(events_out=written, filtered=filtered),
            problems=reader.log.result(),
        )

    def _filtered(self, events: list[Any] | FlatLines) -> tuple[list[Any] | FlatLines, list[Any]]:
        """The events that the filter keeps, and their envelopes if they are needed."""
        if not self._needs_envelopes:
            return events, []
        envelopes = events.envelopes if isinstance(events, FlatLines) else [_envelope(bytes(each)) for each in events]
        if not self._config.wanted:
            return events, envelopes
        kept = [self._filter.keeps(each.event_type, each.time) for each in envelopes]
        return list(compress(events, kept)), list(compress(envelopes, kept))

    def _lines(self, events: list[Any] | FlatLines, columns: ColumnStats) -> bytes:
        if self._only_flattens and isinstance(events, FlatLines):
            return events.data
        lines = [bytes(event) for event in events]
        for step in self._steps:
            lines = [step(line) for line in lines]
        if not isinstance(events, FlatLines):
            lines = [as_bare_event(line) for line in lines]
        if self._config.fields is not None:
            lines = [select_fields(line, self._config.fields) for line in lines]
        if self._config.nested_as_strings:
            lines = [nested_as_strings(line) for line in lines]
        if self._config.with_columns:
            columns.add(lines)
        return b"\n".join([*lines, b""])


def _type_of(envelope: Any) -> str:  # noqa: ANN401 -- of either kind
    return envelope.event_type if isinstance(envelope.event_type, str) else ""


def _envelope(event: bytes) -> _AnyEnvelope:
    try:
        return msgspec.json.decode(event, type=_AnyEnvelope)
    except msgspec.DecodeError:
        return decode_any(event, _AnyEnvelope)
