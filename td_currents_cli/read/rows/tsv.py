"""Ingested rows as cells joined with TAB, without quotes or escapes: `td query -f tsv`, table exports.

JSON text on one line contains no raw TAB and no line end, so that each line is a row.
"""

import re
from collections.abc import Iterator
from typing import Final

from td_currents_cli.model import Batch, Code, Location, Problem, Record
from td_currents_cli.read.rows.cell import EMPTY_BATCH, NULL_BYTES, unwrapped, wrong_width
from td_currents_cli.read.rows.quotes import undoubled
from td_currents_cli.read.rows.torn import truncated_array
from td_currents_cli.read.scanner import SPACE, Scanner, is_json

_MORE_JSON: Final = (b"{", b"[", b"]", b",")

_QUOTED: Final = re.compile(rb'"\s*(?:\[\s*\{|\[\s*(?="")|\{)\s*""')
"""A quoted cell; JSON that was encoded again has backslashes before its quotes."""


def begins_with_batch(line: bytes) -> bool:
    """Whether a line that begins like JSON is a row whose first cell is a batch: what follows is not JSON."""
    cell, tab, rest = line.partition(b"\t")
    if cell.startswith(b'"') and not cell.startswith((b'"[', b'"{')):
        return False
    return bool(tab) and rest.lstrip(SPACE)[:1] not in {b"", *_MORE_JSON} and is_json(cell)


def tsv_rows(scanner: Scanner, source: str, column: int, width: int) -> Iterator[Record]:
    """Yield a batch for each line that is left; a problem, with the line in `raw`, for each of the wrong width."""
    row = 0
    while scanner.head(1):
        place = Location(source=source, line=scanner.line, row=row + 1, offset=scanner.offset)
        line = scanner.take_line().removesuffix(b"\r")
        if not line:
            continue
        row += 1
        cells = line.split(b"\t")
        if scanner.at_end and (batch := _last_batch(cells[column:], failed=scanner.failure is not None)) is not None:
            yield Batch(batch, place)
        elif scanner.failure is not None and scanner.at_end:
            # The failure that truncated the last row is reported instead.
            return
        elif len(cells) == width:
            text = _unquoted(cells[column])
            yield Batch(EMPTY_BATCH if text in NULL_BYTES else unwrapped(text), place)
        else:
            yield Problem(code=Code.BAD_ROW, location=place, message=wrong_width(len(cells), width), raw=line)


def _unquoted(cell: bytes) -> bytes:
    """Remove the quotes that a spreadsheet puts around a cell, and double ones in it."""
    text = cell.strip()
    return undoubled(text[1:].removesuffix(b'"')) if _QUOTED.match(text) else text


def _last_batch(cells: list[bytes], *, failed: bool) -> bytes | None:
    """Return the batch of the last row, from its cell and those after it, if it is truncated; else None.

    Where the source could not be read to its end (`failed`), the row may be truncated after its batch.
    """
    if not cells or (len(cells) > 1 and not failed):
        return None
    batch = unwrapped(_unquoted(cells[0]))
    left = truncated_array(batch)
    has_some = left is not None and (failed or bool(left.elements))
    return batch if has_some or (failed and batch not in NULL_BYTES and is_json(batch)) else None
