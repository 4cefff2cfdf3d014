"""Rows of a result as the records that every verb reads."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import compress
from typing import Any

import orjson

from td_currents_cli.codes import Code
from td_currents_cli.model import Batch, Location, Problem, Record
from td_currents_cli.read.rows.cell import EMPTY_BATCH, batch_text


def batches(cells: Iterable[object], source: str) -> Iterator[Record]:
    """A batch for each row, given the cell that holds it: text, an array or an object as they are, or null.

    Args:
        cells: of the column with the batches.
        source: the table, as messages name it.
    """
    for row, cell in enumerate(cells, 1):
        place = Location(source=source, row=row)
        if isinstance(cell, str):
            yield Batch(batch_text(cell), place)
        elif cell is None:
            yield Batch(EMPTY_BATCH, place)
        elif isinstance(cell, list | dict):
            yield Batch(_json(cell), place)
        else:
            message = f"a cell with a batch is text, found {type(cell).__name__}"
            yield Problem(code=Code.BAD_ROW, location=place, message=message, raw=_json(cell))


def flat_events(rows: Iterable[Sequence[object]], columns: Sequence[str], source: str) -> Iterator[Record]:
    """A bare event for each row, given its cells; a column that is null is no member, as the connector leaves them out.

    Args:
        rows: their cells in the order of `columns`.
        columns: their names.
        source: the table, as messages name it.
    """
    for row, cells in enumerate(rows, 1):
        there = [cell is not None for cell in cells]
        event = dict(zip(compress(columns, there), compress(cells, there), strict=True))
        yield Batch(_json(event), Location(source=source, row=row))


def _json(value: Any) -> bytes:  # noqa: ANN401 -- what msgpack can hold
    return orjson.dumps(value, default=_plain, option=orjson.OPT_NON_STR_KEYS)


def _plain(value: object) -> str:
    """What msgpack holds and JSON does not: bytes, and the types of its own."""
    return value.decode(errors="backslashreplace") if isinstance(value, bytes) else str(value)
