"""Ingested rows as JSON objects with an `events` column: `td table:tail`, `tdx --jsonl`, `td query -f json -c`.

Also objects around an array of rows, as APIs and queues return them, and as pandas writes them.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from itertools import islice
from typing import Any, Final

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from td_currents_cli.model import Batch, Code, Location, Problem, Record, Severity
from td_currents_cli.patterns import pattern
from td_currents_cli.read.formats.cell import (
    EMPTY_BATCH,
    batch_of_truncated,
    batch_text,
    cells_in,
    cells_of_truncated,
    decoded_string,
    fields_of,
    unwrapped,
)
from td_currents_cli.read.formats.json_arrays import has_batch_cell
from td_currents_cli.read.missing_column import columns_hint
from td_currents_cli.read.options import COLUMN, looks_like_batch
from td_currents_cli.read.scanner import is_json
from td_currents_cli.suggestions import nearest

SEVERAL_DOCUMENTS: Final = b"several"
"""Stands for a line with more than one document, the first of which may be a row. Compare with `is`."""

_ARRAY_OF_EVENTS: Final = pattern(rb'\{\s*"events"\s*:\s*\[(?!\s*")')
_ARRAY_OF_STRINGS: Final = pattern(rb'"events"\s*:\s*\[\s*"')
_EVENT_KEY: Final = pattern(rb'"event(?:s|_type)"\s*:')


class _StringRow(msgspec.Struct):
    events: str | UnsetType | None = UNSET


_string_row: Final = msgspec.json.Decoder(_StringRow)
_any_row: Final = msgspec.json.Decoder(dict[str, Any])
_raw_cells: Final = msgspec.json.Decoder(dict[str, Raw])
_string_or_null: Final = msgspec.json.Decoder(str | None)


def batch_of_row(document: bytes, column: str = COLUMN) -> bytes | None:
    """Return the batch in the `events` column (or another) of an ingested row, a string or null; or SEVERAL_DOCUMENTS.

    None for anything else: a payload, a bare event, or what is malformed; `events.decode` finds out which.
    """
    if _ARRAY_OF_EVENTS.match(document) or (column == COLUMN and b'"events"' not in document):
        return None
    events: str | UnsetType | None = UNSET
    try:
        if column == COLUMN:
            events = _string_row.decode(document).events
        elif (cell := _raw_cells.decode(document).get(column)) is not None:
            events = _string_or_null.decode(cell)
    except msgspec.ValidationError:
        return _batch_of_strings(document) if column == COLUMN and _ARRAY_OF_STRINGS.search(document) else None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        if "trailing characters" in str(error):
            return SEVERAL_DOCUMENTS
        # msgspec stops at a lone surrogate.
        text = fields_of(document).get(column, b"") if b"\\u" in document else b""
        if text == b"null":
            return EMPTY_BATCH
        with suppress(ValueError):
            events = decoded_string(text) if text.startswith(b'"') else UNSET
    if events is None:
        return EMPTY_BATCH
    return None if events is UNSET else batch_text(events)


def _batch_of_strings(document: bytes) -> bytes | None:
    """Return the events of a row whose cell is a native array of JSON strings."""
    try:
        batch = unwrapped(bytes(_raw_cells.decode(document)[COLUMN]))
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    # A string that is not an event is one element of an invalid payload.
    return batch if batch.startswith(b"[{") else None


def column_of(document: bytes) -> str | None:
    """Return the name of the first column of a row that looks like a batch, where none is called `events`."""
    if _EVENT_KEY.search(document):
        return None
    try:
        cells = _any_row.decode(document)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return next((name for name, cell in cells.items() if isinstance(cell, str) and looks_like_batch(cell)), None)


_PAYLOAD_START: Final = pattern(rb'\{\s*"events"\s*:\s*\[')
_FIELD_AFTER_ARRAY: Final = pattern(rb'\]\s*,\s*"')
_BATCH_FIELD: Final = pattern(rb':\s*"?\s*(?:\[\s*(?:\\?"\s*)?\{|\{\s*\\?"events\\?"\s*:)')
_OBJECTS: Final = pattern(rb"\[\s*\{")
_EVENT_TYPE: Final = "event_type"
_EVENT_START: Final = b'{"event_type":'


class JsonRow(Struct, frozen=True):
    """An ingested row that is a JSON object."""

    column: str  # with the batch
    cell: bytes | None  # the batch as it stands; None where the row does not have the column
    is_truncated: bool = False  # in its batch or after it
    others: tuple[str, ...] = ()  # the columns that the row has instead
    may_be_payload: bool = False  # with a mistyped name

    def records(self, text: bytes, place: Location) -> Iterator[Record]:
        """Yield the batch of the row, given its text and place."""
        if self.cell is None:
            message, hint = f"the row has no column `{self.column}`", columns_hint(self.column, self.others)
            return iter([Problem(code=Code.BAD_ROW, location=place, message=message, hint=hint, raw=text)])
        if self.is_truncated:
            return batch_of_truncated(self.cell, text, place)
        batch = Batch(unwrapped(self.cell), place)
        return iter([_misnamed(self.column, place), batch] if self.may_be_payload else [batch])


def _misnamed(column: str, place: Location) -> Problem:
    return Problem(
        code=Code.EVENTS_MISSING,
        severity=Severity.WARNING,
        location=place,
        message=f"the events are in `{column}`, not in `events`: read as an ingested row",
        hint=f"If this is a payload, rename `{column}` to `events`. If it is a row, use --column {column}.",
    )


SEVERAL_ROWS: Final = JsonRow("", b"")
"""Stands for a line with more than one document, the first of which may be a row. Compare with `is`."""


def json_row(document: bytes, column: str = COLUMN, *, ingested: bool = True) -> JsonRow | None:
    """Return the row that an object is; or SEVERAL_ROWS.

    It has that column; or it is complete, and one of its cells looks like a batch, which is a problem if another column
    was named. None for a payload, which has nothing but `events`, for an event, and for what is malformed but not
    truncated. If payloads are expected (not `ingested`), also None for one with further fields or with another name
    than `events`, and for what is truncated; an object in `events` is a cell only next to the `time` that Treasure
    Data's rows have.
    """
    if (not ingested and _OTHER_START.match(document)) or _is_something_else(document, column):
        return None
    is_truncated = False
    try:
        cells = {name: bytes(cell) for name, cell in _raw_cells.decode(document).items()}
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        if "trailing characters" in str(error):
            return SEVERAL_ROWS
        is_truncated = not is_json(document)
        cells = dict(cells_of_truncated(document) if is_truncated else cells_in(document))
    is_missing = column not in {COLUMN, *cells} and not is_truncated
    if is_missing and _batch_column(cells, COLUMN, is_truncated=False) is not None:
        return JsonRow(column, None, others=tuple(cells))
    name = _batch_column(cells, column, is_truncated=is_truncated)
    if name is None:
        return None
    may_be_payload = name != column and not is_truncated and _may_be_payload(cells, name)
    is_cell_of_events = name == COLUMN and cells[name].startswith(b"{") and "time" in cells
    if not ingested and (is_truncated or may_be_payload or (name == COLUMN and not is_cell_of_events)):
        return None
    return JsonRow(name, cells[name], is_truncated, may_be_payload=may_be_payload)


def _may_be_payload(cells: Mapping[str, bytes], name: str) -> bool:
    """Whether an array of events may be that of a payload with a mistyped name: no row has the time of receipt."""
    is_alone = len(cells) == 1 or nearest(name, (COLUMN,), separator="_") is not None
    return is_alone and _OBJECTS.match(cells[name]) is not None and "time" not in map(str.lower, cells)


def _is_row(cells: Mapping[str, bytes], column: str) -> bool:
    """Whether an object has that column, and is not a payload."""
    return column in cells and (len(cells) > 1 or cells[column].startswith(b'"'))


def _batch_column(cells: Mapping[str, bytes], column: str, *, is_truncated: bool) -> str | None:
    if column in cells:
        return column if column != COLUMN or _is_row(cells, column) else None
    if is_truncated or COLUMN in cells or _EVENT_TYPE in cells:
        # What is truncated may have been an event whose type came last.
        return None
    # Any array of objects looks like a batch.
    return next((name for name, cell in cells.items() if b"event_type" in cell and looks_like_batch(cell)), None)


def _is_something_else(document: bytes, column: str) -> bool:
    """Whether this is quickly seen to be a payload or an event: they are the most common, and payloads the largest."""
    if column != COLUMN or not document.startswith(b"{"):
        return not document.startswith(b"{")
    if _PAYLOAD_START.match(document):
        return _FIELD_AFTER_ARRAY.search(document) is None
    if b'"events"' in document:
        return False
    return document.startswith(_EVENT_START) or _BATCH_FIELD.search(document) is None


class WrappedRows(Struct, frozen=True):
    """Rows within an object."""

    text: bytes  # an array of rows, or an object whose values are rows
    names: bytes | None = None  # array of the columns' names, where rows are arrays: pandas' `orient="split"`
    by_column: bool = False  # whether the object contains columns instead: pandas' `orient="columns"`


_MAX_DEPTH: Final = 3
_EXAMINED: Final = 10  # rows: the first ones may be empty


def wrapped_rows(document: bytes) -> list[WrappedRows]:
    """Find the rows or payloads within an object that is not a row, a payload or an event itself."""
    return _rows_within(document, _MAX_DEPTH) if document.startswith(b"{") and not _OTHER_START.match(document) else []


_OTHER_START: Final = pattern(rb'\{\s*"(?:event_type"\s*:|events"\s*:\s*["\[])')


def _rows_within(text: bytes, depth: int) -> list[WrappedRows]:
    fields = fields_of(text)
    if not fields or _EVENT_TYPE in fields or fields.get(COLUMN, b"{").startswith((b'"', b"[")):
        return []
    found = [WrappedRows(cell, fields.get("columns")) for cell in fields.values() if _are_rows(cell)]
    if found:
        return found
    objects = [cell for cell in fields.values() if cell.startswith(b"{")]
    if len(objects) == len(fields):
        if any(_is_column(cell) for cell in objects):
            return [WrappedRows(text, by_column=True)]
        if any(_has_batch(cell) for cell in objects[:_EXAMINED]):
            return [WrappedRows(text)]
    return [rows for cell in objects for rows in _rows_within(cell, depth - 1)] if depth > 1 else []


def _are_rows(cell: bytes) -> bool:
    return cell.startswith(b"[") and any(_has_batch(row) for _, row in islice(cells_in(cell), _EXAMINED))


def _has_batch(row: bytes) -> bool:
    """Whether this is a row, an object or an array, or a payload."""
    if row.startswith(b"["):
        return has_batch_cell(row)
    if not row.startswith(b"{"):
        return False
    is_payload = _ARRAY_OF_EVENTS.match(row) is not None
    return is_payload or batch_of_row(row) is not None or column_of(row) is not None or json_row(row) is not None


def _is_column(cell: bytes) -> bool:
    """Whether all values of an object are batches, or nothing."""
    if _ARRAY_OF_EVENTS.match(cell) or batch_of_row(cell) is not None:
        return False
    cells = [row for _, row in islice(cells_in(cell), _EXAMINED) if row not in {b"null", b'""'}]
    return bool(cells) and all(row.startswith(b'"') and has_batch_cell(b"[%b]" % row) for row in cells)
