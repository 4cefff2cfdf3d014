"""Events that are not sent: those that earlier runs delivered, and those that break a rule of `validate`."""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, TypeAlias

import msgspec
from msgspec import Struct

from td_currents_cli.events.json import loads
from td_currents_cli.journal.keys import KEY_SIZE, document_key, event_keys, older_document_key
from td_currents_cli.model import Problem
from td_currents_cli.read.scanner import is_utf8
from td_currents_cli.send.payload import Payload

JournalFields: TypeAlias = tuple[str | None, str | None, int | float | str | None]
"""`id`, `event_type` and `time` of an event."""


class PayloadSummary(Struct, frozen=True, gc=False):
    """A well-formed payload."""

    count: int  # of events
    fields: Sequence[JournalFields] | None  # None where a value is unusual, so that each event has to be read
    is_valid: bool | None = None  # no event has an error; None where the rules were not asked


class _EventFields(Struct, gc=False):
    id: str | None = None
    event_type: str | None = None
    time: int | float | str | None = None


class _FieldsPayload(Struct, gc=False):
    events: list[_EventFields]


class _SkippedObject(Struct, gc=False):
    """Any JSON object, whose fields are skipped."""


class _SkippedPayload(Struct, gc=False):
    events: list[_SkippedObject]


_fields_decoder: Final = msgspec.json.Decoder(_FieldsPayload)
_objects_decoder: Final = msgspec.json.Decoder(_SkippedPayload)


def summary_of(data: bytes) -> PayloadSummary | None:
    """Summarize a well-formed payload; None for anything else, also for damaged ones that `split` can recover."""
    if not is_utf8(data):
        return None
    try:
        fields = journal_fields(data)
        return PayloadSummary(len(_objects_decoder.decode(data).events) if fields is None else len(fields), fields)
    except (msgspec.DecodeError, RecursionError):
        return None


def journal_fields(document: bytes) -> list[JournalFields] | None:
    """The fields of all events of a payload; None where a value is unusual, or for anything else."""
    try:
        return [(each.id, each.event_type, each.time) for each in _fields_decoder.decode(document).events]
    except msgspec.DecodeError:
        return None


if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

# Level 1: ids are random, so more effort saves nothing. Shared: creating a compressor takes longer than using one, and
# it locks itself between threads.
_compressor: Final = zstd.ZstdCompressor(level=1)
_encode: Final = msgspec.json.Encoder().encode
_TYPES: Final[dict[str, set[type]]] = {"id": {str}, "event_type": {str}, "time": {int, float, str}}


def pack_events(payload: Payload) -> bytes:
    """Pack `id`, `event_type` and `time` of each event, with null for what is missing or has another type."""
    fields = journal_fields(payload.body)
    packed = b"" if fields is None else pack_fields(fields)
    return packed or _compress(json.dumps([_unusual_fields(event) for event in payload.event_texts()]).encode())


def pack_fields(fields: Sequence[JournalFields]) -> bytes:
    """Pack decoded fields; empty if a value cannot be encoded."""
    try:
        return _compress(_encode(fields))
    except OverflowError:
        return b""


def _compress(text: bytes) -> bytes:
    packed: bytes = _compressor.compress(text, zstd.ZstdCompressor.FLUSH_FRAME)
    return packed


def _unusual_fields(event: bytes) -> list[Any]:
    """Those of an event that msgspec does not decode: lone surrogates, numbers beyond 64 bits, other types."""
    fields = loads(event)
    return [value if type(value := fields.get(name)) in types else None for name, types in _TYPES.items()]


class EventChecker(Protocol):
    """The rules of `validate`, which only the command line may import together with `send`."""

    def fields_if_valid(self, document: bytes) -> Sequence[JournalFields] | None:
        """The journal fields of a payload whose events surely have no errors; else None: ask `errors_of`."""

    def errors_of(self, event: bytes) -> Sequence[Problem]:
        """The errors of one event, without its warnings; places and pointers count from its start."""


