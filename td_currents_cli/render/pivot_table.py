"""The table of `count --pivot`."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from msgspec import structs

from td_currents_cli.count import CountOutcome
from td_currents_cli.count.dimensions import EVENT_TYPE, TimeUnit
from td_currents_cli.count.result import Pivot, PivotRow
from td_currents_cli.render.grid import Cell, Grid, GridColumn, GroupNames, fold, least_room, table_column
from td_currents_cli.render.terminal import Stream, amount

HEAD_WIDTH: Final = 18
TIME_HEAD_WIDTH: Final = 7
"""Cells of a heading's lines on a terminal: day and hour are on two lines."""

LEAST_COLUMN_WIDTH: Final = 3


class PivotTable:
    """Builds the table for a stream; None is a Markdown page, with all columns in the order of their names."""

    def __init__(self, outcome: CountOutcome, pivot: Pivot, stream: Stream | None) -> None:
        self._outcome = outcome
        self._pivot = pivot
        self._stream = stream
        self._zero = "0" if stream is None or stream.ascii_only else "·"
        places = range(len(pivot.columns))
        # From the largest on; of equal ones the first by name.
        self._ranked = sorted(places, key=lambda place: -pivot.total.cells[place])

    def grid(self, names: GroupNames) -> Grid:
        """Build the table, with short names and as many columns as fit on a terminal, unless --wide was given."""
        stream, number = self._stream, len(self._ranked)
        if stream is None:
            return self._grid(names, number)
        most = min(number, self._outcome.top or number)
        width = stream.width
        if width is None or self._outcome.wide:
            return self._grid(names, most)
        short = names.shortened(self._types())
        could_fit = min(most, width // LEAST_COLUMN_WIDTH)
        if could_fit == most:
            for each in (structs.replace(names, in_words=True), short):
                grid = self._grid(each, most)
                if grid.width() <= width:
                    return grid
        for shown in range(could_fit, 0, -1):
            grid = self._grid(short, shown)
            if grid.least_width(*least_room(self._pivot.by)) <= width:
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
        if is_time or self._stream is None:
            shown.sort()
        name, values = names.named([pivot.columns[place] for place in shown], pivot.name)
        heads = [value.plain for value in values]
        if names.in_words:
            heads = [fold(head, TIME_HEAD_WIDTH if is_time else HEAD_WIDTH, indent=0) for head in heads]
        columns = [*names.columns([row.key for row in pivot.rows], pivot.by, pivot.others)]
        title = f"events by {', '.join(column.head for column in columns)} and {name}" if names.in_words else ""
        columns += [self._column(head, partial(_cell, place)) for head, place in zip(heads, shown, strict=True)]
        if others:
            columns.append(self._column(amount(len(others), "other"), partial(_others, shown)))
        columns.append(table_column(pivot.rows, pivot.rest, pivot.total, "total", _total, right=True))
        return Grid(columns=columns, has_rest=pivot.rest is not None, title=title)

    def _column(self, head: str, number: Callable[[PivotRow], int]) -> GridColumn:
        def cell(row: PivotRow) -> Cell:
            return Cell(f"{shown:,}") if (shown := number(row)) else Cell(self._zero, "dim")

        return table_column(self._pivot.rows, self._pivot.rest, self._pivot.total, head, cell, right=True)


def _cell(place: int, row: PivotRow) -> int:
    return row.cells[place]


def _others(shown: Sequence[int], row: PivotRow) -> int:
    return row.total - sum(row.cells[place] for place in shown)


def _total(row: PivotRow) -> Cell:
    return Cell(f"{row.total:,}", "" if row.total else "dim")
