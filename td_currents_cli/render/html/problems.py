"""Problems as a table of a page."""

from td_currents_cli.outcome import Problems
from td_currents_cli.render.grid import Cell, Grid, GridColumn
from td_currents_cli.render.terminal import STYLES, amount, first_problems


def problem_grid(problems: Problems) -> Grid | None:
    """Build a table of the first problems, with a row for the number of the others; None if there are none."""
    if not problems.total:
        return None
    shown = first_problems(problems)
    more = problems.total - len(shown)
    return Grid(
        columns=(
            GridColumn(
                head="place",
                cells=[Cell(str(problem.location)) for problem in shown],
                rest=Cell(f"… and {amount(more, 'more problem')}"),
                foldable=True,
            ),
            GridColumn(head="rule", cells=[Cell(problem.code) for problem in shown]),
            GridColumn(head="severity", cells=[Cell(problem.severity, STYLES[problem.severity]) for problem in shown]),
            GridColumn(head="problem", cells=[Cell(problem.message) for problem in shown], foldable=True),
        ),
        has_rest=more > 0,
        has_foot=False,
        title="Problems",
    )
