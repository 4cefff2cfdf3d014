"""Detection of tables: CSV or TSV, with or without a header, and which column contains the batches."""

import csv
import re
from collections.abc import Iterator
from io import StringIO
from itertools import islice
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from td_currents_cli.read.formats.flat import is_escaped, unescaped
from td_currents_cli.read.options import InputFormat, ReadOptions, SourceFormat, looks_like_batch
from td_currents_cli.read.scanner import Scanner

_NAME: Final = re.compile(r"[^\W\d][\w.$ -]*")
_QUOTED_NAME: Final = re.compile(r'(?:^|,)"event_type"(?:,|\r?$)', re.MULTILINE)
_SAMPLE_ROWS: Final = 100  # rows in which a batch is looked for: the first ones may be empty


class Table(Struct, frozen=True, kw_only=True):
    """The layout of a CSV or TSV table."""

    is_tsv: bool  # TABs separate cells, and nothing is quoted
    names: list[str]  # of the columns; empty strings where there is no header
    column: int | None  # index of the column with the batches; None where each row is an event
    header: bool
    escaped: bool = False  # whether the cells are; see `unescaped`
    quoted: bool = False  # whether quotes tell strings from null

    @property
    def source_format(self) -> SourceFormat:
        number = None if self.column is None else self.column + 1
        name = self.names[self.column] if self.header and self.column is not None else None
        return SourceFormat(form="TSV" if self.is_tsv else "CSV", column=name, number=number, header=self.header)


def has_returns_alone(sample: bytes) -> bool:
    """Whether all line ends are those of classic Mac OS."""
    return b"\n" not in sample and b"\r" in sample.rstrip(b"\r")


def table_of(scanner: Scanner, options: ReadOptions) -> Table | None:
    """Detect the table that comes next in the scanner; None for anything else."""
    sample = scanner.sample().decode(errors="replace")
    # Strings that were encoded again are quoted in TSV, too: between TABs. JSON has TABs only as white space.
    has_tab = "\t" in sample.partition("\n")[0]
    for is_tsv in (has_tab, not has_tab):
        if options.form in {InputFormat.AUTO, InputFormat.TSV if is_tsv else InputFormat.CSV}:
            rows = list(islice(_rows(sample, is_tsv=is_tsv), _SAMPLE_ROWS))
            if is_tsv and _has_separator_at_end(rows):
                rows[0].pop()
            if rows and (table := _table(rows, options, is_tsv=is_tsv)) is not None:
                # Whoever quotes this name quotes every string, or everything.
                return replace(table, quoted=not is_tsv and not _QUOTED_NAME.search(sample.partition("\n")[0]))
    return None


def _has_separator_at_end(rows: list[list[str]]) -> bool:
    """Whether a TAB follows the last name, as in old versions of `td query -f tsv -c`."""
    width = len(rows[0]) - 1 if rows and not rows[0][-1] else 0
    return width > 0 and len(rows) > 1 and all(len(row) == width for row in rows[1:])


def _table(rows: list[list[str]], options: ReadOptions, *, is_tsv: bool) -> Table | None:
    first = rows[0]
    may_be_names = options.header is not False and _are_names(first, options)
    names = first if may_be_names else [""] * len(first)
    column = _column(rows, options, may_be_names=may_be_names)
    if column is None:
        is_flat = may_be_names and options.column is None and "event_type" in first
        return _flat(rows, is_tsv=is_tsv) if is_flat else None
    if not is_tsv and len(first) == 1 and options.form is InputFormat.AUTO and _is_unquoted(rows[-1]):
        return None
    return Table(is_tsv=is_tsv, names=names, column=column, header=may_be_names)


def _flat(rows: list[list[str]], *, is_tsv: bool) -> Table:
    escaped = is_tsv and is_escaped(rows)
    names = list(map(unescaped, rows[0])) if escaped else rows[0]
    return Table(is_tsv=is_tsv, names=names, column=None, header=True, escaped=escaped)


def _are_names(cells: list[str], options: ReadOptions) -> bool:
    if any("\ufffd" in cell for cell in cells):
        # The replacement for bytes that are not UTF-8.
        return False
    is_named = not isinstance(options.column, int) and options.index_of(cells) is not None
    return is_named or "event_type" in cells or ("null" not in cells and all(map(_NAME.fullmatch, cells)))


def _column(rows: list[list[str]], options: ReadOptions, *, may_be_names: bool) -> int | None:
    first = rows[0]
    if isinstance(options.column, int) or may_be_names:
        column = options.index_of(first)
        if column is not None and isinstance(options.column, int) and options.form is InputFormat.AUTO:
            # A number also fits lines that were split in the wrong way.
            return column if any(looks_like_batch(cell) for row in rows for cell in row[column : column + 1]) else None
        if column is not None or options.column is not None:
            return column
    if options.column is not None or "event_type" in first:
        return None
    cells = ((index, cell) for row in rows if len(row) == len(first) for index, cell in enumerate(row))
    return next((index for index, cell in cells if looks_like_batch(cell)), None)


def _is_unquoted(row: list[str]) -> bool:
    """Whether JSON was split at its commas: a single column of TSV, taken for CSV."""
    return len(row) > 1 and looks_like_batch(row[0])


def _rows(sample: str, *, is_tsv: bool) -> Iterator[list[str]]:
    if is_tsv:
        yield from (line.removesuffix("\r").split("\t") for line in sample.split("\n") if line.strip("\r"))
        return
    try:
        for row in csv.reader(StringIO(sample, newline="")):
            if row:
                yield row
    except csv.Error:
        return
