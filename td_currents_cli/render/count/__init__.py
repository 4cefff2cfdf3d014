"""Counts as tables for people and as records for scripts: a function for each format."""

import sys
from typing import TYPE_CHECKING

from td_currents_cli.count import CountOutcome
from td_currents_cli.render.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from td_currents_cli.render.count.grid import Grid


def table(outcome: CountOutcome, terminal: Terminal) -> None:
    """The counts and what they were compared with, as tables that fit the terminal; the talk on standard error."""
    from td_currents_cli.render.count.grid import show  # noqa: PLC0415 -- scripts do without rich

    for grid in _grids(outcome, terminal.out):
        show(grid, terminal.out)
    _talk(outcome, terminal)


def markdown(outcome: CountOutcome, terminal: Terminal) -> None:
    """The same as tables of GitHub Flavored Markdown, for a summary page."""
    text = "\n".join(grid.markdown() for grid in _grids(outcome, None))
    sys.stdout.buffer.write(text.encode(errors="backslashreplace"))
    _talk(outcome, terminal)


def jsonl(outcome: CountOutcome, terminal: Terminal) -> None:
    """One JSON object for each group."""
    from td_currents_cli.render.count.records import write_json_lines  # noqa: PLC0415 -- each format loads its own

    write_json_lines(outcome)
    _talk_with_differences(outcome, terminal)


def csv(outcome: CountOutcome, terminal: Terminal) -> None:
    """RFC 4180 with a header line; a missing value is empty."""
    from td_currents_cli.render.count.records import write_delimited  # noqa: PLC0415 -- as above

    write_delimited(outcome, ",")
    _talk_with_differences(outcome, terminal)


def tsv(outcome: CountOutcome, terminal: Terminal) -> None:
    """As `csv`, with tabs."""
    from td_currents_cli.render.count.records import write_delimited  # noqa: PLC0415 -- as above

    write_delimited(outcome, "\t")
    _talk_with_differences(outcome, terminal)


def _grids(outcome: CountOutcome, console: "Console | None") -> "Iterator[Grid]":
    from td_currents_cli.render.count.differences import difference_grids  # noqa: PLC0415 -- as above
    from td_currents_cli.render.count.groups import groups_grid  # noqa: PLC0415
    from td_currents_cli.render.count.pivot import pivot_grids  # noqa: PLC0415

    if outcome.pivot:
        yield from pivot_grids(outcome, outcome.pivot, console)
    else:
        yield groups_grid(outcome, console)
    yield from difference_grids(outcome)


def _talk_with_differences(outcome: CountOutcome, terminal: Terminal) -> None:
    """Where standard output is for records alone, differences are talk, even for those who want little of it."""
    sys.stdout.flush()
    if outcome.checks or outcome.changes:
        from td_currents_cli.render.count.differences import difference_grids  # noqa: PLC0415 -- as above
        from td_currents_cli.render.count.grid import show  # noqa: PLC0415

        for grid in difference_grids(outcome):
            show(grid, terminal.err)
    _talk(outcome, terminal)


def _talk(outcome: CountOutcome, terminal: Terminal) -> None:
    sys.stdout.flush()
    if terminal.quiet and not outcome.problems.total:
        return
    from td_currents_cli.render.count.differences import say_what_agrees  # noqa: PLC0415 -- as above
    from td_currents_cli.render.count.talk import talk  # noqa: PLC0415

    say_what_agrees(outcome, terminal)
    talk(outcome, terminal)