class DeliveryLog(Protocol):
    """What earlier runs delivered: `journal.Journal`."""

    knows_documents: bool
    knows_older_documents: bool
    knows_events: bool

    def take(self, keys: bytes) -> frozenset[int]:
        """The indexes of the keys that were delivered; each delivery is returned once."""


class _EmptyLog:
    knows_documents = False
    knows_older_documents = False
    knows_events = False

    def take(self, _keys: bytes) -> frozenset[int]:
        return frozenset()


@dataclass(frozen=True, slots=True)
class FilterResult:
    """Events of a batch that are not sent, by their index."""

    delivered: frozenset[int] = frozenset()  # by earlier runs
    refused: Mapping[int, Sequence[Problem]] = field(default_factory=dict)  # with their errors

    def __bool__(self) -> bool:
        return bool(self.delivered or self.refused)


class SendFilter:
    """Filters out the events that are not sent.

    Args:
        ledger: what earlier runs delivered; None to send it again.
        check: the rules; None to send events with errors too.
        has_journal: whether deliveries are recorded, so that keys are needed.
    """

    def __init__(
        self, *, ledger: DeliveryLog | None = None, check: EventChecker | None = None, has_journal: bool = False
    ) -> None:
        self._ledger = ledger or _EmptyLog()
        self._check = check
        self._has_journal = has_journal

    def summary_of(self, document: bytes) -> PayloadSummary | None:
        """Summarize a well-formed payload; None for anything else. Decodes it once where the rules will be asked."""
        ledger = self._ledger
        if self._check is None or ledger.knows_documents or ledger.knows_older_documents or ledger.knows_events:
            return summary_of(document)
        fields = self._check.fields_if_valid(document)
        if fields is not None:
            return PayloadSummary(len(fields), fields, is_valid=True)
        summary = summary_of(document)
        return None if summary is None else PayloadSummary(summary.count, summary.fields, is_valid=False)

    def document_key(self, document: bytes) -> bytes:
        """The key of a document in the journal; empty without a journal."""
        return document_key(document) if self._has_journal else b""

    def packed_fields(self, summary: PayloadSummary) -> bytes:
        """The events of a document as the journal stores them; empty without a journal, or with unusual values."""
        return pack_fields(summary.fields) if self._has_journal and summary.fields is not None else b""

    def event_keys(self, events: Sequence[bytes]) -> list[bytes]:
        """The key of each event in the journal; empty without a journal."""
        if not self._has_journal:
            return [b""] * len(events)
        keys = event_keys(events)
        return [keys[begin : begin + KEY_SIZE] for begin in range(0, len(keys), KEY_SIZE)]

    def has_delivered(self, document: bytes, key: bytes) -> bool:
        """Whether an earlier run delivered this document unchanged, `key` being its `document_key`."""
        if self._ledger.knows_documents and self._ledger.take(key):
            return True
        return self._ledger.knows_older_documents and bool(self._ledger.take(older_document_key(document)))

    def passes(self, document: bytes, summary: PayloadSummary) -> bool:
        """Whether all events of a document are surely sent, without looking at each of them."""
        return not self._ledger.knows_events and self._is_valid(document, summary)

    def filter(
        self, document: bytes, summary: PayloadSummary | None, events: Sequence[bytes], keys: Sequence[bytes]
    ) -> FilterResult:
        """Which events of a document are not sent."""
        delivered = self._ledger.take(b"".join(keys)) if self._ledger.knows_events else frozenset()
        if self._check is None or (summary is not None and self._is_valid(document, summary)):
            return FilterResult(delivered)
        errors = {index: self._check.errors_of(event) for index, event in enumerate(events) if index not in delivered}
        return FilterResult(delivered, {index: found for index, found in errors.items() if found})

    def _is_valid(self, document: bytes, summary: PayloadSummary) -> bool:
        if self._check is None:
            return True
        return self._check.fields_if_valid(document) is not None if summary.is_valid is None else summary.is_valid
