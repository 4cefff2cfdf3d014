"""Counts as tables for people and as records for scripts: a function for each format."""

import sys
from typing import TYPE_CHECKING

from td_currents_cli.count import CountOutcome
from td_currents_cli.render.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from td_currents_cli.render.count.grid import Grid


def print_count_table(outcome: CountOutcome, terminal: Terminal) -> None:
    """Print the counts and what they were compared with, as tables that fit the terminal."""
    from td_currents_cli.render.count.grid import print_grid  # noqa: PLC0415 -- scripts run without rich

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
    from td_currents_cli.render.count.records import write_json_lines  # noqa: PLC0415 -- each format loads its own

    write_json_lines(outcome)
    _report_differences(outcome, terminal)


def write_count_csv(outcome: CountOutcome, terminal: Terminal) -> None:
    """Write RFC 4180 with a header; a missing value is empty."""
    from td_currents_cli.render.count.records import write_delimited  # noqa: PLC0415 -- as above

    write_delimited(outcome, ",")
    _report_differences(outcome, terminal)


def write_count_tsv(outcome: CountOutcome, terminal: Terminal) -> None:
    """Write the same as `write_count_csv`, with tabs."""
    from td_currents_cli.render.count.records import write_delimited  # noqa: PLC0415 -- as above

    write_delimited(outcome, "\t")
    _report_differences(outcome, terminal)


def _grids(outcome: CountOutcome, console: "Console | None") -> "Iterator[Grid]":
    from td_currents_cli.render.count.differences import difference_grids  # noqa: PLC0415 -- as above
    from td_currents_cli.render.count.groups import groups_grid  # noqa: PLC0415
    from td_currents_cli.render.count.pivot import pivot_grids  # noqa: PLC0415

    if outcome.pivot:
        yield from pivot_grids(outcome, outcome.pivot, console)
    else:
        yield groups_grid(outcome, console)
    yield from difference_grids(outcome)


def _report_differences(outcome: CountOutcome, terminal: Terminal) -> None:
    """Print differences on standard error, even with --quiet: here standard output is only for records."""
    sys.stdout.flush()
    if outcome.checks or outcome.changes:
        from td_currents_cli.render.count.differences import difference_grids  # noqa: PLC0415 -- as above
        from td_currents_cli.render.count.grid import print_grid  # noqa: PLC0415

        for grid in difference_grids(outcome):
            print_grid(grid, terminal.err)
    _report_run(outcome, terminal)


def _report_run(outcome: CountOutcome, terminal: Terminal) -> None:
    sys.stdout.flush()
    if terminal.quiet and not outcome.problems.total:
        return
    from td_currents_cli.render.count.differences import report_matches  # noqa: PLC0415 -- as above
    from td_currents_cli.render.count.talk import report_count  # noqa: PLC0415

    report_matches(outcome, terminal)
    report_count(outcome, terminal)
