"""Truncated JSON rows, objects or arrays: the last one of a truncated file."""

import json
from collections.abc import Iterator
from io import BytesIO
from typing import Final

from td_currents_cli.model import Batch, Code, Location, Problem, Record
from td_currents_cli.read.rows.cell import unwrapped
from td_currents_cli.read.rows.torn import is_truncated
from td_currents_cli.read.scanner import Scanner, is_json

_BATCHES: Final = (b'"', b"[", b"{")


def cells_of_truncated(text: bytes) -> list[tuple[str, bytes]]:
    """Return the names and cells of a truncated object or array; the last cell may be incomplete.

    The names are empty for an array. There are no cells for anything else, or what is malformed in any other way.
    """
    return list(cells_in(text)) if text.startswith((b"{", b"[")) and is_truncated(text) else []


def batch_of_truncated(cell: bytes, text: bytes, place: Location) -> Iterator[Record]:
    """Yield the batch in a cell of a truncated row, and a note where the row is truncated only after it."""
    if not cell.startswith(_BATCHES):
        yield Problem(code=Code.BAD_ROW, location=place, message="the row is truncated before its batch", raw=text)
        return
    batch = unwrapped(cell)
    yield Batch(batch, place)
    if is_json(batch):
        yield truncated_after_batch(place)


def truncated_after_batch(place: Location) -> Problem:
    """Return the problem of a row whose batch is complete: it rejects nothing."""
    message = "the row is truncated after its batch; the batch is complete"
    return Problem(code=Code.BAD_ROW, location=place, message=message)


def cells_in(text: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield the fields of an object, or the elements of an array with empty names, up to its end or its first error."""
    scanner, has_names = Scanner(BytesIO(text)), text.startswith(b"{")
    scanner.head(1)
    scanner.skip(1)
    while scanner.next_byte():
        name = _take_name(scanner) if has_names else ""
        if name is None:
            return
        scanner.next_byte()
        begin = scanner.offset
        cell = scanner.take_value()
        yield name, text[begin:] if cell is None else cell
        if cell is None or scanner.next_byte() != b",":
            return
        scanner.skip(1)


def _take_name(scanner: Scanner) -> str | None:
    name = scanner.take_value() or b""
    if not name.startswith(b'"') or scanner.next_byte() != b":":
        return None
    scanner.skip(1)
    try:
        return str(json.loads(name))
    except ValueError:
        return ""
