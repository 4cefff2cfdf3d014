"""Tables for a terminal or a Markdown page."""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from msgspec import Struct
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from td_currents_cli.render.terminal import UNCLIPPED, print_wrapped


class GridColumn(Struct, frozen=True, kw_only=True):
    """One column of a table."""

    head: str
    cells: Sequence[Text]
    rest: Text = Text()  # in the row that sums up all rows not shown
    foot: Text = Text()  # in the row of the total
    right: bool = False  # aligned to the right, as numbers are
    graphic: bool = False  # a bar or sparkline, left out of Markdown


class Grid(Struct, frozen=True, kw_only=True):
    """A table with an optional row for all rows not shown, and one for the total."""

    columns: Sequence[GridColumn]
    has_rest: bool = False
    has_foot: bool = True
    title: str = ""

    def table(self) -> Table:
        """Build a table for a terminal."""
        table = Table(box=box.SIMPLE_HEAD, show_footer=self.has_foot, pad_edge=False, collapse_padding=True)
        for column in self.columns:
            table.add_column(
                column.head,
                column.foot,
                justify="right" if column.right else "left",
                no_wrap=column.right or column.graphic,
                overflow="fold",
            )
        for line in zip(*(column.cells for column in self.columns), strict=True):
            table.add_row(*line)
        if self.has_rest:
            table.add_row(*(column.rest for column in self.columns), style="dim")
        return table

    def markdown(self) -> str:
        """Format a table of GitHub Flavored Markdown, with its line ends."""
        columns = [column for column in self.columns if not column.graphic]
        lines = [_markdown_line(column.head for column in columns)]
        lines.append("| " + " | ".join("--:" if column.right else "---" for column in columns) + " |")
        cells = zip(*(column.cells for column in columns), strict=True)
        lines += [_markdown_line(cell.plain for cell in line) for line in cells]
        if self.has_rest:
            lines.append(_markdown_line(column.rest.plain for column in columns))
        if self.has_foot:
            cells_of_foot = (_escape_markdown(column.foot.plain) for column in columns)
            lines.append("| " + " | ".join(f"**{cell}**" if cell else "" for cell in cells_of_foot) + " |")
        title = f"{_escape_markdown(self.title)}\n\n" if self.title else ""
        return title + "\n".join(lines) + "\n"


def fits(table: Table, console: Console) -> bool:
    """Tell whether a table fits a console without folding a line."""
    return table.__rich_measure__(console, console.options.update(width=UNCLIPPED)).maximum <= console.width


def print_grid(grid: Grid, console: Console) -> None:
    """Print a table without truncation: on a terminal that is too narrow, long names are folded."""
    if grid.title:
        print_wrapped(console, grid.title, "bold")
    console.print(grid.table(), crop=False)


def _markdown_line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(_escape_markdown(cell) for cell in cells) + " |"


def _escape_markdown(content: str) -> str:
    return _MARKDOWN_SPECIAL.sub(r"\\\g<0>", content)


_MARKDOWN_SPECIAL: Final = re.compile(r"[\\`*\[\]|<]")
