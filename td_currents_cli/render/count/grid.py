"""Lines and columns of text, for a terminal or for a Markdown page."""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from msgspec import Struct
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from td_currents_cli.render.terminal import UNCLIPPED


class Column(Struct, frozen=True, kw_only=True):
    """One column.

    Attributes:
        head: its name.
        cells: one for each line.
        rest: the cell of the line that stands for all lines not shown.
        foot: the cell of the total.
        right: whether it holds numbers.
        graphic: whether it is something to look at, that text alone can do without.
    """

    head: str
    cells: Sequence[Text]
    rest: Text = Text()
    foot: Text = Text()
    right: bool = False
    graphic: bool = False


class Grid(Struct, frozen=True, kw_only=True):
    """Columns with the same number of lines.

    Attributes:
        columns: from left to right.
        has_rest: whether the columns have a cell for lines not shown.
        has_foot: whether they have a cell for the total.
        title: stands above; empty for none.
    """

    columns: Sequence[Column]
    has_rest: bool = False
    has_foot: bool = True
    title: str = ""

    def table(self) -> Table:
        """As a table for a terminal."""
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
        """As a table of GitHub Flavored Markdown, with its line ends."""
        columns = [column for column in self.columns if not column.graphic]
        lines = [_markdown_line(column.head for column in columns)]
        lines.append("| " + " | ".join("--:" if column.right else "---" for column in columns) + " |")
        cells = zip(*(column.cells for column in columns), strict=True)
        lines += [_markdown_line(cell.plain for cell in line) for line in cells]
        if self.has_rest:
            lines.append(_markdown_line(column.rest.plain for column in columns))
        if self.has_foot:
            cells_of_foot = (_markdown(column.foot.plain) for column in columns)
            lines.append("| " + " | ".join(f"**{cell}**" if cell else "" for cell in cells_of_foot) + " |")
        title = f"{_markdown(self.title)}\n\n" if self.title else ""
        return title + "\n".join(lines) + "\n"


def fits(table: Table, console: Console) -> bool:
    """Whether a table has room on a console without any of its lines being folded."""
    return table.__rich_measure__(console, console.options.update(width=UNCLIPPED)).maximum <= console.width


def show(grid: Grid, console: Console) -> None:
    """Print a table without losing anything: on a terminal that is too narrow, long names are folded."""
    if grid.title:
        console.print(grid.title, style="bold", markup=False, soft_wrap=True)
    console.print(grid.table(), crop=False)


def _markdown_line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(_markdown(cell) for cell in cells) + " |"


def _markdown(text: str) -> str:
    """Text that means nothing but itself."""
    return _SPECIAL.sub(r"\\\g<0>", text)


_SPECIAL: Final = re.compile(r"[\\`*\[\]|<]")
