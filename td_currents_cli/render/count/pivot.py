"""Counts in lines and columns."""

from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.text import Text

from td_currents_cli.count import CountOutcome
from td_currents_cli.count.figures import Pivot, PivotRow
from td_currents_cli.render.count.grid import Column, Grid, fits
from td_currents_cli.render.count.groups import cell, label
from td_currents_cli.render.figures import amount


def pivot_grids(outcome: CountOutcome, pivot: Pivot, console: Console | None) -> Iterator[Grid]:
    """A pivot as one grid, or as several with some of the columns each, where one would be too wide.

    Args:
        outcome: with the pivot.
        pivot: of the outcome.
        console: where they are to fit; None for a page that has no width.
    """
    names = list(_names(outcome, pivot))
    heads = [cell(value, pivot.name).plain for value in pivot.columns]
    if console is not None and pivot.name == "hour":
        # One below the other, day and hour take less room.
        heads = [head.replace("T", "\n") for head in heads]
    numbers = [_column(pivot, head, place) for place, head in enumerate(heads)]
    numbers.append(_column(pivot, "total", None))
    while numbers:
        some = len(numbers) if console is None else _fitting(pivot, names, numbers, console)
        yield _grid(pivot, [*names, *numbers[:some]])
        numbers = numbers[some:]


def _fitting(pivot: Pivot, names: Sequence[Column], numbers: Sequence[Column], console: Console) -> int:
    """How many of the columns fit beside the names: at least one."""
    some = 1
    while some < len(numbers) and fits(_grid(pivot, [*names, *numbers[: some + 1]]).table(), console):
        some += 1
    return some


def _grid(pivot: Pivot, columns: Sequence[Column]) -> Grid:
    return Grid(columns=tuple(columns), has_rest=pivot.rest is not None)


def _names(outcome: CountOutcome, pivot: Pivot) -> Iterator[Column]:
    for place, name in enumerate(pivot.by):
        yield Column(
            head=label(name),
            cells=[cell(row.key[place], name, outcome.unknown_types) for row in pivot.rows],
            rest=Text(amount(pivot.others, "other") if place == 0 else ""),
            foot=Text("total" if place == 0 else ""),
        )


def _column(pivot: Pivot, head: str, place: int | None) -> Column:
    def text(row: PivotRow | None) -> Text:
        number = 0 if row is None else row.total if place is None else row.cells[place]
        return Text(f"{number:,}", "" if number else "dim")

    return Column(
        head=head, cells=[text(row) for row in pivot.rows], rest=text(pivot.rest), foot=text(pivot.total), right=True
    )
