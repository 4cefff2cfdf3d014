"""A case run: every contender in turn, round after round, so that all share what else the machine does."""

import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median

from tests.benchmarks.case import Answer, Case, Contender, Goal
from tests.benchmarks.corpus import Corpus
from tests.benchmarks.measure import FailedError, Run, floor, run
from tests.benchmarks.peers import TDCUR


@dataclass(slots=True)
class Entry:
    """What is known of one contender."""

    contender: Contender  # who
    runs: list[Run] = field(default_factory=list)  # the timed ones, in order
    answer: Answer | None = None  # the one it gave first, None before
    failure: str | None = None  # why it was taken out of the race, None when it was not

    @property
    def name(self) -> str:
        return self.contender.peer.name

    @property
    def median(self) -> float:
        """Seconds of wall time."""
        return median(each.wall for each in self.runs)

    @property
    def best(self) -> float:
        """Seconds of wall time."""
        return min(each.wall for each in self.runs)

    @property
    def cpu(self) -> float:
        """Median seconds of processor time."""
        return median(each.cpu for each in self.runs)

    @property
    def peak(self) -> int:
        """The most memory of any run, in bytes."""
        return max(each.peak for each in self.runs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A case that has been run."""

    case: Case  # which
    size: int  # bytes of the input
    events: int  # in the input
    entries: Sequence[Entry]  # the contenders that came to the end, in the order of the case
    failed: Mapping[str, str]  # why a contender did not, by its name
    missing: Sequence[str]  # names of those that are not installed
    floor: int  # bytes of memory below which a peak cannot be told

    @property
    def ours(self) -> Entry | None:
        return next((entry for entry in self.entries if entry.contender.peer is TDCUR), None)

    @property
    def peers(self) -> list[Entry]:
        return [entry for entry in self.entries if entry.contender.peer is not TDCUR]

    @property
    def disagreements(self) -> list[str]:
        """How answers differ from the first contender's, a line for each name; empty when all are equal."""
        return [line for entry in self.entries[1:] for line in _differences(self.entries[0], entry)]

    @property
    def best_peer(self) -> Entry | None:
        """The fastest by its median, `tdcur` itself left out."""
        return min(self.peers, key=lambda entry: entry.median, default=None)

    def reached(self, goal: Goal) -> float | None:
        """How many times as fast as the best of the goal's peers `tdcur` is; None unless all of them took part."""
        times = [entry.median for entry in self.peers if entry.contender.peer in goal.than]
        return min(times) / self.ours.median if self.ours and len(times) == len(goal.than) else None


def race(case: Case, corpus: Corpus, *, runs: int, answers: Path | None = None) -> Result:
    """Run a case: a round that is not timed, then `runs` rounds; `answers` is a folder that keeps what is printed."""
    source = corpus.file(case.shape)
    present = [Entry(contender) for contender in case.contenders if contender.peer.version()]
    with tempfile.TemporaryDirectory(prefix="tdcur-benchmark-") as scratch, case.setting(source):
        for entry, number in _turns(present, runs):
            _take_turn(entry, source, Path(scratch), answers, events=corpus.events if number else None)
            _say(case, entry, number, runs)
    return Result(
        case=case,
        size=source.stat().st_size,
        events=corpus.events,
        entries=[entry for entry in present if entry.failure is None],
        failed={entry.name: entry.failure for entry in present if entry.failure is not None},
        missing=[contender.peer.name for contender in case.contenders if not contender.peer.version()],
        floor=floor(),
    )


def _turns(entries: Sequence[Entry], runs: int) -> Iterator[tuple[Entry, int]]:
    """Who is next, and in which round; 0 is the warm-up. Each round begins with another one."""
    for number in range(runs + 1):
        first = number % max(1, len(entries))
        for entry in (*entries[first:], *entries[:first]):
            if entry.failure is None:
                yield entry, number


def _take_turn(entry: Entry, source: Path, scratch: Path, answers: Path | None, *, events: int | None) -> None:
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


def _differences(first: Entry, other: Entry) -> Iterator[str]:
    left, right = first.answer or {}, other.answer or {}
    for name in sorted(left.keys() | right.keys()):
        if left.get(name) != right.get(name):
            yield f"{name}: {first.name} {left.get(name)}, {other.name} {right.get(name)}"


def _say(case: Case, entry: Entry, number: int, runs: int) -> None:
    turn = f"run {number} of {runs}" if number else "warm-up"
    took = entry.failure or (f"{entry.runs[-1].wall:.3f} s" if number else "done")
    print(f"{case.name}: {turn}: {entry.name}: {took}", file=sys.stderr, flush=True)
