"""Ingested rows as `td query` draws them on the terminal: cells between `|`, lines of `+---+` around them."""

import re
from collections.abc import Iterator
from typing import Final

from td_currents_cli.codes import Code
from td_currents_cli.model import Batch, Location, Problem, Record
from td_currents_cli.read.options import FormatCallback, ReadOptions, SourceFormat, looks_like_batch
from td_currents_cli.read.rows.cell import batch_text
from td_currents_cli.read.scanner import Scanner, is_json

_BORDER: Final = re.compile(rb"\+[-+]+\+\s*")


def is_boxed(line: bytes) -> bool:
    """Whether this is the upper edge of such a table."""
    return _BORDER.fullmatch(line) is not None


def rows(scanner: Scanner, source: str, options: ReadOptions, on_format: FormatCallback) -> Iterator[Record]:
    """A batch for each row. Nothing in a cell is escaped: the batches have to be in the last one to hold any ` | `.

    Args:
        scanner: stands at the upper edge.
        source: its name.
        options: which column holds the batches.
        on_format: told how the rows are read.
    """
    names: list[str] = []
    row, edges = 0, 0
    column: int | None = None
    while edges < _EDGES and scanner.head(1):
        place = Location(source=source, line=scanner.line, row=row + 1, offset=scanner.offset)
        line = scanner.take_line().rstrip()
        if is_boxed(line):
            edges += 1
            continue
        text = line.decode(errors="surrogateescape").removeprefix("|").removesuffix("|")
        cells = [cell.strip() for cell in text.split(" | ", max(len(names) - 1, 0) if names else -1)]
        if edges == 1:
            names = cells
            column = options.index_of(names)
            if column is not None:
                on_format(_shape(names, column))
            continue
        row += 1
        if column is None:
            column = next((index for index, cell in enumerate(cells) if looks_like_batch(cell)), None)
            if column is not None and column < len(names):
                on_format(_shape(names, column))
        if column is None or len(cells) != len(names):
            message = "the row has other cells than the table" if column is not None else "no cell holds a batch"
            yield Problem(code=Code.BAD_ROW, location=place, message=message, raw=line)
        else:
            yield Batch(_batch(cells[column]), place)


def _batch(cell: str) -> bytes:
    """The batch of a cell: the `td` gem has Hirb draw tables 10,000 characters wide, and cut off what is wider."""
    batch = batch_text(cell)
    return batch_text(cell.removesuffix(_CUT)) if cell.endswith(_CUT) and not is_json(batch) else batch


_CUT: Final = "..."


def _shape(names: list[str], column: int) -> SourceFormat:
    return SourceFormat(form="terminal table", column=names[column], number=column + 1, header=True)


_EDGES: Final = 3
"""Above the names, below them, and at the end."""
