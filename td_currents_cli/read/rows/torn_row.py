"""CSV rows that end within their batch: a truncated file, or a column limit that counts bytes."""

import csv
from typing import Final

from td_currents_cli.read.rows.torn import truncated_array
from td_currents_cli.read.scanner import is_json

_EVENT_TYPE: Final = b"event_type"


def truncated_csv_batch(text: bytes, column: int, width: int, *, is_truncated_row: bool = False) -> bytes | None:
    """Return what is left of the batch of a truncated row, if it contains a complete event; else None.

    The row has an open quote, or is not UTF-8; `is_truncated_row` if it is certainly truncated, in its batch or later.
    """
    try:
        cells = next(csv.reader([text.decode(errors="surrogateescape")]), [])
    except csv.Error:
        return None
    # The cells after the batch are there only where the cell was truncated, not the file.
    if len(cells) not in (range(column + 1, width + 1) if is_truncated_row else {column + 1, width}):
        return None
    try:
        "".join([*cells[:column], *cells[column + 1 :]]).encode()
        cell = cells[column].strip().encode(errors="surrogateescape")
    except UnicodeEncodeError:
        return None
    if is_truncated_row and is_json(cell):
        return cell if _EVENT_TYPE in cell else None
    left = truncated_array(cell) if is_truncated_utf8(cell) else None
    return cell if left is not None and any(_EVENT_TYPE in element for element in left.elements) else None


def is_truncated_utf8(text: bytes) -> bool:
    """Whether a text is UTF-8, except that bytes of its last character may be missing."""
    try:
        text.decode()
    except UnicodeDecodeError as error:
        return error.reason == "unexpected end of data"
    return True
