"""Events that are not sent: those that earlier runs delivered, and those that break a rule of `validate`."""

from collections.abc import Mapping, Sequence
from typing import Final, Protocol

import msgspec
from msgspec import Struct

from td_currents_cli.events.json import loads
from td_currents_cli.journal.events import SentEvent, packed
from td_currents_cli.journal.keys import (
    DOCUMENT,
    EVENT,
    NAMED_EVENT,
    OLDER_DOCUMENT,
    document_key,
    event_keys,
    named_event_key,
    older_document_key,
    split_keys,
)
from td_currents_cli.journal.writer import Journal
from td_currents_cli.model import Problem
from td_currents_cli.read.scanner import is_utf8
from td_currents_cli.send.payload import Payload, names_of


class PayloadSummary(Struct, frozen=True, gc=False):
    """A well-formed payload."""

    count: int  # of events
    fields: Sequence[SentEvent] | None  # None where a value is unusual, so that each event has to be read
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


def journal_fields(document: bytes) -> list[SentEvent] | None:
    """The fields of all events of a payload; None where a value is unusual, or for anything else."""
    try:
        return [(each.id, each.event_type, each.time) for each in _fields_decoder.decode(document).events]
    except msgspec.DecodeError:
        return None


_TYPES: Final[dict[str, set[type]]] = {"id": {str}, "event_type": {str}, "time": {int, float, str}}


def pack_events(payload: Payload) -> bytes:
    """Pack `id`, `event_type` and `time` of each event for the journal."""
    fields = journal_fields(payload.body)
    if fields is None:
        return packed([_unusual_fields(event) for event in payload.event_texts()], is_unusual=True)
    return packed(fields)


def _unusual_fields(event: bytes) -> SentEvent:
    """Those of an event that msgspec does not decode: lone surrogates, numbers beyond 64 bits, other types."""
    fields = loads(event)
    found = [value if type(value := fields.get(name)) in types else None for name, types in _TYPES.items()]
    return found[0], found[1], found[2]


def _named_key(event: bytes) -> bytes:
    event_id, event_type = names_of(event)
    return named_event_key(event_id, event_type) if event_id and event_type else event_keys([event])


class EventChecker(Protocol):
    """The rules of `validate`, which only the command line may import together with `send`."""

    def fields_if_valid(self, document: bytes) -> Sequence[SentEvent] | None:
        """The journal fields of a payload whose events surely have no errors; else None: ask `errors_of`."""

    def errors_of(self, event: bytes) -> Sequence[Problem]:
        """The errors of one event, without its warnings; places and pointers count from its start."""


class SendFilter:
    """Filters out the events that are not sent.

    Args:
        journal: knows what earlier runs delivered, and needs keys to record what this one delivers.
        resend: whether what they delivered is sent again.
        check: the rules; None to send events with errors too.
    """

    def __init__(
        self, journal: Journal | None = None, *, resend: bool = False, check: EventChecker | None = None
    ) -> None:
        self._journal = journal
        self._kinds = frozenset[bytes]() if journal is None or resend else journal.kinds  # of keys that are looked up
        self._check = check

    def summary_of(self, document: bytes) -> PayloadSummary | None:
        """Summarize a well-formed payload; None for anything else. Decodes it once where the rules will be asked."""
        if self._check is None or self._kinds:
            return summary_of(document)
        fields = self._check.fields_if_valid(document)
        if fields is not None:
            return PayloadSummary(len(fields), fields, is_valid=True)
        summary = summary_of(document)
        return None if summary is None else PayloadSummary(summary.count, summary.fields, is_valid=False)

    def document_key(self, document: bytes) -> bytes:
        """The key of a document in the journal; empty without a journal."""
        return b"" if self._journal is None else document_key(document)

    def event_keys(self, events: Sequence[bytes], *, named: bool = False) -> list[bytes]:
        """The key of each event in the journal, by id and type if `named`; empty without a journal."""
        if self._journal is None:
            return [b""] * len(events)
        return list(map(_named_key, events)) if named else split_keys(event_keys(events))

    def packed_fields(self, summary: PayloadSummary) -> bytes:
        """The events of a document as the journal stores them; empty without one, or if each has to be read."""
        return b"" if self._journal is None or summary.fields is None else packed(summary.fields)

    def has_delivered(self, document: bytes, key: bytes) -> bool:
        """Whether an earlier run delivered this document unchanged, `key` being its `document_key`."""
        if self._journal is None:
            return False
        if DOCUMENT in self._kinds and self._journal.take(key):
            return True
        return OLDER_DOCUMENT in self._kinds and bool(self._journal.take(older_document_key(document)))

    def passes(self, document: bytes, summary: PayloadSummary) -> bool:
        """Whether all events of a document are surely sent, without looking at each of them."""
        return EVENT not in self._kinds and self._is_valid(document, summary)

    def filter(
        self,
        document: bytes,
        summary: PayloadSummary | None,
        events: Sequence[bytes],
        keys: Sequence[bytes],
        *,
        skipped: frozenset[int] = frozenset(),
    ) -> tuple[frozenset[int], Mapping[int, Sequence[Problem]]]:
        """The indexes of the events that earlier runs delivered, and the errors of those that are refused.

        Both without the `skipped` ones.
        """
        delivered = frozenset[int]()
        if self._journal is not None and self._kinds & {EVENT, NAMED_EVENT}:
            wanted = [number for number in range(len(keys)) if number not in skipped]
            delivered = frozenset(wanted[place] for place in self._journal.take(b"".join([keys[n] for n in wanted])))
        if self._check is None or (summary is not None and self._is_valid(document, summary)):
            return delivered, {}
        done = delivered | skipped
        errors = {index: self._check.errors_of(event) for index, event in enumerate(events) if index not in done}
        return delivered, {index: found for index, found in errors.items() if found}

    def _is_valid(self, document: bytes, summary: PayloadSummary) -> bool:
        if self._check is None:
            return True
        return self._check.fields_if_valid(document) is not None if summary.is_valid is None else summary.is_valid
