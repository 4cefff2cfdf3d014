"""The results as a table for people and as JSON for scripts."""

import os
import platform
from collections.abc import Iterator, Sequence

from tests.benchmarks.case import Goal
from tests.benchmarks.race import Entry, Result

_SHOWN = 10
"""Differences between answers that are printed; the JSON has all."""

_HEAD = ("", "median s", "best s", "CPU s", "MB/s", "events/s", "peak MB", "x best peer")


def machine() -> dict[str, object]:
    """Where the figures come from: they are comparable within a run, hardly between machines."""
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cpus": os.cpu_count(),
        "load": [round(load, 2) for load in os.getloadavg()],
    }


def text(result: Result) -> str:
    """The table of a case, its goals, and who did not take part."""
    case = result.case
    head = f"{case.name}: {case.title}. {result.events:,} events, {result.size / 1e6:,.1f} MB."
    rows = [_HEAD, *(_row(entry, result) for entry in result.entries)]
    return "\n".join([head, "", *_aligned(rows), "", *_remarks(result)])


def as_dict(result: Result) -> dict[str, object]:
    """The machine form of a case. Times in seconds, memory in bytes."""
    return {
        "name": result.case.name,
        "input": {"shape": result.case.shape, "bytes": result.size, "events": result.events},
        "contenders": [_entry(entry, result) for entry in result.entries],
        "agree": not result.disagreements,
        "disagreements": result.disagreements,
        "failed": dict(result.failed),
        "missing": list(result.missing),
        "peak_floor": result.floor,
        "goals": [_goal(goal, result) for goal in result.case.goals],
    }


def _entry(entry: Entry, result: Result) -> dict[str, object]:
    ratio = _ratio(entry, result)
    return {
        "name": entry.name,
        "version": entry.contender.peer.version(),
        "command": list(entry.contender.command()),
        "wall": [round(run.wall, 4) for run in entry.runs],
        "median": round(entry.median, 4),
        "best": round(entry.best, 4),
        "cpu": round(entry.cpu, 4),
        "peak": entry.peak,
        "megabytes_per_second": round(result.size / 1e6 / entry.median, 1),
        "events_per_second": round(result.events / entry.median),
        "ratio_to_best_peer": None if ratio is None else round(ratio, 3),
        "answer": entry.answer,
        "sample": entry.contender.sample,
    }


def _goal(goal: Goal, result: Result) -> dict[str, object]:
    reached = result.reached(goal)
    return {
        "times": goal.times,
        "than": [peer.name for peer in goal.than],
        "reached": None if reached is None else round(reached, 3),
    }


def _ratio(entry: Entry, result: Result) -> float | None:
    """How many times as fast as the best peer."""
    return result.best_peer.median / entry.median if result.best_peer else None


def _row(entry: Entry, result: Result) -> tuple[str, ...]:
    ratio = _ratio(entry, result)
    below = "<" if entry.peak <= result.floor else ""
    return (
        f"{entry.name} {entry.contender.peer.version()}",
        f"{entry.median:.3f}",
        f"{entry.best:.3f}",
        f"{entry.cpu:.3f}",
        f"{result.size / 1e6 / entry.median:,.0f}",
        f"{result.events / entry.median:,.0f}",
        f"{below}{entry.peak / 1e6:,.0f}",
        "-" if ratio is None else f"{ratio:.2f}",
    )


def _aligned(rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]).rstrip() for row in rows]


def _remarks(result: Result) -> Iterator[str]:
    for goal in result.case.goals:
        reached = result.reached(goal)
        if reached is not None:
            yield f"goal: {goal}: {'reached' if reached >= goal.times else 'not reached'} ({reached:.2f})"
    for entry in result.entries:
        sample = entry.contender.sample
        if sample is not None and sample < result.events:
            yield f"{entry.name} was given {sample:,} events; its times are scaled to all {result.events:,}"
    if result.missing:
        yield f"not installed, left out: {', '.join(result.missing)}"
    for name, failure in result.failed.items():
        yield f"FAILED: {name}: {failure}"
    yield from (f"DIFFERENT: {line}" for line in result.disagreements[:_SHOWN])
    if len(result.disagreements) > _SHOWN:
        yield f"DIFFERENT: and {len(result.disagreements) - _SHOWN} more"
    elif len(result.entries) > 1 and not result.disagreements:
        yield "all answers are equal"
