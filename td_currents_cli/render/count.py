"""Counts as tables for people and as records for scripts: a function for each format."""

import sys
from typing import TYPE_CHECKING, Final

from td_currents_cli.count import CountOutcome
from td_currents_cli.render.terminal import Terminal
from td_currents_cli.write.formats import FORMS, CellForm, json_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console

    from td_currents_cli.render.count_tables import Grid


def print_count_table(outcome: CountOutcome, terminal: Terminal) -> None:
    """Print the counts and what they were compared with, as tables that fit the terminal."""
    from td_currents_cli.render.count_tables import print_grid  # noqa: PLC0415 -- scripts run without rich

    for grid in _grids(outcome, terminal.out):
        print_grid(grid, terminal.out)
    _report_run(outcome, terminal)


def write_count_markdown(outcome: CountOutcome, terminal: Terminal) -> None:
    """Write the same as tables of GitHub Flavored Markdown, for a summary page."""
    page = "\n".join(grid.markdown() for grid in _grids(outcome, None))
    sys.stdout.buffer.write(page.encode(errors="backslashreplace"))
    _report_run(outcome, terminal)


def write_count_jsonl(outcome: CountOutcome, terminal: Terminal) -> None:
    """Write one JSON object for each group."""
    for count in outcome.counts:
        sys.stdout.buffer.write(json_line(count.as_dict(outcome.by)))
    _report_differences(outcome, terminal)


def write_count_csv(outcome: CountOutcome, terminal: Terminal) -> None:
    """Write RFC 4180 with a header; a missing value is empty."""
    _write_delimited(outcome, FORMS["csv"])
    _report_differences(outcome, terminal)


def write_count_tsv(outcome: CountOutcome, terminal: Terminal) -> None:
    """Write the same as `write_count_csv`, with the separators, escapes and nulls of `parse --to tsv`."""
    _write_delimited(outcome, FORMS["tsv"])
    _report_differences(outcome, terminal)


def _grids(outcome: CountOutcome, console: "Console | None") -> "Iterator[Grid]":
    from td_currents_cli.render.count_tables import difference_grids, groups_grid, pivot_grids  # noqa: PLC0415 -- as above

    if outcome.pivot:
        yield from pivot_grids(outcome, outcome.pivot, console)
    else:
        yield groups_grid(outcome, console)
    yield from difference_grids(outcome)


def _report_differences(outcome: CountOutcome, terminal: Terminal) -> None:
    """Print differences on standard error, even with --quiet: here standard output is only for records."""
    sys.stdout.flush()
    if outcome.checks or outcome.changes:
        from td_currents_cli.render.count_tables import difference_grids, print_grid  # noqa: PLC0415 -- as above

        for grid in difference_grids(outcome):
            print_grid(grid, terminal.err)
    _report_run(outcome, terminal)


def _report_run(outcome: CountOutcome, terminal: Terminal) -> None:
    sys.stdout.flush()
    if terminal.quiet and not outcome.problems.total:
        return
    from td_currents_cli.render.count_tables import report_count, report_matches  # noqa: PLC0415 -- as above

    report_matches(outcome, terminal)
    report_count(outcome, terminal)


NO_VALUE: Final = "(none)"
"""Heading of the column for events without a value of the pivot."""


def _write_delimited(outcome: CountOutcome, form: CellForm) -> None:
    for row in _rows(outcome):
        sys.stdout.buffer.write(form.row(None if cell is None else str(cell) for cell in row))


def _rows(outcome: CountOutcome) -> "Iterator[Sequence[object]]":
    """Yield a header and a record for each group; a pivot has a column for each value, and the total in the last."""
    if pivot := outcome.pivot:
        columns = [NO_VALUE if column is None else column for column in pivot.columns]
        yield [*pivot.by, *columns, "total"]
        yield from ([*row.key, *row.cells, row.total] for row in pivot.rows)
    else:
        yield [*outcome.fields]
        yield from ([*count.key, *count.figures().values()] for count in outcome.counts)
