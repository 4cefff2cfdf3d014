"""From what a person names to the two sides that are compared."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from td_currents_cli.errors import UsageError
from td_currents_cli.read import sources
from td_currents_cli.read.journal_events import delivered_events
from td_currents_cli.read.options import ReadOptions
from td_currents_cli.reconcile.files import FileSide
from td_currents_cli.reconcile.journal import JournalSide
from td_currents_cli.reconcile.side import Side

if TYPE_CHECKING:
    from td_currents_cli.warehouse.tables import Tables


def sides(
    sent: Sequence[str] | None,
    ingested: Sequence[str] | None,
    journal: Path | None,
    jobs: int,
    *,
    endpoint: str | None = None,
    column: str | None = None,
    tables: "Tables | None" = None,
) -> tuple[Side, Side]:
    """What was sent, and what arrived.

    Args:
        sent: paths of what was sent; none, where a journal stands for it.
        ingested: paths of what arrived.
        journal: a journal of `tdcur send`, instead of what was sent.
        jobs: number of processes.
        endpoint: the one of the journal that is meant, where it knows several.
        column: name or number of the one with the batches, in files of what arrived; None to find it.
        tables: what arrived, where that is in tables of Treasure Data.

    Raises:
        InputError: a path does not exist, or cannot be read.
        UsageError: a side is not given, or given twice, or both are standard input.
    """
    if not ingested:
        raise UsageError("--ingested is missing", hint="Name the ingested rows, or - for standard input.")
    if endpoint and not journal:
        raise UsageError("--endpoint is one of a journal", hint="Add --journal FILE.")
    if bool(sent) == bool(journal):
        what = "are both given" if sent else "are both missing"
        raise UsageError(f"--sent and --journal {what}", hint="Name the files that were sent, or the journal.")
    if tables is None:
        # Of both sides at once: what is wrong with any path is said in one go.
        sources([*(sent or ()), *ingested])
    first = JournalSide(journal, partial(delivered_events, endpoint=endpoint)) if journal else None
    sent_side: Side = first or FileSide(sources(sent), jobs=jobs)
    if tables is None:
        return sent_side, FileSide(sources(ingested), ReadOptions.of(column=column), jobs=jobs)
    from td_currents_cli.reconcile.table import TableSide  # noqa: PLC0415 -- few compare with tables

    return sent_side, TableSide(tables)
