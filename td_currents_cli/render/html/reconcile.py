"""A comparison of sent with ingested events as a page."""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any, Final

from td_currents_cli.count.dimensions import EVENT_TYPE
from td_currents_cli.reconcile import DiffKind, ReconcileOutcome
from td_currents_cli.reconcile.side import FAILURES
from td_currents_cli.render.grid import Cell, Grid, GridColumn, TimeForm, group_cell
from td_currents_cli.render.html import Figure, page, scanned_rows
from td_currents_cli.render.html.problems import problem_grid
from td_currents_cli.render.reconcile import (
    MEANING,
    comparison_notes,
    difference_grid,
    difference_title,
    equations,
    report_comparison,
    unread,
    verdict,
)
from td_currents_cli.render.terminal import Terminal, amount, write_text

MAX_TYPES: Final = 500
"""Event types in a table: data may have any number of types that are not in the catalog."""


def write_comparison_page(outcome: ReconcileOutcome, terminal: Terminal) -> None:
    """Write the comparison to standard output, as a page for a browser."""
    write_text(page("reconcile.html", title="Sent and ingested events", comparison=comparison(outcome)))
    report_comparison(outcome, terminal)


def comparison(outcome: ReconcileOutcome) -> dict[str, Any]:
    """What `comparison.html` shows."""
    return {
        "verdict": verdict(outcome),
        "unread": list(unread(outcome)),
        "figures": list(_figures(outcome)),
        "notes": chain(
            ((line, "") for line in equations(outcome)),
            comparison_notes(outcome, everything=True),
            scanned_rows(outcome),
        ),
        "grids": [_result_grid(outcome), _type_grid(outcome)],
        "differences": [
            {
                "title": difference_title(outcome, kind),
                "grid": difference_grid(difference, TimeForm.WORDS, MAX_TYPES),
                "examples": difference.examples,
                "left": difference.count - len(difference.examples),
            }
            for kind, difference in outcome.differences.items()
            if difference.count
        ],
        "problems": problem_grid(outcome.problems),
    }


def _figures(outcome: ReconcileOutcome) -> Iterator[Figure]:
    yield Figure(outcome.sent.ids, "ids sent")
    yield Figure(outcome.ingested.ids, "ids ingested")
    yield Figure(outcome.matched, "matched", "ok" if outcome.matched else "")
    for kind, difference in outcome.differences.items():
        if difference.count or kind in FAILURES:
            yield Figure(difference.count, kind, _kind(kind) if difference.count else "")


def _kind(kind: DiffKind) -> str:
    return "error" if kind in FAILURES else "warning"


def _result_grid(outcome: ReconcileOutcome) -> Grid:
    """Build a table of all results with bars, whose scale is the larger side."""
    counts = [each.count for each in outcome.differences.values()]
    numbers = [outcome.matched, *counts]
    styles = ["green", *("red" if kind in FAILURES else "yellow" for kind in outcome.differences)]
    whole = max(outcome.sent.ids, outcome.ingested.ids)
    meanings = ["sent and ingested", *(MEANING[kind] for kind in outcome.differences)]
    is_empty = not whole
    return Grid(
        title="Ids by result",
        columns=(
            GridColumn(head="result", cells=_words("matched", *outcome.differences) if whole else [], foldable=True),
            GridColumn(head="ids", cells=[] if is_empty else list(map(_number, numbers)), right=True),
            GridColumn(
                head="",
                cells=[Cell("", style, number / whole) for number, style in zip(numbers, styles, strict=True) if whole],
                graphic=True,
                scale=amount(whole, "id"),
            ),
            GridColumn(head="meaning", cells=[] if is_empty else _words(*meanings), foldable=True),
        ),
        has_foot=False,
    )


def _type_grid(outcome: ReconcileOutcome) -> Grid:
    """Build a table of the numbers of each type; kinds of differences that do not occur have no column."""
    sent, ingested = outcome.sent.by_type, outcome.ingested.by_type
    types = sorted(sent | ingested, key=lambda name: (-sent[name], -ingested[name], name or ""))
    shown, others = types[:MAX_TYPES], types[MAX_TYPES:]
    all_numbers = {name: outcome.of_type(name) for name in types}
    names = ["sent", "ingested", "matched", *(kind for kind, each in outcome.differences.items() if each.count)]

    def total(name: str, of: Sequence[str | None]) -> Cell:
        return Cell(f"{sum(all_numbers[each][name] for each in of):,}")

    return Grid(
        title="Ids by event type",
        columns=(
            GridColumn(
                head="event type",
                cells=[group_cell(name, EVENT_TYPE) for name in shown],
                rest=Cell(amount(len(others), "other")),
                foot=Cell("total"),
                foldable=True,
            ),
            *(
                GridColumn(
                    head=name,
                    cells=[_number(all_numbers[each][name]) for each in shown],
                    rest=total(name, others),
                    foot=total(name, types),
                    right=True,
                )
                for name in names
            ),
        ),
        has_rest=bool(others),
    )


def _words(*words: str) -> list[Cell]:
    return list(map(Cell, words))


def _number(number: int) -> Cell:
    return Cell(f"{number:,}", "" if number else "dim")
