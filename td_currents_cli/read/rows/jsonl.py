"""Ingested rows as JSON objects with an `events` column: `td table:tail`, `tdx --jsonl`, `td query -f json -c`."""

import json
import re
from functools import cache
from typing import Any, Final

import msgspec
from msgspec import UNSET, Raw, UnsetType

from td_currents_cli.read.options import COLUMN, looks_like_batch
from td_currents_cli.read.rows.cell import EMPTY_BATCH, batch_text, unwrapped

SEVERAL: Final = b"several"
"""Stands for a text that holds more than one document, the first of which may be a row. Compare with `is`."""

_PAYLOAD_START: Final = re.compile(rb'\{\s*"events"\s*:\s*\[(?!\s*")')
_TEXTS_START: Final = re.compile(rb'"events"\s*:\s*\[\s*"')
_EVENT_KEY: Final = re.compile(rb'"event(?:s|_type)"\s*:')


class _Row(msgspec.Struct):
    events: str | UnsetType | None = UNSET


_row: Final = msgspec.json.Decoder(_Row)


@cache
def _row_with(column: str) -> "msgspec.json.Decoder[Any]":
    events: Any = str | UnsetType | None
    row = msgspec.defstruct("OtherRow", [("events", events, UNSET)], rename={"events": column})
    return msgspec.json.Decoder(row)


def batch_of_row(document: bytes, column: str = COLUMN) -> bytes | None:
    """The batch that an ingested row holds in its `events` column (or another), as text or null; or SEVERAL.

    None for anything else: a payload, a bare event, or what is malformed; `events.decode` finds out which.
    """
    if _PAYLOAD_START.match(document) or (column == COLUMN and b'"events"' not in document):
        return None
    try:
        events = (_row if column == COLUMN else _row_with(column)).decode(document).events
    except msgspec.ValidationError:
        return _batch_of_texts(document) if column == COLUMN and _TEXTS_START.search(document) else None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return SEVERAL if "trailing characters" in str(error) else _with_lone_surrogates(document, column)
    if events is None:
        return EMPTY_BATCH
    return None if events is UNSET else batch_text(events)


class _NativeRow(msgspec.Struct):
    events: Raw


_native_row: Final = msgspec.json.Decoder(_NativeRow)


def _batch_of_texts(document: bytes) -> bytes | None:
    """The events of a row whose cell is a native array of JSON texts."""
    try:
        batch = unwrapped(bytes(_native_row.decode(document).events))
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    # A text that holds no event is one element of a payload that is wrong.
    return batch if batch.startswith(b"[{") else None


def _with_lone_surrogates(document: bytes, column: str) -> bytes | None:
    """As `batch_of_row`, for what msgspec takes for malformed and Python's own parser reads."""
    if b"\\u" not in document:
        return None
    try:
        cell = json.loads(document)[column]
    except (ValueError, RecursionError, KeyError, TypeError):
        return None
    return batch_text(cell) if isinstance(cell, str) else None


def column_of(document: bytes) -> str | None:
    """The name of the first column of a row that looks like a batch, where none is called `events`."""
    if _EVENT_KEY.search(document):
        return None
    try:
        members = _members.decode(document)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return next((name for name, cell in members.items() if isinstance(cell, str) and looks_like_batch(cell)), None)


_members: Final = msgspec.json.Decoder(dict[str, Any])
