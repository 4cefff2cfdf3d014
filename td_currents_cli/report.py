"""`tdcur report`: counts, checks, and compares events, for one page to hand on."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, tzinfo
from pathlib import Path
from typing import ClassVar, Final, TypeAlias

from msgspec import Struct

from td_currents_cli import count, reconcile, validate
from td_currents_cli.count import CountOutcome, CountRequest
from td_currents_cli.count.regroup import counts_by
from td_currents_cli.events.filter import WITHOUT_CANARIES
from td_currents_cli.outcome import Outcome
from td_currents_cli.read import Source
from td_currents_cli.read.options import INGESTED, ReadOptions
from td_currents_cli.read.sources import RereadableSources
from td_currents_cli.reconcile import ReconcileOutcome, ReconcileRequest, TimeScope
from td_currents_cli.reconcile.file_side import FileSide
from td_currents_cli.reconcile.side import Side
from td_currents_cli.validate import ValidateOutcome, ValidateRequest
from td_currents_cli.validate.command import Selection

HOURS: Final = "hour"
NAMES: Final = ("campaign_name", "canvas_name")
"""What messages are counted by."""

KEPT: Final = 1000
EXAMPLES: Final = 3
"""Problems of a rule and event type that are kept."""

MAX_DAYS_OF_HOURS: Final = 3
MAX_DAYS: Final = 92
"""Days of a longer period are too many to tell apart: months are shown instead."""


Watch: TypeAlias = Callable[[str, Sequence[Source]], Sequence[Source]]
"""Given a stage and its sources, returns the same sources, which report how far they are read."""


class ReportRequest(Struct, frozen=True, kw_only=True):
    sources: Sequence[Source]
    selection: Selection  # rules that are checked
    title: str = ""
    names: tuple[str, ...] = ()  # of the inputs, as given
    sent: Sequence[Source] | None = None  # what was sent; the sources if None
    ingested: Sequence[Source] | Side | None = None  # what arrived; nothing is compared if None
    reading: ReadOptions = INGESTED  # of files that arrived
    zone: tzinfo = UTC
    top: int | None = None  # rows of each table
    jobs: int = 1
    watch: Watch = lambda _stage, sources: sources


class ReportOutcome(Outcome, frozen=True, kw_only=True):
    command: ClassVar[str] = "report"

    title: str
    names: tuple[str, ...]  # of the inputs, as given
    types: CountOutcome
    times: tuple[CountOutcome, ...]  # by hour if there are few days, and by day or month
    messages: tuple[CountOutcome, ...]  # by campaign and canvas: only events that have one
    validation: ValidateOutcome
    comparison: ReconcileOutcome | None = None
    output: Path | None = None  # where the page was written
    size: int = 0  # bytes of the page

    def summary(self) -> dict[str, object]:
        return {
            "output": None if self.output is None else str(self.output),
            "bytes": self.size,
            "count": self.types.summary(),
            "validate": self.validation.summary(),
            **({"reconcile": self.comparison.summary()} if self.comparison else {}),
        }

    def data(self) -> dict[str, object]:
        counts = (self.types, *self.times, *self.messages)
        return {"counts": {outcome.by[0]: outcome.data() for outcome in counts}}


def run(request: ReportRequest) -> ReportOutcome:
    """Read the events twice, to count and to check them, and once more to compare them.

    Raises:
        OutputError: a pipe or an object cannot be copied to a temporary file.
        InputError: a source has changed while it was read.
        TdcurError: a table cannot be queried; see `TdClient.query`.
    """
    with RereadableSources() as files:
        sources = files.rereadable(request.sources)
        counted = count.run(
            CountRequest(
                request.watch("counting", sources),
                also=(HOURS, *NAMES),
                wanted=WITHOUT_CANARIES,
                over_time=True,
                zone=request.zone,
                top=request.top,
                jobs=request.jobs,
            )
        )
        checked = validate.run(
            ValidateRequest(
                sources=request.watch("checking", sources),
                selection=request.selection,
                keep=KEPT,
                examples=EXAMPLES,
                jobs=request.jobs,
            )
        )
        compared = _compared(request, sources)
    return ReportOutcome(
        title=request.title,
        names=request.names,
        types=counted,
        times=tuple(_over_time(counted)),
        messages=tuple(counts_by(counted, name, top=request.top, only_named=True) for name in NAMES),
        validation=checked,
        comparison=compared,
        problems=checked.problems,
        exit_code=max(each.exit_code for each in (counted, checked, compared) if each),
    )


def _compared(request: ReportRequest, sources: Sequence[Source]) -> ReconcileOutcome | None:
    ingested = request.ingested
    if ingested is None:
        return None
    sent = sources if request.sent is None else request.sent
    files = ingested if isinstance(ingested, Sequence) else []
    watched = request.watch("comparing", [*sent, *files])
    if isinstance(ingested, Sequence):
        ingested = FileSide(watched[len(sent) :], request.reading, jobs=request.jobs)
    return reconcile.run(
        ReconcileRequest(
            FileSide(watched[: len(sent)], jobs=request.jobs),
            ingested,
            scope=TimeScope(WITHOUT_CANARIES),
            show=EXAMPLES,
        )
    )


def _over_time(counted: CountOutcome) -> Iterator[CountOutcome]:
    days = counts_by(counted, "day", source=HOURS, value_of=lambda hour: hour[:10])
    names = [name for each in days.counts if (name := each.key[0])]
    period = 1 + (date.fromisoformat(names[-1]) - date.fromisoformat(names[0])).days if names else 0
    if 0 < period <= MAX_DAYS_OF_HOURS:
        yield counts_by(counted, HOURS)
    yield days if period <= MAX_DAYS else counts_by(counted, "month", source=HOURS, value_of=lambda hour: hour[:7])
