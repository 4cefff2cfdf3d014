"""Counts with the values of one thing they are by as columns."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from msgspec import Struct

from td_currents_cli.choices import Sort
from td_currents_cli.count.bins import Key
from td_currents_cli.count.figures import Count
from td_currents_cli.count.order import by_name, in_order, together


class Row(Struct, frozen=True):
    """One line.

    Attributes:
        key: the group's values of all else that was counted by.
        cells: number of events for each column.
    """

    key: Key
    cells: tuple[int, ...]

    @property
    def total(self) -> int:
        """Events in all columns."""
        return sum(self.cells)


class Pivot(Struct, frozen=True, kw_only=True):
    """Counts in lines and columns.

    Attributes:
        name: of what stands in columns.
        by: names of all else.
        columns: its values in their order, a missing one last.
        rows: the lines that are shown.
        others: how many lines are not shown by themselves.
        rest: they as one line; None when there are none.
        total: all as one line.
    """

    name: str
    by: tuple[str, ...]
    columns: tuple[str | None, ...]
    rows: tuple[Row, ...]
    others: int
    rest: Row | None
    total: Row


def pivoted(counts: Sequence[Count], by: Sequence[str], name: str, sort: Sort, top: int | None) -> Pivot:
    """Counts with the values of one thing they are by as columns.

    Args:
        counts: all groups.
        by: what they are by.
        name: one of these.
        sort: order of the lines.
        top: how many lines are shown by themselves; None for all.
    """
    place = list(by).index(name)
    columns = tuple(sorted({count.key[place] for count in counts if count.count}, key=lambda value: by_name((value,))))
    of_row: defaultdict[Key, list[Count]] = defaultdict(list)
    for count in counts:
        of_row[count.key[:place] + count.key[place + 1 :]].append(count)
    lines = in_order([together(members, key, 0) for key, members in of_row.items()], sort)
    rows = [Row(line.key, _cells(of_row[line.key], place, columns)) for line in lines]
    shown = rows[:top]
    others = rows[len(shown) :]
    nobody = (None,) * (len(by) - 1)
    return Pivot(
        name=name,
        by=tuple(each for each in by if each != name),
        columns=columns,
        rows=tuple(shown),
        others=len(others),
        rest=_sum(others, nobody, len(columns)) if others else None,
        total=_sum(rows, nobody, len(columns)),
    )


def _cells(counts: Iterable[Count], place: int, columns: Sequence[str | None]) -> tuple[int, ...]:
    of_column = {count.key[place]: count.count for count in counts}
    return tuple(of_column.get(column, 0) for column in columns)


def _sum(rows: Iterable[Row], key: Key, width: int) -> Row:
    cells = [row.cells for row in rows]
    return Row(key, tuple(map(sum, zip(*cells, strict=True))) if cells else (0,) * width)
