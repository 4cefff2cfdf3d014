"""Opens the two sides that the options name."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from td_currents_cli.errors import UsageError
from td_currents_cli.journal.reader import delivered_events
from td_currents_cli.read import sources
from td_currents_cli.read.options import ReadOptions
from td_currents_cli.reconcile.files import FileSide
from td_currents_cli.reconcile.journal import JournalSide
from td_currents_cli.reconcile.side import Side

if TYPE_CHECKING:
    from td_currents_cli.treasure_data.tables import Tables


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
    """Open what was sent (files, or a journal of `tdcur send`), and what arrived (files, or tables of Treasure Data).

    `endpoint` selects one of a journal's endpoints, `column` the column with the batches in ingested files.

    Raises:
        InputError: a path does not exist, or cannot be read.
        UsageError: a side is missing or given twice, or both are standard input.
    """
    if not ingested:
        raise UsageError("--ingested is missing", hint="Name the ingested rows, or - for standard input.")
    if endpoint and not journal:
        raise UsageError("--endpoint needs --journal", hint="Add --journal FILE.")
    if bool(sent) == bool(journal):
        what = "--sent and --journal cannot be used together" if sent else "--sent or --journal is missing"
        raise UsageError(what, hint="Name the files that were sent, or the journal.")
    if tables is None:
        # Both sides at once, so that one error names everything that is wrong with the paths.
        sources([*(sent or ()), *ingested])
    first = JournalSide(journal, partial(delivered_events, endpoint=endpoint)) if journal else None
    sent_side: Side = first or FileSide(sources(sent), jobs=jobs)
    if tables is None:
        return sent_side, FileSide(sources(ingested), ReadOptions.of(column=column), jobs=jobs)
    from td_currents_cli.reconcile.table import TableSide  # noqa: PLC0415 -- only needed for tables

    return sent_side, TableSide(tables)
