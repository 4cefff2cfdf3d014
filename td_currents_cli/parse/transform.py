"""From records to JSON Lines of flat events: what each worker process does with its chunks of the input."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from itertools import compress
from typing import Any, Final

import msgspec
from msgspec import Struct

from td_currents_cli.choices import Mask, Names, Nested, To
from td_currents_cli.events.decode import Decoded, EventReader, split
from td_currents_cli.events.dedupe import event_digest
from td_currents_cli.events.filter import EventFilter
from td_currents_cli.events.flatten import FlatLines, as_bare_event, flatten_batch, flatten_lines, named
from td_currents_cli.events.json import decode_any
from td_currents_cli.events.mask import Masking
from td_currents_cli.model import Batch, Problem, Record
from td_currents_cli.outcome import Balance, Problems
from td_currents_cli.parallel.pool import SharedBytes
from td_currents_cli.parse.columns import ColumnStats, nested_as_strings, select_fields
from td_currents_cli.parse.request import ParseRequest
from td_currents_cli.read.lines import LineChunk

DECODED_SIZE: Final = 1 << 16
"""Bytes of batches that are decoded together: all that is made of them fits into the processor's caches."""
PIECE_SIZE: Final = 1 << 18  # bytes of lines that are joined: they fit, too


class TransformedChunk(Struct):
    """The flat events of a chunk of the input."""

    lines: SharedBytes  # JSON Lines
    digests: list[bytes | None]  # of the id of each event, for `dedupe`
    types: list[str]  # of each event, for `split`
    columns: ColumnStats  # empty unless for one table
    rejects: list[Problem]  # for each rejected row and event, for `rejects`
    balance: Balance
    problems: Problems

    def split_lines(self) -> list[bytes]:
        """The flat events one by one, without their line ends."""
        return bytes(self.lines).split(b"\n")[:-1]


class _AnyEnvelope(Struct, gc=False):
    event_type: Any = None
    id: Any = None
    time: Any = None


_envelopes: Final = msgspec.json.Decoder(_AnyEnvelope)


class Transformer:
    """Filters, masks, renames and flattens events; `key` is that of the hashes, None to drop personal data."""

    def __init__(self, request: ParseRequest, key: bytes | None) -> None:
        self._request = request
        self._filter = EventFilter(request.wanted)
        self._needs_envelopes = bool(request.wanted) or request.dedupe or request.split
        self._steps: list[Callable[[bytes], bytes]] = []
        if request.mask is not Mask.KEEP:
            self._steps.append(Masking(key))
        if self._steps or request.names is not Names.SHORT:
            self._steps.append(lambda event: named(event, request.names))
        self._decode: Callable[[Batch], Decoded[Any]] = split if self._steps else flatten_batch
        self._decode_lines: Callable[[LineChunk], list[Any] | FlatLines] = (
            split.of_lines if self._steps else flatten_lines
        )
        # Nested values and fields of a table are seen to when it is written.
        self._fields = None if request.is_table else request.fields
        self._nested_as_strings = request.nested is Nested.JSON and not request.is_table
        is_selected = request.fields is not None and request.to is not To.PARQUET
        self._with_columns = request.is_table and not request.split and not is_selected
        self._only_flattens = not (self._nested_as_strings or self._with_columns or self._fields is not None)

    def __call__(self, records: Iterable[Record]) -> TransformedChunk:
        rejects: list[Problem] = []
        reader = EventReader(on_reject=None if self._request.rejects is None else rejects.append)
        return self._transformed((events for _, events in reader.events(records, self._decode)), reader, rejects)

    def fast(self, chunks: Iterable[LineChunk]) -> TransformedChunk:
        """Transform the events in lines of one source. Raises IrregularError."""
        reader = EventReader()
        pieces = (piece for chunk in chunks for piece in chunk.pieces(DECODED_SIZE))
        return self._transformed((reader.events_of_lines(each, self._decode_lines) for each in pieces), reader, [])

    def _transformed(
        self, batches: Iterable[list[Any] | FlatLines], reader: EventReader, rejects: list[Problem]
    ) -> TransformedChunk:
        lines: list[bytes] = []
        pieces: list[bytes] = []
        envelopes: list[Any] = []
        columns = ColumnStats()
        written = filtered = size = 0
        for events in batches:
            kept, envelopes_of_kept = self._filtered(events)
            written += len(kept)
            filtered += len(events) - len(kept)
            envelopes += envelopes_of_kept
            lines.append(self._lines(kept, columns))
            size += len(lines[-1])
            if size >= PIECE_SIZE:
                pieces.append(b"".join(lines))
                lines, size = [], 0
        types = [each.event_type for each in envelopes] if self._request.split else []
        return TransformedChunk(
            lines=SharedBytes(*pieces, b"".join(lines)),
            digests=[event_digest(each.id) for each in envelopes] if self._request.dedupe else [],
            types=[each if isinstance(each, str) else "" for each in types],
            columns=columns,
            rejects=rejects,
            balance=reader.balance(events_out=written, filtered=filtered),
            problems=reader.log.result(),
        )

    def _filtered(self, events: list[Any] | FlatLines) -> tuple[list[Any] | FlatLines, list[Any]]:
        """The events that the filter keeps, and their envelopes if they are needed."""
        if not self._needs_envelopes:
            return events, []
        envelopes = _envelopes_of(events)
        if not self._request.wanted:
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
        if self._fields is not None:
            lines = [select_fields(line, self._fields) for line in lines]
        if self._nested_as_strings:
            lines = [nested_as_strings(line) for line in lines]
        if self._with_columns:
            columns.add(lines)
        return b"\n".join([*lines, b""])


def _envelopes_of(events: list[Any] | FlatLines) -> list[_AnyEnvelope]:
    if isinstance(events, FlatLines):
        with suppress(msgspec.DecodeError):
            return _envelopes.decode_lines(events.envelopes())
    return [_envelope(bytes(each)) for each in events]


def _envelope(event: bytes) -> _AnyEnvelope:
    try:
        return _envelopes.decode(event)
    except msgspec.DecodeError:
        return decode_any(event, _AnyEnvelope)
