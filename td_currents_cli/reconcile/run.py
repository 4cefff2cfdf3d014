"""Compares two sides."""

import os
from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace

from msgspec import Struct

from td_currents_cli.errors import ExitCode, UsageError
from td_currents_cli.outcome import ProblemLog
from td_currents_cli.reconcile.compare import compare
from td_currents_cli.reconcile.differences import Differences, Group, Repeats
from td_currents_cli.reconcile.gather import Gathered, gather
from td_currents_cli.reconcile.keep import keep
from td_currents_cli.reconcile.outcome import Difference, ReconcileOutcome, SideFigures, Spilled
from td_currents_cli.reconcile.request import Kind, ReconcileRequest
from td_currents_cli.reconcile.shelf import Shelf
from td_currents_cli.reconcile.side import Depth, Look


def run(request: ReconcileRequest) -> ReconcileOutcome:
    """Compare what was sent with what arrived, id by id.

    Raises:
        InputError: a side cannot be read, or has changed while it was read.
        OutputError: a file cannot be written, or fingerprints fit neither into memory nor on the disk.
        UsageError: the request makes no sense.
    """
    _check(request)
    log = ProblemLog()
    with closing(request.sent), closing(request.ingested):
        depth = min(request.sent.depth, request.ingested.depth)
        compared = _compared(request, Look(depth), log)
        differences = compared.differences
        if differences.suspects and depth is Depth.CONTENT:
            # Nearly always events arrive as they were written: only of the others, it is asked what they hold.
            closer = Look(depth, differences.suspects)
            differences.settle(_compared(request, closer, ProblemLog()).differences)
        kept = keep(request, differences)
    number = {kind: Difference(_sorted(groups), kept.examples[kind]) for kind, groups in differences.groups.items()}
    outcome = ReconcileOutcome(
        sent=_figures(differences.sent, compared.sent, differences.sent_repeats),
        ingested=_figures(differences.ingested, compared.ingested, differences.ingested_repeats),
        matched=differences.both - number[Kind.CHANGED].count,
        differences=number,
        times=differences.ingested_repeats.times,
        depth=depth,
        unknown=differences.unknown,
        failed=tuple(kind for kind in Kind if kind in request.fail_on and number[kind].count),
        payloads=kept.payloads,
        resend=request.resend,
        spilled=Spilled(compared.spilled, request.limit) if compared.spilled else None,
        problems=log.result(),
    )
    return replace(outcome, exit_code=_exit_code(outcome))


class _Compared(Struct):
    """What came of both sides: all that was read of each, what is different, bytes that went to disk."""

    sent: Gathered
    ingested: Gathered
    differences: Differences
    spilled: int


def _compared(request: ReconcileRequest, look: Look, log: ProblemLog) -> _Compared:
    """Compare all ids, or suspects alone."""
    with Shelf(request.limit) as first:
        sent = gather(request.sent, request.scope, look, first, log)
        with Shelf(max(request.limit - first.held, request.limit // 8)) as second:
            ingested = gather(request.ingested, request.scope, look, second, log)
            spilled = first.spilled + second.spilled
            differences = Differences(first.events, request.show)
            compare(first, second, differences, look.depth)
            return _Compared(sent, ingested, differences, spilled)


def _check(request: ReconcileRequest) -> None:
    resend, ids = request.resend, request.ids
    if resend and not request.sent.has_events:
        raise UsageError(
            "--resend needs the events that were sent, and a journal has only their ids",
            hint="Give their files with --sent, or list the ids with --ids.",
        )
    if resend and ids and os.path.realpath(resend) == os.path.realpath(ids):
        raise UsageError("--resend and --ids cannot go to the same file", hint="Give --ids another name.")
    for option, path in (("--resend", resend), ("--ids", ids)):
        if path and (request.sent.reads(path) or request.ingested.reads(path)):
            raise UsageError(f"{option} {path}: this file is compared itself", hint=f"Give {option} another name.")


def _sorted(groups: Mapping[str | None, Group]) -> dict[str | None, Group]:
    """The largest first, then by name."""
    return dict(sorted(groups.items(), key=lambda each: (-each[1].count, each[0] is None, each[0] or "")))


def _figures(ids: int, gathered: Gathered, repeats: Repeats) -> SideFigures:
    by_type = Counter(gathered.tally.by_type)
    by_type.subtract(repeats.by_type)
    return SideFigures(ids=ids, by_type=by_type, tally=gathered.tally, balance=gathered.balance)


def _exit_code(outcome: ReconcileOutcome) -> ExitCode:
    """Never 0 when something may be missing: of an event that was sent without an id, nobody knows."""
    code = outcome.problems.exit_code
    return max(code, ExitCode.FINDINGS) if outcome.failed or outcome.sent.without_id or not outcome.balanced else code
