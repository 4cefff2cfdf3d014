"""A case run: every contender in turn, round after round, so that all share what else the machine does."""

import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median
from typing import Any

from tests.benchmarks.case import MAX_MEMORY, TDCUR, Answer, Case, Contender, Goal
from tests.benchmarks.measure import FailedError, Run, floor, run


@dataclass(slots=True)
class _Entry:
    """What is known of one contender."""

    contender: Contender
    runs: list[Run] = field(default_factory=list)  # the timed ones, in order
    answer: Answer | None = None  # the one it gave first, None before
    failure: str | None = None  # why it was taken out of the race, None when it was not

    @property
    def name(self) -> str:
        return self.contender.peer.name


def race(case: Case, source: Path, *, events: int, runs: int, answers: Path | None = None) -> dict[str, Any]:
    """Run a case with an input of so many events: a round that is not timed, then `runs` rounds.

    `answers` is a folder that keeps what is printed. Returns the machine form of the result: times in seconds, memory
    in bytes.
    """
    present = [_Entry(each) for each in case.contenders if each.peer.version()]
    with tempfile.TemporaryDirectory(prefix="tdcur-benchmark-") as scratch, case.setting(source):
        for entry, number in _turns(present, runs):
            _take_turn(entry, source, Path(scratch), answers, events=events if number else None)
            turn = f"run {number} of {runs}" if number else "warm-up"
            took = entry.failure or (f"{entry.runs[-1].wall:.3f} s" if number else "done")
            print(f"{case.name}: {turn}: {entry.name}: {took}", file=sys.stderr, flush=True)
    size, done = source.stat().st_size, [entry for entry in present if entry.failure is None]
    medians = {entry.name: median(each.wall for each in entry.runs) for entry in done}
    best_peer = min((medians[name] for name in medians if name != TDCUR.name), default=None)
    disagreements = [line for entry in done[1:] for line in _differences(done[0], entry)]
    return {
        "name": case.name,
        "title": case.title,
        "input": {"shape": case.shape, "bytes": size, "events": events},
        "contenders": [_figures(entry, size, events, best_peer) for entry in done],
        "agree": not disagreements,
        "disagreements": disagreements,
        "failed": {entry.name: entry.failure for entry in present if entry.failure is not None},
        "missing": [each.peer.name for each in case.contenders if not each.peer.version()],
        "peak_floor": floor(),
        "max_memory": MAX_MEMORY,
        "goals": [_reached(goal, medians) for goal in case.goals],
    }


def _turns(entries: Sequence[_Entry], runs: int) -> Iterator[tuple[_Entry, int]]:
    """Who is next, and in which round; 0 is the warm-up. Each round begins with another one."""
    for number in range(runs + 1):
        first = number % max(1, len(entries))
        for entry in (*entries[first:], *entries[:first]):
            if entry.failure is None:
                yield entry, number


def _take_turn(entry: _Entry, source: Path, scratch: Path, answers: Path | None, *, events: int | None) -> None:
    """Run a contender; its time for so many events counts, none where they are None."""
    stdout = (answers or scratch) / f"{entry.name}.out"
    try:
        measured = run([*entry.contender.command(), str(source)], stdout=stdout, folder=scratch)
    except FailedError as error:
        entry.failure = str(error)
        return
    try:
        answer = entry.contender.answer(stdout)
    except (ValueError, LookupError, TypeError) as error:
        entry.failure = f"printed something else than an answer: {error}"
        return
    if entry.answer is None:
        entry.answer = answer
    elif entry.answer != answer:
        entry.failure = "gave another answer than in its first run"
    if events is not None:
        factor = max(1.0, events / (entry.contender.sample or events))
        entry.runs.append(replace(measured, wall=factor * measured.wall, cpu=factor * measured.cpu))


def _differences(first: _Entry, other: _Entry) -> Iterator[str]:
    left, right = first.answer or {}, other.answer or {}
    for name in sorted(left.keys() | right.keys()):
        if left.get(name) != right.get(name):
            yield f"{name}: {first.name} {left.get(name)}, {other.name} {right.get(name)}"


def _figures(entry: _Entry, size: int, events: int, best_peer: float | None) -> dict[str, Any]:
    middle = median(each.wall for each in entry.runs)
    return {
        "name": entry.name,
        "version": entry.contender.peer.version(),
        "command": list(entry.contender.command()),
        "wall": [round(each.wall, 4) for each in entry.runs],
        "median": round(middle, 4),
        "best": round(min(each.wall for each in entry.runs), 4),
        "cpu": round(median(each.cpu for each in entry.runs), 4),
        "peak": max(each.peak for each in entry.runs),
        "megabytes_per_second": round(size / 1e6 / middle, 1),
        "events_per_second": round(events / middle),
        "ratio_to_best_peer": None if best_peer is None else round(best_peer / middle, 3),
        "answer": entry.answer,
        "sample": entry.contender.sample,
    }


def _reached(goal: Goal, medians: dict[str, float]) -> dict[str, Any]:
    """How many times as fast as the best of the goal's peers `tdcur` is; None unless all of them took part."""
    than = [peer.name for peer in goal.than]
    took_part = medians.keys() >= {TDCUR.name, *than}
    reached = round(min(medians[name] for name in than) / medians[TDCUR.name], 3) if took_part else None
    return {
        "goal": str(goal),
        "times": goal.times,
        "must": goal.must,
        "peers": goal.peers,
        "than": than,
        "reached": reached,
    }
