"""Runs `tdcur reconcile`."""

import os
from collections.abc import Mapping, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import structs

from td_currents_cli.errors import ExitCode, UsageError
from td_currents_cli.journal.reader import delivered_events
from td_currents_cli.outcome import ProblemLog
from td_currents_cli.read import Source, sources
from td_currents_cli.read.export_layout import PartFilter
from td_currents_cli.read.options import MAX_DOCUMENT_SIZE, ReadOptions
from td_currents_cli.read.sources import InputProgress
from td_currents_cli.reconcile.compare import DiffCollector, DiffGroup, compare
from td_currents_cli.reconcile.file_side import FileSide, JournalSide
from td_currents_cli.reconcile.fingerprints import FingerprintStore, TimeScope
from td_currents_cli.reconcile.missing import report_missing
from td_currents_cli.reconcile.result import Difference, ReconcileOutcome
from td_currents_cli.reconcile.side import CompareMode, Depth, DiffKind, ReconcileRequest, Side, SideFigures

if TYPE_CHECKING:
    from td_currents_cli.read.received import ReceiveTimes
    from td_currents_cli.treasure_data.tables import Tables


def read_side(side: Side, scope: TimeScope, mode: CompareMode, store: FingerprintStore, log: ProblemLog) -> SideFigures:
    """Put the fingerprints of a side into a store, and its problems into a log."""
    figures = SideFigures()
    with closing(side.chunks(scope, mode)) as chunks:
        for chunk in chunks:
            # From the end, so that the memory of each batch is released once it is stored.
            batches = chunk.batches
            batches.reverse()
            while batches:
                store.add(batches.pop())
            figures.counts.add(chunk.counts)
            figures.balance += chunk.balance
            figures.sources.add(chunk.sources)
            log.merge(chunk.problems)
    figures.by_type.update(figures.counts.by_type)
    figures.spilled = store.spilled
    return figures


def run(request: ReconcileRequest) -> ReconcileOutcome:
    """Compare what was sent with what arrived, by id.

    Raises:
        InputError: a side cannot be read, or has changed while it was read.
        OutputError: a file cannot be written, or fingerprints fit neither into memory nor on disk.
        UsageError: the request is invalid.
    """
    _check(request)
    log = ProblemLog()
    with closing(request.sent), closing(request.ingested):
        depth = min(request.sent.depth, request.ingested.depth)
        per_id = bool(request.scope) and (request.sent.streaming or request.ingested.streaming)
        in_two_forms = depth is Depth.CONTENT and request.sent.exported is not request.ingested.exported
        mode = CompareMode(depth, exported=in_two_forms, per_id=per_id, expect_anonymous=request.expect_anonymous)
        differences = _compare_sides(request, mode, log)
        exported = differences.sent.sources.exported or differences.ingested.sources.exported
        if mode.exported and not exported:
            mode = structs.replace(mode, exported=False)
            differences = _compare_sides(request, mode, ProblemLog())
        streaming = differences.sent.sources.streaming or differences.ingested.sources.streaming
        if request.scope and streaming and not per_id:
            per_id = True
            mode = structs.replace(mode, per_id=per_id)
            differences = _compare_sides(request, mode, ProblemLog())
        sent, ingested = differences.sent, differences.ingested
        if differences.suspects and depth is Depth.CONTENT and (streaming or not mode.exported):
            # Nearly all events arrive as they were written: only the others are compared by what they contain.
            mode = structs.replace(mode, suspects=differences.suspects, streaming=streaming, exported=exported)
            if request.progress is not None:
                request.progress.stage = "comparing contents"
            of_suspects = _compare_sides(request, mode, ProblemLog())
            differences.groups[DiffKind.CHANGED] = of_suspects.groups[DiffKind.CHANGED]
            differences.examples[DiffKind.CHANGED] = of_suspects.examples[DiffKind.CHANGED]
        # What was not found may be in the rows that could not be read: sending it again would store it twice.
        withheld = bool(ingested.unread) and not request.force and differences.missing.count > 0
        examples, payloads = report_missing(request, differences, write=not withheld)
    number = {kind: Difference(_sorted(groups), examples[kind]) for kind, groups in differences.groups.items()}
    outcome = ReconcileOutcome(
        sent=sent,
        ingested=ingested,
        matched=differences.both - number[DiffKind.CHANGED].count,
        differences=number,
        depth=depth,
        per_id=per_id,
        streaming=streaming and depth is Depth.CONTENT,
        unknown=differences.unknown,
        anonymous=differences.anonymous,
        failed=tuple(kind for kind in DiffKind if kind in request.fail_on and number[kind].count),
        payloads=payloads,
        resend=request.resend,
        withheld=tuple(path for path in (request.resend, request.ids) if path and withheld),
        limit=request.limit,
        problems=log.result(),
    )
    # Never 0 if something may be missing: whether an event that was sent without an id arrived is unknown.
    incomplete = outcome.failed or sent.counts.without_id or not outcome.balanced
    unreadable = sent.sources.unreadable | ingested.sources.unreadable
    code = ExitCode.IO if unreadable else outcome.problems.exit_code
    return structs.replace(outcome, exit_code=max(code, ExitCode.FINDINGS) if incomplete else code)


