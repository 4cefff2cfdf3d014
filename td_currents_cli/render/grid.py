"""Tables for a terminal, a pipe, or a Markdown page, and how they name groups of events."""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import datetime
from enum import Enum
from functools import partial
from itertools import accumulate, chain, takewhile
from typing import TYPE_CHECKING, Final, TypeVar

from msgspec import Struct, structs
from rich.cells import cell_len, chop_cells

from td_currents_cli.count.dimensions import EVENT_TYPE, Key, TimeUnit
from td_currents_cli.patterns import pattern
from td_currents_cli.render.terminal import Stream, amount, printable
from td_currents_cli.render.time_words import (
    DASH,
    FULL_TIME,
    bucket_words,
    bucket_year,
    moment_words,
    only_year,
    span_words,
)

if TYPE_CHECKING:
    from rich.table import Table

NARROWEST: Final = 12
"""Cells that a folded column keeps, even if the table gets wider than the terminal: nothing is ever cut."""


class Cell(Struct, frozen=True, gc=False):
    """The content of a cell in one style. Large tables have millions; as rich's `Text`, each would take 400 bytes."""

    plain: str = ""
    style: str = ""
    part: float | None = None  # of a bar: its length, of 1
    heights: tuple[int, ...] = ()  # of a sparkline, the highest is drawn full


