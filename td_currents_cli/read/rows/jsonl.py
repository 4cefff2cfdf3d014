"""Ingested rows as JSON objects with an `events` column: `td table:tail`, `tdx --jsonl`, `td query -f json -c`."""

import json
import re
from functools import cache
from typing import Any, Final

import msgspec
from msgspec import UNSET, Raw, UnsetType

from td_currents_cli.read.options import COLUMN, looks_like_batch
from td_currents_cli.read.rows.cell import EMPTY_BATCH, batch_text, unwrapped

SEVERAL_DOCUMENTS: Final = b"several"
"""Stands for a text of more than one document, the first of which may be a row. Compare with `is`."""

_ARRAY_OF_EVENTS: Final = re.compile(rb'\{\s*"events"\s*:\s*\[(?!\s*")')
_ARRAY_OF_STRINGS: Final = re.compile(rb'"events"\s*:\s*\[\s*"')
_EVENT_KEY: Final = re.compile(rb'"event(?:s|_type)"\s*:')


class _StringRow(msgspec.Struct):
    events: str | UnsetType | None = UNSET


class _ArrayRow(msgspec.Struct):
    events: Raw


_string_row: Final = msgspec.json.Decoder(_StringRow)
_array_row: Final = msgspec.json.Decoder(_ArrayRow)
_any_row: Final = msgspec.json.Decoder(dict[str, Any])


@cache
def _row_with(column: str) -> "msgspec.json.Decoder[Any]":
    events: Any = str | UnsetType | None
    row = msgspec.defstruct("OtherRow", [("events", events, UNSET)], rename={"events": column})
    return msgspec.json.Decoder(row)


def batch_of_row(document: bytes, column: str = COLUMN) -> bytes | None:
    """Return the batch in the `events` column (or another) of an ingested row, a string or null; or SEVERAL_DOCUMENTS.

    None for anything else: a payload, a bare event, or what is malformed; `events.decode` finds out which.
    """
    if _ARRAY_OF_EVENTS.match(document) or (column == COLUMN and b'"events"' not in document):
        return None
    try:
        events = (_string_row if column == COLUMN else _row_with(column)).decode(document).events
    except msgspec.ValidationError:
        return _batch_of_strings(document) if column == COLUMN and _ARRAY_OF_STRINGS.search(document) else None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return SEVERAL_DOCUMENTS if "trailing characters" in str(error) else _with_lone_surrogates(document, column)
    if events is None:
        return EMPTY_BATCH
    return None if events is UNSET else batch_text(events)


def _batch_of_strings(document: bytes) -> bytes | None:
    """Return the events of a row whose cell is a native array of JSON strings."""
    try:
        batch = unwrapped(bytes(_array_row.decode(document).events))
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    # A string that is not an event is one element of an invalid payload.
    return batch if batch.startswith(b"[{") else None


def _with_lone_surrogates(document: bytes, column: str) -> bytes | None:
    """Decode with Python's own parser what msgspec takes for malformed."""
    if b"\\u" not in document:
        return None
    try:
        cell = json.loads(document)[column]
    except (ValueError, RecursionError, KeyError, TypeError):
        return None
    return batch_text(cell) if isinstance(cell, str) else None


def column_of(document: bytes) -> str | None:
    """Return the name of the first column of a row that looks like a batch, where none is called `events`."""
    if _EVENT_KEY.search(document):
        return None
    try:
        cells = _any_row.decode(document)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return next((name for name, cell in cells.items() if isinstance(cell, str) and looks_like_batch(cell)), None)
