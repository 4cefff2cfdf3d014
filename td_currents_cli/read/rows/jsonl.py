"""Ingested rows as JSON objects with an `events` column: `td table:tail`, `tdx --jsonl`, `td query -f json -c`."""

import json
import re
from typing import Final

import msgspec
from msgspec import UNSET, Raw, UnsetType

from td_currents_cli.read.rows.cell import EMPTY_BATCH, batch_text

_PAYLOAD_START: Final = re.compile(rb'\{\s*"events"\s*:\s*\[')


class _Row(msgspec.Struct):
    events: Raw | UnsetType = UNSET


class _TextRow(msgspec.Struct):
    events: str


_row: Final = msgspec.json.Decoder(_Row)
_text_row: Final = msgspec.json.Decoder(_TextRow)


def batch_of_row(document: bytes) -> bytes | None:
    """The batch that an ingested row holds in its `events` column, as text or null.

    None for anything else: a payload, a bare event, or what is malformed; `events.decode` finds out which.
    """
    if _PAYLOAD_START.match(document) or b'"events"' not in document:
        return None
    try:
        events = _row.decode(document).events
        if events is UNSET:
            return None
        first = bytes(memoryview(events)[:1])
        if first == b"n":
            return EMPTY_BATCH
        return batch_text(_text_row.decode(document).events) if first == b'"' else None
    except (msgspec.DecodeError, RecursionError):
        return _with_lone_surrogates(document)


def _with_lone_surrogates(document: bytes) -> bytes | None:
    """As `batch_of_row`, for what msgspec takes for malformed and Python's own parser reads."""
    if b"\\u" not in document:
        return None
    try:
        cell = json.loads(document)["events"]
    except (ValueError, RecursionError, KeyError, TypeError):
        return None
    return batch_text(cell) if isinstance(cell, str) else None