class GridColumn(Struct, frozen=True, kw_only=True):
    """One column of a table."""

    head: str
    cells: Sequence[Cell]
    rest: Cell = Cell()  # in the row that sums up all rows not shown
    foot: Cell = Cell()  # in the row of the total
    right: bool = False  # aligned to the right, as numbers are
    graphic: bool = False  # a bar or sparkline, left out of Markdown
    scale: str = ""  # what a bar with the length 1 stands for
    foldable: bool = False  # names, which take several lines on a narrow terminal

    def width(self, grid: "Grid") -> int:
        """Columns of a terminal that it takes in a table."""
        contents = [self.head, *[self.rest.plain] * grid.has_rest, *[self.foot.plain] * grid.has_foot]
        cells = (cell.plain for cell in self.cells)
        return max(cell_len(line) for content in chain(contents, cells) for line in content.split("\n"))

    def usual_width(self, narrow: int, wide: int) -> int:
        """A width, within bounds, that is enough for four of five cells."""
        widths = sorted(cell_len(cell.plain) for cell in self.cells)
        return min(max([narrow, *widths[(len(widths) * 4 - 1) // 5 :][:1]]), wide)

    def folded(self, width: int) -> "GridColumn":
        """The same with lines of up to `width` cells."""
        cells = [Cell(fold(cell.plain, width), cell.style) for cell in self.cells]
        return structs.replace(self, head=fold(self.head, width, indent=0), cells=cells)


class Grid(Struct, frozen=True, kw_only=True):
    """A table with an optional row for all rows not shown, and one for the total."""

    columns: Sequence[GridColumn]
    has_rest: bool = False
    has_foot: bool = True
    title: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether it has no rows between the head and the total."""
        return not (self.has_rest or any(column.cells for column in self.columns))

    def rows(self, columns: Sequence[GridColumn]) -> Iterator[Sequence[Cell]]:
        """Yield the rows between the head and the total."""
        yield from zip(*(column.cells for column in columns), strict=True)
        if self.has_rest:
            yield tuple(column.rest for column in columns)

    def width(self) -> int:
        """Columns of a terminal that the table takes without folding a line."""
        return sum(self._widths()) + 2 * len(self.columns)

    def least_width(self, narrow: int, wide: int) -> int:
        """Columns that it takes with names folded to `narrow` cells, or up to `wide` cells if many names are wider."""
        widths = zip(self.columns, self._widths(), strict=True)
        least = (min(width, column.usual_width(narrow, wide)) if column.foldable else width for column, width in widths)
        return sum(least) + 2 * len(self.columns)

    def fitted(self, width: int) -> "Grid":
        """The same with the widest names folded as far as it takes to fit a width."""
        widths, columns = self._widths(), list(self.columns)
        names = sorted((widths[place], place) for place, column in enumerate(columns) if column.foldable)
        room = width - self.width() + sum(natural for natural, _ in names)
        for done, (natural, place) in enumerate(names):
            share = max(room // (len(names) - done), NARROWEST)
            if share < natural:
                columns[place] = columns[place].folded(share)
            room -= min(share, natural)
        return structs.replace(self, columns=columns)

    def table(self) -> "Table":
        """Build a table for a terminal."""
        from rich import box  # noqa: PLC0415 -- heavy; what goes into a pipe does without
        from rich.table import Table  # noqa: PLC0415 -- as above
        from rich.text import Text  # noqa: PLC0415 -- as above

        table = Table(
            box=box.SIMPLE_HEAD,
            show_footer=self.has_foot,
            pad_edge=False,
            collapse_padding=True,
            width=self.width(),
        )
        for column in self.columns:
            table.add_column(
                column.head,
                Text(column.foot.plain, column.foot.style),
                justify="right" if column.right else "left",
                no_wrap=column.right or column.graphic,
                overflow="fold",
            )
        for row in self.rows(self.columns):
            table.add_row(*(Text(cell.plain, cell.style) for cell in row))
        if self.has_rest:
            table.rows[-1].style = "dim"
        return table

    def plain(self) -> Iterator[str]:
        """Yield the lines of the same table without styles, of any length: rich takes a millisecond per line."""
        columns, widths, rights = self.columns, self._widths(), [each.right for each in self.columns]

        def line(cells: Iterable[str]) -> str:
            return f" {'  '.join(map(_padded, cells, widths, rights))}".rstrip() + "\n"

        blank = line([""] * len(columns))
        yield blank
        yield line(column.head for column in columns)
        yield f" {'─' * (sum(widths) + 2 * len(columns) - 2)}\n"
        for row in self.rows(columns):
            yield line(cell.plain for cell in row)
        yield blank
        if self.has_foot:
            yield line(column.foot.plain for column in columns)
            yield blank

    def markdown(self) -> str:
        """Format a table of GitHub Flavored Markdown, with its line ends."""
        columns = [column for column in self.columns if not column.graphic]
        lines = [_markdown_line(column.head for column in columns)]
        lines.append("| " + " | ".join("--:" if column.right else "---" for column in columns) + " |")
        lines += [_markdown_line(cell.plain for cell in row) for row in self.rows(columns)]
        if self.has_foot:
            cells_of_foot = (_escape_markdown(column.foot.plain) for column in columns)
            lines.append("| " + " | ".join(f"**{cell}**" if cell else "" for cell in cells_of_foot) + " |")
        title = f"{_escape_markdown(self.title)}\n\n" if self.title else ""
        return title + "\n".join(lines) + "\n"

    def _widths(self) -> list[int]:
        return [column.width(self) for column in self.columns]


def fold(line: str, width: int, *, indent: int = 2) -> str:
    """Break a line that is wider than `width` cells, after a space, else after a dot or the like, if there is one."""
    if cell_len(line) <= width:
        return line
    lines, lead, place = list[str](), "", 0
    while True:
        room = width - len(lead)
        start = chop_cells(line[place : place + room], room)[0]
        if place + len(start) == len(line):
            return "\n".join([*lines, lead + start])
        breaks = (found.end() for each in _BREAKS if (found := each.match(start)))
        end = next((place for place in breaks if place > len(start) // 4), len(start))
        lines.append(lead + start[:end].rstrip())
        lead, place = " " * indent, place + end


_BREAKS: Final = pattern(r".*\s"), pattern(r".*[./_:+-]")


def print_grid(grid: Grid, stream: Stream, *, is_wide: bool = False) -> None:
    """Print a table without truncation: on a terminal that is too narrow, names are folded unless `is_wide`."""
    if grid.title:
        stream.print(grid.title, "bold")
    if stream.is_plain and not any("\n" in column.head for column in grid.columns):
        stream.file.writelines(grid.plain())
        return
    table = (grid if is_wide else grid.fitted(stream.console.width)).table()
    if stream.width is not None:
        stream.console.print(table, crop=False)
        return
    with stream.console.capture() as capture:
        stream.console.print(table, crop=False)
    stream.file.write(without_trailing_spaces(capture.get()))


def without_trailing_spaces(lines: str) -> str:
    """Remove the spaces that fill lines up to the width of a table, before and after the codes of colors."""
    return _LINE_END.sub(lambda end: end[0].replace(" ", ""), lines)


_LINE_END: Final = pattern(r"(?:\x1b\[[\d;]*m| )+$", re.MULTILINE)


def _padded(cell: str, width: int, right: bool) -> str:  # noqa: FBT001 -- mapped over columns
    padding = " " * (width - cell_len(cell))
    return padding + cell if right else cell + padding


def _markdown_line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(_escape_markdown(cell) for cell in cells) + " |"


def _escape_markdown(content: str) -> str:
    return _MARKDOWN_SPECIAL.sub(r"\\\g<0>", content)


_MARKDOWN_SPECIAL: Final = pattern(r"[\\`*\[\]|<]")


Row = TypeVar("Row")


def table_column(
    rows: Sequence[Row],
    rest: Row | None,
    total: Row | None,
    head: str,
    cell: Callable[[Row], Cell],
    *,
    right: bool = False,
) -> GridColumn:
    """Build a column of what a function makes of each row, of the sum of all rows not shown, and of the total."""
    rest_cell, foot = (Cell() if row is None else cell(row) for row in (rest, total))
    return GridColumn(head=head, cells=each_once(map(cell, rows)), rest=rest_cell, foot=foot, right=right)


def each_once(cells: Iterable[Cell]) -> list[Cell]:
    """Keep equal cells once: in large tables, most figures occur many times."""
    known: dict[Cell, Cell] = {}
    return [known.setdefault(cell, cell) for cell in cells]


LONGEST_PREFIX: Final = 20
"""Characters: the heading that says it should not be wider than the names."""

KEPT_PARTS: Final = 2
"""Parts at the end of a short type name: `email.Send`."""


class GroupNames(Struct, frozen=True, kw_only=True):
    """How values of `--by` names are written: whole and in ISO 8601, unless a table is for a terminal."""

    unknown_types: frozenset[str] = frozenset()
    prefix: str = ""  # of all event types; said once, in the heading
    in_words: bool = False  # days and months

    def shortened(self, types: Iterable[str | None]) -> "GroupNames":
        """The same for a narrow terminal: without the parts that all event types have in common."""
        parts = [name.split(".")[:-KEPT_PARTS] for name in types if name]
        # What the first and the last in order have in common, all have.
        pairs = zip(min(parts, default=[]), max(parts, default=[]), strict=False)
        shared = (f"{one}." for one, _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
        prefix = next((each for each in reversed([*accumulate(shared)]) if len(each) <= LONGEST_PREFIX), "")
        return structs.replace(self, prefix=prefix, in_words=True)

    def named(self, values: Sequence[str | None], name: str) -> tuple[str, list[Cell]]:
        """The heading of a `--by` name's values, and the values."""
        if name == EVENT_TYPE:
            head = f"event type ({printable(self.prefix)}*)" if self.prefix else "event type"
            return head, [group_cell(value, name, self.unknown_types, self.prefix) for value in values]
        if self.in_words and name in set(TimeUnit):
            return self._times(values, name)
        return printable(name), [group_cell(value, name) for value in values]

    def _times(self, values: Sequence[str | None], name: str) -> tuple[str, list[Cell]]:
        year = only_year(found for value in values if (found := bucket_year(value)))
        cells = [group_cell(value and bucket_words(value, with_year=not year), name) for value in values]
        return f"{name} in {year}" if year else name, cells

    def columns(self, keys: Sequence[Key], by: Sequence[str], others: int) -> Iterator[GridColumn]:
        """The columns that name each group, then the groups that are not shown, and the total."""
        for place, name in enumerate(by):
            head, cells = self.named([key[place] for key in keys], name)
            rest = Cell("" if place else amount(others, "other"))
            yield GridColumn(head=head, cells=cells, rest=rest, foot=Cell("" if place else "total"), foldable=True)


def group_cell(value: str | None, name: str, unknown_types: Collection[str] = (), prefix: str = "") -> Cell:
    """Format a group's value of a `--by` name; a type that is not in the catalog is marked."""
    if not value:
        return Cell("(no event_type)" if name == EVENT_TYPE else "(none)", "dim")
    shown = printable(value.removeprefix(prefix))
    if name == EVENT_TYPE and value in unknown_types:
        return Cell(f"{shown} ?", "yellow")
    return Cell(shown)


def least_room(by: Sequence[str]) -> tuple[int, int]:
    """Cells that folded names keep, as long as another column can be left out instead; see `Grid.least_width`."""
    return (24, 32) if len(by) == 1 else (14, 20)


class TimeForm(Enum):
    """How a table shows the first and the last time of a group."""

    NONE = "not at all"
    FULL = "2026-07-01 09:00:00, two columns"
    WORDS = "Jul 1 09:00, two columns"
    SPAN = "Jul 1 09:00-09:47, one column"


def time_columns(
    rows: Sequence[Row],
    rest: Row | None,
    total: Row | None,
    first_and_last: Callable[[Row], tuple[datetime | None, datetime | None]],
    form: TimeForm,
    *,
    zone: str,
    dash: str = DASH,
) -> Iterator[GridColumn]:
    """Build the columns of the first and the last time of each row; `zone` and the only year are in a heading."""
    column = partial(table_column, rows, rest, total)
    year = None
    if form is not TimeForm.FULL:
        year = only_year(moment.year for row in (*rows, rest) if row for moment in first_and_last(row) if moment)
    of_year = f" in {year}" if year else ""

    def cell(place: int, row: Row) -> Cell:
        moment = first_and_last(row)[place]
        if moment is None:
            return Cell()
        return Cell(f"{moment:{FULL_TIME}}" if form is TimeForm.FULL else moment_words(moment, with_year=not year))

    def span(row: Row) -> Cell:
        first, last = first_and_last(row)
        return Cell(span_words(first, last, with_year=not year, dash=dash) if first and last else "")

    if form is TimeForm.FULL:
        yield column(f"first{zone}", partial(cell, 0))
        yield column(f"last{zone}", partial(cell, 1))
    elif form is TimeForm.SPAN:
        yield column(f"time{of_year}{zone}", span)
    else:
        # Year and zone are said once: there is no room for both in both headings.
        yield column(f"first{of_year or zone}", partial(cell, 0), right=True)
        yield column(f"last{zone or of_year}", partial(cell, 1), right=True)
