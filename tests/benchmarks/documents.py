"""The results as Markdown: all of them for the page about speed, the most important ones for the README."""

from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, Final

from tests.benchmarks.case import TDCUR

_ROOT: Final = Path(__file__).parents[2]

_MARKERS: Final = ("<!-- benchmarks -->\n", "<!-- end of benchmarks -->\n")

_NONE: Final = "-"


def full_table(report: dict[str, Any]) -> str:
    """A row per case: what was done, how long it took, and how that compares with the goals."""
    head = ("work", "tdcur", "best other tool", "times as fast", "goal", "must", "memory")
    rows = [_row(case) for case in report["cases"] if _tdcur(case)]
    return f"{_machine(report)}\n\n{_markdown(head, rows)}"


def short_table(report: dict[str, Any]) -> str:
    """A row per case that the project has set itself a goal for."""
    rows = [
        (_work(case), f"{goal['reached']:.2g} x {goal['peers']}")
        for case in report["cases"]
        for goal in case["goals"]
        if goal["must"] is not None and goal["reached"] is not None
    ]
    return f"{_machine(report)}\n\n{_markdown(('work', 'speed'), rows)}"


def update(report: dict[str, Any], root: Path = _ROOT) -> None:
    """Write both tables between the markers of their documents."""
    for name, table in (("docs/how-it-works/speed.md", full_table), ("README.md", short_table)):
        document = root / name
        before, _, rest = document.read_text(encoding="utf-8").partition(_MARKERS[0])
        _, end, after = rest.partition(_MARKERS[1])
        if not end:
            raise ValueError(f"{document} has no place for the results: {' and '.join(map(repr, _MARKERS))}")
        document.write_text(f"{before}{_MARKERS[0]}\n{table(report)}\n{_MARKERS[1]}{after}", encoding="utf-8")


def _machine(report: dict[str, Any]) -> str:
    where, version = report["machine"], report["tdcur"]
    system = where["platform"].partition("-")[0]
    runs = "one run" if report["runs"] == 1 else f"medians of {report['runs']} runs"
    return f"tdcur {version}, {where['cpus']} cores ({where['processor']}), {system}, Python {where['python']}; {runs}."


def _row(case: dict[str, Any]) -> tuple[str, ...]:
    ours = _tdcur(case)
    peers = [entry for entry in case["contenders"] if entry is not ours]
    best = min(peers, key=lambda entry: entry["median"], default=None)
    # No peak can be told below what the benchmarks themselves took before.
    below = "less than " if ours["peak"] <= case["peak_floor"] else ""
    peak = f"{below}{ours['peak'] / 1e6:,.0f} MB"
    if ours["peak"] > case["max_memory"]:
        peak += f": over {case['max_memory'] / 1e6:,.0f}"
    return (
        f"{_work(case)}{_events(case)}",
        f"{ours['median']:.2f} s",
        _NONE if best is None else f"{best['name']}, {best['median']:.2f} s",
        _NONE if best is None else f"{best['median'] / ours['median']:.2f}",
        _goals(case, "times"),
        _goals(case, "must"),
        peak,
    )


def _goals(case: dict[str, Any], which: str) -> str:
    """Each goal with what was reached, where its peers took part."""
    return "; ".join(_goal(goal, goal[which]) for goal in case["goals"] if goal[which] is not None) or _NONE


def _goal(goal: dict[str, Any], times: float) -> str:
    wanted, reached = f"{times:g} x {goal['peers']}", goal["reached"]
    if reached is None:
        return f"{wanted}: not measured"
    return f"{wanted}: {'reached' if reached >= times else 'not reached'} ({reached:.2f})"


def _work(case: dict[str, Any]) -> str:
    verb, title = case["name"].partition("-")[0], case["title"]
    return f"`{verb}`: {title}"


def _events(case: dict[str, Any]) -> str:
    events = case["input"]["events"]
    return f", {events:,} events" if events > 1 else ""


def _tdcur(case: dict[str, Any]) -> Any:
    return next((entry for entry in case["contenders"] if entry["name"] == TDCUR.name), None)


def _markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return "".join(f"| {' | '.join(row)} |\n" for row in chain([head], _rule(head), rows))


def _rule(head: Sequence[str]) -> Iterator[Sequence[str]]:
    yield ["---"] * len(head)
