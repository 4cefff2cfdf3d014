"""The table of `count --pivot`."""

from collections.abc import Sequence
from functools import partial
from typing import Final

from msgspec import structs
from rich.console import Console
from rich.text import Text

from td_currents_cli.count import CountOutcome
from td_currents_cli.count.dimensions import EVENT_TYPE, TimeUnit
from td_currents_cli.count.result import Pivot, PivotRow
from td_currents_cli.render.grid import Grid, GridColumn, GroupNames, fold, least_room, table_column
from td_currents_cli.render.terminal import amount

HEAD_WIDTH: Final = 18
TIME_HEAD_WIDTH: Final = 7
"""Cells of a heading's lines on a terminal: day and hour are on two lines."""

LEAST_COLUMN_WIDTH: Final = 3


class PivotTable:
    """Builds the table for a console; None is a Markdown page, with all columns in the order of their names."""

    def __init__(self, outcome: CountOutcome, pivot: Pivot, console: Console | None) -> None:
        self._outcome = outcome
        self._pivot = pivot
        self._console = console
        self._zero = "0" if console is None or console.options.ascii_only else "·"
        places = range(len(pivot.columns))
        # From the largest on; of equal ones the first by name.
        self._ranked = sorted(places, key=lambda place: -pivot.total.cells[place])

    def grid(self, names: GroupNames) -> Grid:
        """Build the table, with short names and as many columns as fit on a terminal, unless --wide was given."""
        console, number = self._console, len(self._ranked)
        if console is None:
            return self._grid(names, number)
        most = min(number, self._outcome.top or number)
        if not console.is_terminal or self._outcome.wide:
            return self._grid(names, most)
        for each in (structs.replace(names, in_words=True), short := names.shortened(self._types())):
            grid = self._grid(each, most)
            if grid.width() <= console.width:
                return grid
        for shown in range(min(most, console.width // LEAST_COLUMN_WIDTH), 0, -1):
            grid = self._grid(short, shown)
            if grid.least_width(*least_room(self._pivot.by)) <= console.width:
                break
        return grid

    def _types(self) -> Sequence[str | None]:
        if self._pivot.name == EVENT_TYPE:
            return self._pivot.columns
        if EVENT_TYPE not in self._pivot.by:
            return ()
        place = self._pivot.by.index(EVENT_TYPE)
        return [row.key[place] for row in self._pivot.rows]

    def _grid(self, names: GroupNames, number: int) -> Grid:
        """Build the table with the largest columns, the others added up in one more, and the total."""
        pivot = self._pivot
        is_time = pivot.name in set(TimeUnit)
        shown, others = self._ranked[:number], self._ranked[number:]
        if is_time or self._console is None:
            shown.sort()
        name, values = names.named([pivot.columns[place] for place in shown], pivot.name)
        heads = [value.plain for value in values]
        if names.in_words:
            heads = [fold(head, TIME_HEAD_WIDTH if is_time else HEAD_WIDTH, indent=0) for head in heads]
        columns = [*names.columns([row.key for row in pivot.rows], pivot.by, pivot.others)]
        title = f"events by {', '.join(column.head for column in columns)} and {name}" if names.in_words else ""
        columns += [self._sums(head, [place]) for head, place in zip(heads, shown, strict=True)]
        if others:
            columns.append(self._sums(amount(len(others), "other"), others))
        columns.append(table_column(pivot.rows, pivot.rest, pivot.total, "total", _total, right=True))
        return Grid(columns=columns, has_rest=pivot.rest is not None, title=title)

    def _sums(self, head: str, places: Sequence[int]) -> GridColumn:
        pivot = self._pivot
        return table_column(pivot.rows, pivot.rest, pivot.total, head, partial(self._sum, places), right=True)

    def _sum(self, places: Sequence[int], row: PivotRow) -> Text:
        number = sum(row.cells[place] for place in places)
        return Text(f"{number:,}") if number else Text(self._zero, "dim")


def _total(row: PivotRow) -> Text:
    return Text(f"{row.total:,}", "" if row.total else "dim")
