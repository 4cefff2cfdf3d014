"""CSV rows that end in the middle of their batch: a file that was cut, a column limit that counts bytes."""

import csv
from typing import Final

from td_currents_cli.read.rows.torn import torn
from td_currents_cli.read.scanner import is_json

_EVENT: Final = b"event_type"


def torn_batch(text: bytes, column: int, width: int, *, may_be_whole: bool = False) -> bytes | None:
    """What a row has of its batch, where that is what is cut off and holds a whole event; else None.

    Args:
        text: of a row that has a quote left open, or is not UTF-8.
        column: place of the batch, from 0.
        width: how many cells a row has.
        may_be_whole: whether it is certain that the row is cut off, in its batch or after it.
    """
    try:
        cells = next(csv.reader([text.decode(errors="surrogateescape")]), [])
    except csv.Error:
        return None
    # The cells that follow are there only where the cell was cut, not the file.
    if len(cells) not in ({column + 1, width} if not may_be_whole else range(column + 1, width + 1)):
        return None
    try:
        "".join([*cells[:column], *cells[column + 1 :]]).encode()
        cell = cells[column].strip().encode(errors="surrogateescape")
    except UnicodeEncodeError:
        return None
    if may_be_whole and is_json(cell):
        return cell if _EVENT in cell else None
    left = torn(cell) if is_cut_utf8(cell) else None
    return cell if left is not None and any(_EVENT in element for element in left.elements) else None


def is_cut_utf8(text: bytes) -> bool:
    """Whether a text is UTF-8, but for a last character of which not all bytes are there."""
    try:
        text.decode()
    except UnicodeDecodeError as error:
        return error.reason == "unexpected end of data"
    return True
