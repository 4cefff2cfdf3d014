"""Ingested rows as `td query` draws them on the terminal: cells between `|`, lines of `+---+` around them."""

from collections.abc import Iterator
from typing import Final

from td_currents_cli.model import Batch, Code, Location, Problem, Record
from td_currents_cli.patterns import pattern
from td_currents_cli.read.formats.cell import batch_text
from td_currents_cli.read.missing_column import columns_hint
from td_currents_cli.read.options import FormatCallback, ReadOptions, SourceFormat, looks_like_batch
from td_currents_cli.read.received import TIME, received
from td_currents_cli.read.scanner import Scanner, is_json

_BORDER: Final = pattern(rb"\+[-+]+\+\s*")
_BORDERS: Final = 3  # above the names, below them, and at the end
_ELLIPSIS: Final = "..."


def is_table_border(line: bytes) -> bool:
    return _BORDER.fullmatch(line) is not None


def terminal_table_rows(
    scanner: Scanner, source: str, options: ReadOptions, on_format: FormatCallback
) -> Iterator[Record]:
    """Yield a batch for each row; the scanner is at the upper border.

    Nothing in a cell is escaped: only batches in the last column may contain ` | `.
    """
    names: list[str] = []
    row, borders = 0, 0
    column: int | None = None
    while scanner.head(1):
        place = Location(source=source, line=scanner.line, row=row + 1, offset=scanner.offset)
        line = scanner.take_line().rstrip()
        if is_table_border(line):
            # Another table may follow.
            borders = borders % _BORDERS + 1
            continue
        if borders == _BORDERS:
            continue
        text = line.decode(errors="surrogateescape").removeprefix("|").removesuffix("|")
        cells = [cell.strip() for cell in text.split(" | ", max(len(names) - 1, 0) if names else -1)]
        if borders == 1:
            names = cells
            column = options.index_of(names)
            if column is not None:
                on_format(_format_with(names, column))
            continue
        row += 1
        if column is None and options.column is None:
            column = next((index for index, cell in enumerate(cells) if looks_like_batch(cell)), None)
            if column is not None and column < len(names):
                on_format(_format_with(names, column))
        if column is None or len(cells) != len(names):
            yield _bad_row(names, options, place, line, is_known=column is not None)
        else:
            record = Batch(_batch_in(cells[column]), place)
            time = dict(zip(names, cells, strict=True)).get(TIME)
            yield record if options.received is None else received(record, time)


def _bad_row(names: list[str], options: ReadOptions, place: Location, line: bytes, *, is_known: bool) -> Problem:
    """Return the problem of a row, given whether the column of the batches is known."""
    message, hint = "the row does not have the cells of the header", ""
    if not is_known and options.column is not None:
        message, hint = f"the row has no column `{options.column}`", columns_hint(options.column, names)
    elif not is_known:
        message = "no cell of the row contains a batch"
    return Problem(code=Code.BAD_ROW, location=place, message=message, hint=hint, raw=line)


def _batch_in(cell: str) -> bytes:
    """Return the batch of a cell: the `td` gem draws tables up to 10,000 characters wide, and truncates cells."""
    batch = batch_text(cell)
    return batch_text(cell.removesuffix(_ELLIPSIS)) if cell.endswith(_ELLIPSIS) and not is_json(batch) else batch


def _format_with(names: list[str], column: int) -> SourceFormat:
    return SourceFormat(form="terminal table", column=names[column], number=column + 1, header=True)
