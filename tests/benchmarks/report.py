"""The results as a table for people."""

from collections.abc import Iterator
from typing import Any

from tests.benchmarks.case import TDCUR


def text(result: dict[str, Any]) -> str:
    """The table of a case, its goals, and who did not take part."""
    events, size = result["input"]["events"], result["input"]["bytes"]
    head = f"{result['name']}: {result['title']}. {events:,} events, {size / 1e6:,.1f} MB."
    names = ("", "median s", "best s", "CPU s", "MB/s", "events/s", "peak MB", "x best peer")
    rows = [names, *(_row(each, result["peak_floor"]) for each in result["contenders"])]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    table = ["  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]).rstrip() for row in rows]
    return "\n".join([head, "", *table, "", *_remarks(result)])


def _row(entry: dict[str, Any], floor: int) -> tuple[str, ...]:
    ratio = entry["ratio_to_best_peer"]
    below = "<" if entry["peak"] <= floor else ""
    return (
        f"{entry['name']} {entry['version']}",
        f"{entry['median']:.3f}",
        f"{entry['best']:.3f}",
        f"{entry['cpu']:.3f}",
        f"{entry['megabytes_per_second']:,.0f}",
        f"{entry['events_per_second']:,}",
        f"{below}{entry['peak'] / 1e6:,.0f}",
        "-" if ratio is None else f"{ratio:.2f}",
    )


def _is_reached(goal: dict[str, Any], which: str) -> str:
    return "reached" if goal["reached"] >= goal[which] else "not reached"


def _remarks(result: dict[str, Any]) -> Iterator[str]:
    events, disagreements = result["input"]["events"], result["disagreements"]
    for each in result["goals"]:
        if each["reached"] is not None:
            must = "" if each["must"] is None else f"; must: {each['must']:g} times: {_is_reached(each, 'must')}"
            yield f"goal: {each['goal']}: {_is_reached(each, 'times')} ({each['reached']:.2f}){must}"
    peak = max((entry["peak"] for entry in result["contenders"] if entry["name"] == TDCUR.name), default=0)
    if peak > result["max_memory"]:
        yield f"must: {result['max_memory'] / 1e6:,.0f} MB of memory or less: not reached ({peak / 1e6:,.0f})"
    for entry in result["contenders"]:
        if (sample := entry["sample"]) is not None and sample < events:
            yield f"{entry['name']} was given {sample:,} events; its times are scaled to all {events:,}"
    if result["missing"]:
        yield f"not installed, left out: {', '.join(result['missing'])}"
    for name, failure in result["failed"].items():
        yield f"FAILED: {name}: {failure}"
    yield from (f"DIFFERENT: {line}" for line in disagreements)
    if len(result["contenders"]) > 1 and not disagreements:
        yield "all answers are equal"
