"""A payload that can be sent unchanged, read once: its number of events, and the fields that the journal stores.

Decoding these three fields takes no longer than finding the events.
"""

from collections.abc import Sequence
from typing import Final, TypeAlias

import msgspec
from msgspec import Struct

from td_currents_cli.read.scanner import is_utf8

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
