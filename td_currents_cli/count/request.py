"""The options of `tdcur count`."""

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from datetime import UTC, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING

from td_currents_cli.choices import Sort
from td_currents_cli.count.dimensions import EVENT_TYPE
from td_currents_cli.events.filter import EVERYTHING, Filter
from td_currents_cli.read import Source
from td_currents_cli.read.options import INGESTED, ReadOptions

if TYPE_CHECKING:
    from td_currents_cli.treasure_data.tables import Tables


@dataclass(frozen=True, slots=True)
class CountRequest:
    sources: Sequence[Source]
    _: KW_ONLY
    by: tuple[str, ...] = (EVENT_TYPE,)
    zone: tzinfo = UTC  # of hours, days, weeks and months
    wanted: Filter = EVERYTHING
    unique: bool = False  # also count different events and users
    dedupe: bool = False  # leave out events whose id occurred before
    all_types: bool = False  # include types of the catalog that have no events
    sort: Sort | None = None  # None for the default of the dimensions
    top: int | None = None  # number of groups that are shown; None for all
    pivot: str | None = None  # the dimension whose values become columns
    over_time: bool = False  # count by time too, for sparklines
    expect: Path | None = None
    compare: Path | None = None
    fail_on_drop: float | None = None  # 0 to 1; see CountComparison
    reading: ReadOptions = INGESTED
    jobs: int = 1
    limit: int | None = None  # digests of ids that are kept in memory; None for the default
    tables: "Tables | None" = None  # counted inside Treasure Data, instead of the sources
