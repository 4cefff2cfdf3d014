"""What `tdcur count` is asked for."""

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from datetime import UTC, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING

from td_currents_cli.choices import Sort
from td_currents_cli.count.dimension import EVENT_TYPE
from td_currents_cli.events.filter import EVERYTHING, Filter
from td_currents_cli.read import Source
from td_currents_cli.read.options import INGESTED, ReadOptions

if TYPE_CHECKING:
    from td_currents_cli.warehouse.tables import Tables


@dataclass(frozen=True, slots=True)
class CountRequest:
    """What to count, and how to show it.

    Attributes:
        sources: where the events are, unless they are in tables.
        by: names of what to count by; see `dimension`.
        zone: the time zone of hours, days, weeks and months.
        wanted: which events are counted; all others are `filtered`.
        unique: whether to count different events and users too.
        dedupe: whether events are left out whose id came before.
        all_types: whether types of the catalogue that no event has are groups too.
        sort: order of the groups; None for the one that suits them.
        top: how many groups are shown by themselves; None for all.
        pivot: one of `by`, whose values are to be columns of a table.
        over_time: whether to keep counts over time, for sparklines.
        expect: a file with the counts that should come out.
        compare: a file with the counts of an earlier run.
        fail_on_drop: part, 0 to 1, by which no group may have fewer events than in the earlier run; None for any.
        reading: what is known of the form of the sources.
        jobs: number of processes.
        limit: digests of ids that are kept in memory; None for the usual number.
        tables: of Treasure Data, to be asked instead of the sources; None for none.
    """

    sources: Sequence[Source]
    _: KW_ONLY
    by: tuple[str, ...] = (EVENT_TYPE,)
    zone: tzinfo = UTC
    wanted: Filter = EVERYTHING
    unique: bool = False
    dedupe: bool = False
    all_types: bool = False
    sort: Sort | None = None
    top: int | None = None
    pivot: str | None = None
    over_time: bool = False
    expect: Path | None = None
    compare: Path | None = None
    fail_on_drop: float | None = None
    reading: ReadOptions = INGESTED
    jobs: int = 1
    limit: int | None = None
    tables: "Tables | None" = None
