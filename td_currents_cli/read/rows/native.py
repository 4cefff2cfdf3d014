"""Ingested rows as JSON objects whose cell is no text but an array or an object itself; and such rows cut off.

`{"time":1790000000,"events":[…]}` is a row when it comes from Treasure Data, and a payload with a member too many when
it is about to be sent there: nothing in it tells. Which of them is meant, who reads says (`ReadOptions.ingested`).
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final

import msgspec
from msgspec import Raw, Struct

from td_currents_cli.codes import Code
from td_currents_cli.model import Batch, Location, Problem, Record
from td_currents_cli.read.options import COLUMN, looks_like_batch
from td_currents_cli.read.rows.cell import unwrapped
from td_currents_cli.read.rows.cut import batch_of_cut, cells_in, cells_of_cut
from td_currents_cli.read.scanner import is_json

_PAYLOAD_START: Final = re.compile(rb'\{\s*"events"\s*:\s*\[')
_MEMBER_AFTER_ARRAY: Final = re.compile(rb'\]\s*,\s*"')
_BATCH_MEMBER: Final = re.compile(rb':\s*"?\s*(?:\[\s*(?:\\?"\s*)?\{|\{\s*\\?"events\\?"\s*:)')
_EVENT_TYPE: Final = "event_type"
_EVENT_START: Final = b'{"event_type":'
_MEMBERS: Final = msgspec.json.Decoder(dict[str, Raw])


class Native(Struct, frozen=True):
    """A row.

    Attributes:
        column: the name of the column with the batch.
        cell: it, as it stands; None where the row does not have it.
        is_cut: whether the row is cut off, in its batch or after it.
    """

    column: str
    cell: bytes | None
    is_cut: bool = False

    def records(self, text: bytes, place: Location) -> Iterator[Record]:
        """The batch of the row, given its text and place."""
        if self.cell is None:
            message = f"the row has no column `{self.column}`"
            return iter([Problem(code=Code.BAD_ROW, location=place, message=message, raw=text)])
        if self.is_cut:
            return batch_of_cut(self.cell, text, place)
        return iter([Batch(unwrapped(self.cell), place)])


SEVERAL: Final = Native("", b"")
"""Stands for a text that holds more than one document, the first of which may be a row. Compare with `is`."""


def row_of(document: bytes, column: str = COLUMN) -> Native | None:
    """The row that an object is; or SEVERAL.

    It has that column; or it is whole, and one of its cells looks like a batch; or it has `events`, and not the column
    that was named instead.

    None for a payload, which has nothing but `events`, for an event, and for what is malformed but not cut off.
    """
    if _is_something_else(document, column):
        return None
    is_cut = False
    try:
        members = {name: bytes(cell) for name, cell in _MEMBERS.decode(document).items()}
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        if "trailing characters" in str(error):
            return SEVERAL
        is_cut = not is_json(document)
        members = dict(cells_of_cut(document) if is_cut else cells_in(document))
    if not is_cut and column not in members and _is_row(members, COLUMN):
        return Native(column, None)
    name = _column(members, column, is_cut=is_cut)
    return None if name is None else Native(name, members[name], is_cut)


def _is_row(members: Mapping[str, bytes], column: str) -> bool:
    """Whether an object has that column, and is no payload."""
    return column in members and (len(members) > 1 or members[column].startswith(b'"'))


def _column(members: Mapping[str, bytes], column: str, *, is_cut: bool) -> str | None:
    if column in members:
        return column if column != COLUMN or _is_row(members, column) else None
    if is_cut or COLUMN in members or _EVENT_TYPE in members:
        # What is cut off may have been an event whose type came last.
        return None
    return next((name for name, cell in members.items() if _is_batch(cell)), None)


def _is_something_else(document: bytes, column: str) -> bool:
    """Whether a glance tells that this is a payload or an event: they are the most common, and payloads the largest."""
    if column != COLUMN or not document.startswith(b"{"):
        return not document.startswith(b"{")
    if _PAYLOAD_START.match(document):
        return _MEMBER_AFTER_ARRAY.search(document) is None
    if b'"events"' in document:
        return False
    return document.startswith(_EVENT_START) or _BATCH_MEMBER.search(document) is None


def _is_batch(cell: bytes) -> bool:
    """Whether a cell begins as a batch does, and has an event: any array of objects begins like that."""
    return b"event_type" in cell and looks_like_batch(cell)
