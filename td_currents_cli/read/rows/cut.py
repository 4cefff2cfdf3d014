"""JSON rows, objects or arrays, that end in the middle: the last one of a file that was cut."""

import json
from collections.abc import Iterator
from io import BytesIO
from typing import Final

from td_currents_cli.codes import Code
from td_currents_cli.model import Batch, Location, Problem, Record
from td_currents_cli.read.rows.cell import unwrapped
from td_currents_cli.read.rows.torn import ends_too_early
from td_currents_cli.read.scanner import Scanner, is_json

_BATCHES: Final = (b'"', b"[", b"{")


def cells_of_cut(text: bytes) -> list[tuple[str, bytes]]:
    """The columns that there are of a row that is cut off: names, and cells as they stand, the last one whole or not.

    Args:
        text: an object, or an array, whose columns have empty names. What is no such thing, or is malformed in any
            other way, has none.
    """
    return list(cells_in(text)) if text.startswith((b"{", b"[")) and ends_too_early(text) else []


def batch_of_cut(cell: bytes, text: bytes, place: Location) -> Iterator[Record]:
    """The batch of a row that is cut off, and a remark where it is cut off only after its batch.

    Args:
        cell: its cell that holds the batch, as it stands, whole or not.
        text: the row.
        place: of the row.
    """
    if not cell.startswith(_BATCHES):
        yield Problem(code=Code.BAD_ROW, location=place, message="the row is cut off before its batch", raw=text)
        return
    batch = unwrapped(cell)
    yield Batch(batch, place)
    if is_json(batch):
        yield cut_after(place)


def cut_after(place: Location) -> Problem:
    """The remark on a row that is there up to the end of its batch, or further: it rejects nothing."""
    message = "the row is cut off after its batch, of which nothing is lost"
    return Problem(code=Code.BAD_ROW, location=place, message=message)


def cells_in(text: bytes) -> Iterator[tuple[str, bytes]]:
    """The members of an object, or the elements of an array with empty names, up to where it ends or is malformed."""
    scanner, has_names = Scanner(BytesIO(text)), text.startswith(b"{")
    scanner.head(1)
    scanner.skip(1)
    while scanner.next_byte():
        name = _name(scanner) if has_names else ""
        if name is None:
            return
        scanner.next_byte()
        begin = scanner.offset
        cell = scanner.take_value()
        yield name, text[begin:] if cell is None else cell
        if cell is None or scanner.next_byte() != b",":
            return
        scanner.skip(1)


def _name(scanner: Scanner) -> str | None:
    """The name of the next member, with its colon; None where it is not whole."""
    name = scanner.take_value() or b""
    if not name.startswith(b'"') or scanner.next_byte() != b":":
        return None
    scanner.skip(1)
    try:
        return str(json.loads(name))
    except ValueError:
        return ""
