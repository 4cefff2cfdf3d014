"""Counts as a page."""

from collections.abc import Iterator
from itertools import chain

from td_currents_cli.count import CountOutcome
from td_currents_cli.count.dimensions import TimeUnit
from td_currents_cli.render.charts import time_chart
from td_currents_cli.render.count_report import count_notes, report_count
from td_currents_cli.render.count_tables import PAGE, count_grids
from td_currents_cli.render.html import Figure, page, scanned_rows
from td_currents_cli.render.html.problems import problem_grid
from td_currents_cli.render.terminal import Terminal, write_text


def write_count_page(outcome: CountOutcome, terminal: Terminal) -> None:
    """Write the counts and what they were compared with to standard output, as a page for a browser."""
    write_text(count_page(outcome))
    report_count(outcome, terminal)


def count_page(outcome: CountOutcome) -> str:
    """Format the counts and what they were compared with as a page."""
    return page(
        "count.html",
        title=f"Events by {', '.join(name.replace('_', ' ') for name in outcome.by)}",
        figures=list(_figures(outcome)),
        notes=chain(count_notes(outcome), scanned_rows(outcome)),
        chart=time_chart(outcome) if _is_over_time(outcome) else None,
        grids=count_grids(outcome, None, PAGE),
        problems=problem_grid(outcome.problems),
    )


def _is_over_time(outcome: CountOutcome) -> bool:
    """Whether its groups are all periods, of which none is left out."""
    return len(outcome.by) == 1 and outcome.by[0] in set(TimeUnit) and not outcome.others


def _figures(outcome: CountOutcome) -> Iterator[Figure]:
    total = outcome.total
    yield Figure(total.count, "event" if total.count == 1 else "events")
    groups = len(outcome.counts) + outcome.others
    yield Figure(groups, "group" if groups == 1 else "groups")
    if total.duplicates is not None:
        yield Figure(total.duplicates, "duplicates left out")
    if total.unique_events is not None:
        yield Figure(total.unique_events, "distinct ids")
    if total.unique_users is not None:
        yield Figure(total.unique_users, "users")
    if outcome.problems.total:
        yield Figure(outcome.problems.total, "problems", "error" if outcome.problems.errors else "warning")
