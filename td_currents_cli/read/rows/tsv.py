"""Ingested rows as cells joined with TAB, without any quotes or escapes: `td query -f tsv`, table exports.

JSON text on one line holds no raw TAB and no line end, so that a line is a row whatever is in its batch.
"""

from collections.abc import Iterator
from typing import Final

from td_currents_cli.codes import Code
from td_currents_cli.model import Batch, Location, Problem, Record
from td_currents_cli.read.rows.cell import EMPTY_BATCH, NOTHING_IN_BYTES, other_width, unwrapped
from td_currents_cli.read.rows.torn import torn
from td_currents_cli.read.scanner import SPACE, Scanner, is_json

_MORE_JSON: Final = (b"{", b"[", b"]", b",")


def begins_with_batch(line: bytes) -> bool:
    """Whether a line that begins as JSON does is a row whose first cell is a batch: a value that is no JSON follows."""
    cell, tab, rest = line.partition(b"\t")
    if cell.startswith(b'"') and not cell.startswith((b'"[', b'"{')):
        return False
    return bool(tab) and rest.lstrip(SPACE)[:1] not in {b"", *_MORE_JSON} and is_json(cell)


def rows(scanner: Scanner, source: str, column: int, width: int) -> Iterator[Record]:
    """A batch for each line that is left; a problem, with the line in `raw`, for each that has other cells.

    Args:
        scanner: stands at the first row.
        source: its name.
        column: place of the batch in a row, from 0.
        width: how many cells a row has.
    """
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
            # The failure that tore the last row is reported, not the tear.
            return
        elif len(cells) == width:
            text = cells[column].strip()
            yield Batch(EMPTY_BATCH if text in NOTHING_IN_BYTES else unwrapped(text), place)
        else:
            message = other_width(len(cells), width)
            yield Problem(code=Code.BAD_ROW, location=place, message=message, raw=line)


def _last_batch(cells: list[bytes], *, failed: bool) -> bytes | None:
    """What the last row of a source has of its batch, if it is cut off there, or after it where a failure did that.

    Args:
        cells: of the row, from the batch on.
        failed: whether the source could not be read to its end.
    """
    if not cells or (len(cells) > 1 and not failed):
        return None
    batch = unwrapped(cells[0].strip())
    left = torn(batch)
    is_cut = left is not None and (failed or bool(left.elements))
    return batch if is_cut or (failed and batch not in NOTHING_IN_BYTES and is_json(batch)) else None
