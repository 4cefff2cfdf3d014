"""Detection of tables: what separates and quotes their cells, the header, and which column contains the batches."""

import csv
from collections.abc import Iterator
from itertools import chain, islice
from typing import Final

from msgspec.structs import replace

from td_currents_cli.patterns import pattern
from td_currents_cli.read.formats.cell import NULL_BYTES, NULLS, Unescaper, cells_around_batch, relaxed_cells
from td_currents_cli.read.formats.delimited import Table, cell_batch, cells_of_line, separator_of
from td_currents_cli.read.formats.flat import is_escaped, unescaped
from td_currents_cli.read.formats.share import is_share
from td_currents_cli.read.options import InputFormat, ReadOptions, looks_like_batch
from td_currents_cli.read.scanner import LONGEST_PEEK, Scanner, is_json

_NAME: Final = pattern(r"(?:#\s*)?[\s\[(`']*[^\W\d][^\"{}\\\ufffd]{0,127}")
"""Names may have blanks and brackets, unlike JSON; U+FFFD stands for bytes that are not UTF-8."""

_QUOTED_NAME: Final = pattern(rb'(?:^|,)"event_type"(?:,|\r?$)')
_SAMPLE_ROWS: Final = 100  # rows in which a batch is looked for: the first ones may be empty

_TAB: Final = (b"\t", False)
_COMMA: Final = (b",", True)
_OTHERS: Final = ((b";", True), (b"|", False), (b"|", True), (b"\x01", False), (b"\t", True))
"""Separators, and whether cells are quoted; without quotes, a quoted batch is recognized, but not with line ends."""


def table_of(scanner: Scanner, options: ReadOptions) -> Table | None:
    """Detect the table that comes next in the scanner; None for anything else.

    Of several that it may be, it is the one with the most rows that have a batch, or nothing, where it should be.
    """
    sample = scanner.sample()
    if len(sample) >= LONGEST_PEEK:
        # The last line is not there to its end.
        sample = sample[: sample.rfind(b"\n") + 1] or sample
    line, _, rest = sample.partition(b"\n")
    if (separator := separator_of(line)) is not None:
        line, sample = rest.partition(b"\n")[0], rest
    best, most = None, (-1, 0)
    for mark, is_quoted in _layouts(line, options.form):
        if separator not in {None, mark}:
            continue
        rows = list(islice(_rows(sample, mark, is_quoted=is_quoted), _SAMPLE_ROWS))
        if mark == b"\t" and _has_separator_at_end(rows):
            rows[0].pop()
        table = _table(rows, options, mark, is_quoted=is_quoted) if rows else None
        if table is None:
            continue
        fitting = sum(_fits(row, table) for row in rows[table.header :])
        others = len(rows) - table.header - fitting
        if (fitting, -others) > most:
            best, most = table, (fitting, -others)
        if fitting and not others:
            break
    if best is None:
        return None
    # Whoever quotes this name quotes every string, or everything.
    quotes_strings = best.is_quoted and best.separator == b"," and not _QUOTED_NAME.search(line)
    return replace(best, quotes_strings=quotes_strings, has_separator_line=separator is not None)


def names_of(scanner: Scanner, options: ReadOptions) -> list[str] | None:
    """Return the names of the columns of a table that does not have the requested one; None for anything else.

    They are empty where there is no header.
    """
    table = table_of(scanner, replace(options, column=None))
    return None if table is None else table.names


def _layouts(line: bytes, form: InputFormat) -> Iterator[tuple[bytes, bool]]:
    """Yield the layouts that a first line may have, the most probable ones first."""
    # Strings that were encoded again are quoted in TSV, too: between TABs. JSON has TABs only as white space.
    first = [_TAB, _COMMA] if b"\t" in line else [_COMMA, _TAB]
    others = [layout for layout in _OTHERS if layout[0] in line]
    for separator, is_quoted in [*first, *others]:
        if form is InputFormat.AUTO or (form is InputFormat.TSV) == (separator == b"\t"):
            yield separator, is_quoted


