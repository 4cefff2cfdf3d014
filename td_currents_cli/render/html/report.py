"""The report: counts, problems, and a comparison on one page."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from msgspec import structs

from td_currents_cli.count import CountOutcome
from td_currents_cli.model import Severity
from td_currents_cli.reconcile import DiffKind
from td_currents_cli.render.charts import time_chart
from td_currents_cli.render.count_report import count_notes
from td_currents_cli.render.count_tables import PAGE, REPORT, count_grids, in_zone
from td_currents_cli.render.grid import Cell, Grid, GridColumn
from td_currents_cli.render.html import Figure, page
from td_currents_cli.render.html.problems import problem_grid
from td_currents_cli.render.html.reconcile import comparison
from td_currents_cli.render.report import verdicts
from td_currents_cli.render.terminal import STYLES, amount, printable
from td_currents_cli.report import ReportOutcome
from td_currents_cli.validate import ValidateOutcome
from td_currents_cli.validate.rules import RULES, Rule

TITLE: Final = "Braze Currents events"

MIN_PERIODS: Final = 24
MAX_PERIODS: Final = 62

_TITLES: Final = {"campaign_name": "Top campaigns", "canvas_name": "Top Canvases"}

SHOWN_TYPES: Final = 3
"""Event types that are named next to a rule."""


def report_page(outcome: ReportOutcome) -> str:
    """Format a report as a page that needs nothing else."""
    types, validation = outcome.types, outcome.validation
    rules = _broken_rules(validation)
    return page(
        "report.html",
        title=outcome.title or TITLE,
        names=outcome.names,
        period=_period(types),
        figures=list(_figures(outcome)),
        verdicts=verdicts(outcome),
        types=next(count_grids(types, None, structs.replace(REPORT, spark=_periods(types)))),
        times=[(time_chart(each), next(count_grids(each, None, PAGE))) for each in outcome.times],
        messages=[_messages(each, types) for each in outcome.messages],
        rules=rules,
        rule_grid=_rule_grid(validation, rules),
        problems=problem_grid(validation.problems),
        comparison=comparison(outcome.comparison) if outcome.comparison else None,
        notes=count_notes(types),
    )


def _period(types: CountOutcome) -> str:
    first, last, zone = types.total.first, types.total.last, types.zone
    if first is None or last is None:
        return ""
    days = [f"{in_zone(moment, zone):%Y-%m-%d}" for moment in (first, last)]
    return f"{' to '.join(dict.fromkeys(days))} ({zone})"


def _periods(types: CountOutcome) -> int:
    """How many bars a sparkline has: one per day, if they are neither few nor many."""
    first, last = types.total.first, types.total.last
    days = 0 if first is None or last is None else (last - first).days + 1
    return days if MIN_PERIODS <= days <= MAX_PERIODS else MIN_PERIODS


def _figures(outcome: ReportOutcome) -> Iterator[Figure]:
    types, found = outcome.types, outcome.validation.problems.by_severity
    yield Figure(types.total.count, "event" if types.total.count == 1 else "events")
    yield Figure(len(types.counts) + types.others, "event types")
    yield Figure(outcome.validation.files, "file" if outcome.validation.files == 1 else "files")
    for severity in (Severity.ERROR, Severity.WARNING):
        number = found[severity]
        yield Figure(number, severity if number == 1 else f"{severity}s", severity if number else "")
    if outcome.comparison:
        missing = outcome.comparison.differences[DiffKind.MISSING].count
        yield Figure(missing, "missing", "error" if missing else "ok" if outcome.comparison.matched else "")


def _messages(named: CountOutcome, types: CountOutcome) -> dict[str, Any]:
    """The groups by a name, and how many of all events have one."""
    (name,) = named.by
    have = "has" if named.total.count == 1 else "have"
    return {
        "title": _TITLES[name],
        "words": f"{named.total.count:,} of {amount(types.total.count, 'event')} {have} a {name}; shares are of these.",
        "empty": f"No data: no event has a {name}.",
        "grid": next(count_grids(named, None, PAGE)),
    }


def _broken_rules(outcome: ValidateOutcome) -> list[Rule]:
    """The rules with problems: errors first, of a severity the most frequent first."""
    severities = list(Severity)
    rules = [RULES[code] for code, count in outcome.by_code.items() if count]
    return sorted(rules, key=lambda rule: (severities.index(rule.severity), -outcome.by_code[rule.code], rule.code))


def _rule_grid(outcome: ValidateOutcome, rules: Sequence[Rule]) -> Grid:
    counts = [outcome.by_code[rule.code] for rule in rules]
    most = max(counts, default=0)
    styles = [STYLES[rule.severity] for rule in rules]
    return Grid(
        columns=(
            GridColumn(
                head="rule",
                cells=[Cell(f"{rule.code} {rule.name}") for rule in rules],
                foot=Cell("total"),
                foldable=True,
            ),
            GridColumn(
                head="severity",
                cells=[Cell(rule.severity, style) for rule, style in zip(rules, styles, strict=True)],
            ),
            GridColumn(
                head="count",
                cells=[Cell(f"{count:,}") for count in counts],
                foot=Cell(f"{sum(counts):,}"),
                right=True,
            ),
            GridColumn(
                head="",
                cells=[Cell("", style, count / most) for style, count in zip(styles, counts, strict=True)],
                graphic=True,
                scale=f"{most:,}",
            ),
            GridColumn(head="event types", cells=[_types_of(outcome, rule.code) for rule in rules], foldable=True),
        ),
    )


def _types_of(outcome: ValidateOutcome, code: str) -> Cell:
    """The types whose events most often break a rule."""
    counts = {group.event_type: number for group, number in outcome.by_group.items() if group.code == code}
    names = sorted(filter(None, counts), key=lambda name: (-counts[name], name))
    more = [f"{len(names) - SHOWN_TYPES:,} more"] if len(names) > SHOWN_TYPES else []
    return Cell(", ".join([*(printable(name) for name in names[:SHOWN_TYPES]), *more]))
