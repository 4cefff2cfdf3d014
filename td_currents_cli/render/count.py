"""Counts as records for scripts, which need not wait for rich to load: a function for each format."""

import sys
from functools import partial
from typing import TYPE_CHECKING, Final

from td_currents_cli.count import CountOutcome
from td_currents_cli.render.count_report import report_count
from td_currents_cli.render.terminal import Terminal
from td_currents_cli.write.formats import FORMS, CellForm, json_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def write_count_jsonl(outcome: CountOutcome, terminal: Terminal) -> None:
    """Write one JSON object for each group."""
    for count in outcome.counts:
        sys.stdout.buffer.write(json_line(count.as_dict(outcome.by)))
    _report_differences(outcome, terminal)


def write_count_csv(outcome: CountOutcome, terminal: Terminal, form: CellForm = FORMS["csv"]) -> None:
    """Write a header and a line for each group; a missing value is written as `parse` writes it."""
    for row in _rows(outcome):
        sys.stdout.buffer.write(form.row(None if cell is None else str(cell) for cell in row))
    _report_differences(outcome, terminal)


write_count_tsv: Final = partial(write_count_csv, form=FORMS["tsv"])


def _report_differences(outcome: CountOutcome, terminal: Terminal) -> None:
    """Print differences on standard error, even with --quiet: here standard output is only for records."""
    sys.stdout.flush()
    if outcome.checks or outcome.changes:
        from td_currents_cli.render.count_tables import difference_grids  # noqa: PLC0415 -- scripts run without rich
        from td_currents_cli.render.grid import print_grid  # noqa: PLC0415 -- as above

        for grid in difference_grids(outcome):
            print_grid(grid, terminal.err_stream)
    report_count(outcome, terminal)


def _rows(outcome: CountOutcome) -> "Iterator[Sequence[object]]":
    """Yield a header and a record for each group; a pivot has a column for each value, and the total in the last."""
    if pivot := outcome.pivot:
        columns = ["(none)" if column is None else column for column in pivot.columns]
        yield [*pivot.by, *columns, "total"]
        yield from ([*row.key, *row.cells, row.total] for row in pivot.rows)
    else:
        yield [*outcome.fields]
        yield from ([*count.key, *count.figures().values()] for count in outcome.counts)
