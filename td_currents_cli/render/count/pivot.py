"""Pivots: counts in rows and columns."""

from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.text import Text

from td_currents_cli.count import CountOutcome
from td_currents_cli.count.result import Pivot, PivotRow
from td_currents_cli.render.count.grid import Grid, GridColumn, fits
from td_currents_cli.render.count.groups import group_cell, heading
from td_currents_cli.render.figures import amount


def pivot_grids(outcome: CountOutcome, pivot: Pivot, console: Console | None) -> Iterator[Grid]:
    """Build a pivot table, or several with some of the columns each if one is too wide for the console.

    Without a console, on a page without a width, there is one table.
    """
    names = list(_pivot_names(outcome, pivot))
    heads = [group_cell(value, pivot.name).plain for value in pivot.columns]
    if console is not None and pivot.name == "hour":
        # Day and hour on two lines take less width.
        heads = [head.replace("T", "\n") for head in heads]
    numbers = [_pivot_column(pivot, head, place) for place, head in enumerate(heads)]
    numbers.append(_pivot_column(pivot, "total", None))
    while numbers:
        some = len(numbers) if console is None else _fitting_columns(pivot, names, numbers, console)
        yield _pivot_grid(pivot, [*names, *numbers[:some]])
        numbers = numbers[some:]


def _fitting_columns(pivot: Pivot, names: Sequence[GridColumn], numbers: Sequence[GridColumn], console: Console) -> int:
    """Count the columns that fit next to the names: at least one."""
    some = 1
    while some < len(numbers) and fits(_pivot_grid(pivot, [*names, *numbers[: some + 1]]).table(), console):
        some += 1
    return some


def _pivot_grid(pivot: Pivot, columns: Sequence[GridColumn]) -> Grid:
    return Grid(columns=tuple(columns), has_rest=pivot.rest is not None)


def _pivot_names(outcome: CountOutcome, pivot: Pivot) -> Iterator[GridColumn]:
    for place, name in enumerate(pivot.by):
        yield GridColumn(
            head=heading(name),
            cells=[group_cell(row.key[place], name, outcome.unknown_types) for row in pivot.rows],
            rest=Text(amount(pivot.others, "other") if place == 0 else ""),
            foot=Text("total" if place == 0 else ""),
        )


def _pivot_column(pivot: Pivot, head: str, place: int | None) -> GridColumn:
    def format_cell(row: PivotRow | None) -> Text:
        number = 0 if row is None else row.total if place is None else row.cells[place]
        return Text(f"{number:,}", "" if number else "dim")

    return GridColumn(
        head=head,
        cells=[format_cell(row) for row in pivot.rows],
        rest=format_cell(pivot.rest),
        foot=format_cell(pivot.total),
        right=True,
    )
