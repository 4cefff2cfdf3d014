"""Arranges counts as a table, with the values of one dimension as columns."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from td_currents_cli.choices import Sort
from td_currents_cli.count.dimension import Key
from td_currents_cli.count.figures import Count, Pivot, PivotRow
from td_currents_cli.count.order import by_name, in_order, together


def pivoted(counts: Sequence[Count], by: Sequence[str], name: str, sort: Sort, top: int | None) -> Pivot:
    """Arrange the counts of all groups as a table.

    Args:
        counts: of all groups.
        by: their dimensions.
        name: the dimension whose values become columns.
        sort: order of the rows.
        top: number of rows that are shown; None for all.
    """
    place = list(by).index(name)
    columns = tuple(sorted({count.key[place] for count in counts if count.count}, key=lambda value: by_name((value,))))
    of_row: defaultdict[Key, list[Count]] = defaultdict(list)
    for count in counts:
        of_row[count.key[:place] + count.key[place + 1 :]].append(count)
    rows = []
    for row in in_order([together(members, key, 0) for key, members in of_row.items()], sort):
        of_column = {count.key[place]: count.count for count in of_row[row.key]}
        rows.append(PivotRow(row.key, tuple(of_column.get(column, 0) for column in columns)))
    shown = rows[:top]
    others = rows[len(shown) :]
    no_values = (None,) * (len(by) - 1)
    return Pivot(
        name=name,
        by=tuple(each for each in by if each != name),
        columns=columns,
        rows=tuple(shown),
        others=len(others),
        rest=_sum(others, no_values, len(columns)) if others else None,
        total=_sum(rows, no_values, len(columns)),
    )


def _sum(rows: Iterable[PivotRow], key: Key, width: int) -> PivotRow:
    cells = [row.cells for row in rows]
    return PivotRow(key, tuple(map(sum, zip(*cells, strict=True))) if cells else (0,) * width)