def _compare_sides(request: ReconcileRequest, mode: CompareMode, log: ProblemLog) -> DiffCollector:
    """Compare all ids, or suspects only."""
    with FingerprintStore(request.limit) as first:
        sent = read_side(request.sent, request.scope, mode, first, log)
        with FingerprintStore(max(request.limit - first.memory_bytes, request.limit // 8)) as second:
            ingested = read_side(request.ingested, request.scope, mode, second, log)
            differences = DiffCollector(sent, ingested, first.events, request.show)
            # A table has fields that the export does not have; only their digests are known.
            exported = sent.sources.exported or ingested.sources.exported
            differences.is_exact = not (exported and mode.depth is Depth.OUTLINE)
            compare(first, second, differences, mode)
            return differences


def _check(request: ReconcileRequest) -> None:
    resend, ids = request.resend, request.ids
    if resend and request.sent.depth is not Depth.CONTENT:
        raise UsageError(
            "--missing-file needs the sent events, but of a journal or a table (td://…) only their ids are read",
            hint="Give the sent files with --sent, or write the ids with --ids.",
        )
    if resend and ids and os.path.realpath(resend) == os.path.realpath(ids):
        raise UsageError("--missing-file and --ids cannot be the same file", hint="Give --ids another name.")
    for option, path in (("--missing-file", resend), ("--ids", ids)):
        if path and (request.sent.reads(path) or request.ingested.reads(path)):
            raise UsageError(f"{option} {path}: this file is an input", hint=f"Give {option} another name.")


def _sorted(groups: Mapping[str | None, DiffGroup]) -> dict[str | None, DiffGroup]:
    """The largest first, then by name."""
    return dict(sorted(groups.items(), key=lambda each: (-each[1].count, each[0] is None, each[0] or "")))


def sides(
    sent: Sequence[str] | None,
    ingested: Sequence[str] | None,
    journal: Path | None,
    jobs: int,
    *,
    endpoint: str | None = None,
    column: str | None = None,
    sent_tables: "Tables | None" = None,
    tables: "Tables | None" = None,
    max_document_size: int = MAX_DOCUMENT_SIZE,
    event_type: str | None = None,
    parts: PartFilter | None = None,
    received: "ReceiveTimes | None" = None,
    progress: InputProgress | None = None,
) -> tuple[Side, Side]:
    """Open what was sent (files, tables, or a journal of `tdcur send`), and what arrived (files or tables).

    `endpoint` selects one of a journal's endpoints; `column` is that of the batches in ingested files, and `received`
    selects rows of these. `sent_tables` and `tables` are the paths of each side, if they are tables.

    Raises:
        InputError: a path does not exist, or cannot be read.
        UsageError: a side is missing or given twice, or both are standard input.
    """
    if not ingested:
        raise UsageError("--ingested is missing", hint="Name the ingested rows, or - for standard input.")
    if endpoint and not journal:
        raise UsageError("--endpoint needs --from-journal", hint="Add --from-journal FILE.")
    if bool(sent) == bool(journal):
        what = "--sent and --from-journal cannot be used together" if sent else "--sent or --from-journal is missing"
        raise UsageError(what, hint="Name the files that were sent, or the journal.")
    # Both sides at once, so that one error names everything that is wrong with the paths.
    sources([*((sent or ()) if sent_tables is None else ()), *(ingested if tables is None else ())])
    progress = progress or InputProgress()

    def opened(paths: Sequence[str] | None) -> Sequence[Source]:
        found = sources(paths, max_document_size=max_document_size, event_type=event_type, parts=parts)
        return progress.watched(found)

    def table_side(tables: "Tables") -> Side:
        from td_currents_cli.reconcile.table_side import TableSide  # noqa: PLC0415 -- only needed for tables

        return TableSide(tables)

    first = JournalSide(journal, partial(delivered_events, endpoint=endpoint)) if journal else None
    sent_side = first or (FileSide(opened(sent), jobs=jobs) if sent_tables is None else table_side(sent_tables))
    if tables is not None:
        return sent_side, table_side(tables)
    return sent_side, FileSide(opened(ingested), ReadOptions.of(column=column, received=received), jobs=jobs)