def _has_separator_at_end(rows: list[list[str]]) -> bool:
    """Whether a TAB follows the last name, as in old versions of `td query -f tsv -c`."""
    width = len(rows[0]) - 1 if rows and not rows[0][-1] else 0
    return width > 0 and len(rows) > 1 and all(len(row) == width for row in rows[1:])


def _table(rows: list[list[str]], options: ReadOptions, separator: bytes, *, is_quoted: bool) -> Table | None:
    first = rows[0]
    header = options.header is not False and _are_names(first, options)
    names = first if header else [""] * len(first)
    column = _column(rows, options, may_be_names=header)
    escaped: bool | None
    if column is None:
        if not header or options.column is not None or not _are_events(first):
            return None
        escaped = not is_quoted and is_escaped(rows)
        names = list(map(unescaped, names)) if escaped else names
    else:
        escaped = None if is_quoted else _are_escaped(rows[header:], column)
    return Table(separator=separator, is_quoted=is_quoted, names=names, column=column, header=header, escaped=escaped)


def _are_escaped(rows: list[list[str]], column: int) -> bool | None:
    """Whether the cells of a column have escapes of their backslashes; None where there are no backslashes."""
    found = set()
    for row in rows:
        if len(row) > column:
            unescape = Unescaper()
            cell_batch(row[column].encode(), unescape)
            found.add(unescape.escaped)
    return False if False in found else True if True in found else None


def _fits(row: list[str], table: Table) -> bool:
    if len(row) != len(table.names):
        return False
    if table.column is None:
        return True
    cell = row[table.column].strip().encode()
    if not table.is_quoted:
        cell = cell_batch(cell, Unescaper(escaped=table.escaped))
    return cell in NULL_BYTES or (looks_like_batch(cell) and is_json(cell))


def _are_names(cells: list[str], options: ReadOptions) -> bool:
    if any("\ufffd" in cell for cell in cells):
        return False
    is_named = not isinstance(options.column, int) and options.index_of(cells) is not None
    # The index of a pandas DataFrame has an empty name.
    others = cells[1:] if len(cells) > 1 and not cells[0] else cells
    return (
        is_named
        or "event_type" in cells
        or all(_NAME.fullmatch(cell) and cell not in NULLS and not is_json(cell.encode()) for cell in others)
    )


def _are_events(names: list[str]) -> bool:
    """Whether rows with these names are events."""
    return "event_type" in names or is_share(names)


def _column(rows: list[list[str]], options: ReadOptions, *, may_be_names: bool) -> int | None:
    first = rows[0]
    if isinstance(options.column, int) or may_be_names:
        column = options.index_of(first)
        if column is not None and isinstance(options.column, int) and options.form is InputFormat.AUTO:
            # A number also fits lines that were split in the wrong way.
            return column if any(looks_like_batch(cell) for row in rows for cell in row[column : column + 1]) else None
        if column is not None or options.column is not None:
            return column
    if options.column is not None or _are_events(first):
        return None
    cells = ((index, cell) for row in rows if len(row) == len(first) for index, cell in enumerate(row))
    return next((index for index, cell in cells if looks_like_batch(cell)), None)


def _rows(sample: bytes, separator: bytes, *, is_quoted: bool) -> Iterator[list[str]]:
    lines = iter(sample.split(b"\n"))
    for line in lines:
        text = line.removesuffix(b"\r").decode(errors="replace")
        if not text or not is_quoted:
            if text:
                yield [cell.decode() for cell in cells_around_batch(text.encode(), separator)]
            continue
        cells = cells_of_line(text.encode(), separator)
        if not cells and (text.count('"') % 2 == 0 or '\\"' in text):
            cells = relaxed_cells(text.encode(), separator)
        if not cells:
            # The row has line ends in its quotes.
            row = (each.decode(errors="replace") + "\n" for each in chain([line], lines))
            try:
                cells = next(csv.reader(row, delimiter=separator.decode()), [])
            except csv.Error:
                return
        yield cells
