"""`tdcur parse --into`: which options it takes, and the requests that these make."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from td_currents_cli.cli.command import ExplicitOptions, refuse
from td_currents_cli.errors import UsageError

if TYPE_CHECKING:
    from td_currents_cli.events.filter import Filter
    from td_currents_cli.outcome import Outcome
    from td_currents_cli.treasure_data.tables import Tables

_OF_INCREMENTAL: Final = frozenset({"--from-beginning", "--overlap", "--settle", "--split-tables", "--dry-run"})

_OF_BOTH: Final = frozenset(
    {
        *("--into", "--type", "--received-since", "--received-until", "--summary", "--catalog"),
        *("--site", "--column", "--api-key-file"),
        *("--quiet", "--verbose", "--color", "--progress", "--profile"),
    }
)

INTO_OPTIONS: Final = _OF_BOTH | {"--since", "--until", "--late", "--dedupe"}
"""Options that can be used with --into."""

INCREMENTAL_OPTIONS: Final = _OF_BOTH | _OF_INCREMENTAL | {"--incremental"}
"""Options that can be used with --incremental."""


def check_insert_options(given: ExplicitOptions) -> None:
    """Raises UsageError for options that contradict --into or --incremental, or need them."""
    if "--incremental" in given:
        if "--into" not in given:
            raise UsageError("--incremental needs a table to insert into", hint="Add --into td://DATABASE/TABLE.")
        hint = "It inserts whatever came, each id once: remove one of the two options."
        refuse(given - INCREMENTAL_OPTIONS, "--incremental", hint)
        if {"--from-beginning", "--received-since"} <= given:
            refuse({"--received-since"}, "--from-beginning", "Both say where to begin: remove one of the two.")
        return
    for option in sorted(given & _OF_INCREMENTAL):
        raise UsageError(f"{option} works only with --incremental", hint="Add --incremental.")
    if "--into" in given:
        refuse(given - INTO_OPTIONS, "--into", "--into inserts the events unchanged: remove one of the two options.")


@dataclass(frozen=True, slots=True, kw_only=True)
class InsertTarget:
    """The value of --into, and what is inserted there."""

    into: str
    tables: "Tables"
    wanted: "Filter"
    summary: Path | None
    now: float

    @classmethod
    def of(
        cls, into: str, tables: "Tables | None", wanted: "Filter", summary: Path | None, *, now: float
    ) -> "InsertTarget":
        """Raises UsageError if the inputs are files."""
        if tables is None:
            raise UsageError(
                "--into works only with a table as PATH (td://…), not with files", hint="Use -o FILE instead."
            )
        return cls(into=into, tables=tables, wanted=wanted, summary=summary, now=now)

    def insert(self, *, dedupe: bool) -> "Outcome":
        from td_currents_cli.treasure_data.address import parse_address  # noqa: PLC0415 -- only with --into
        from td_currents_cli.treasure_data.insert import InsertRequest, run  # noqa: PLC0415

        return run(
            InsertRequest(
                tables=self.tables.until(self.now),
                into=parse_address(self.into),
                wanted=self.wanted,
                dedupe=dedupe,
                summary=self.summary,
            )
        )

    def insert_new(
        self, *, since: float | None, until: float | None, overlap: str, settle: str, split_tables: bool, dry_run: bool
    ) -> "Outcome":
        from td_currents_cli.durations import duration  # noqa: PLC0415 -- only with --incremental
        from td_currents_cli.treasure_data.address import parse_address  # noqa: PLC0415
        from td_currents_cli.treasure_data.incremental import IncrementalRequest, run  # noqa: PLC0415

        return run(
            IncrementalRequest(
                tables=self.tables,
                into=parse_address(self.into, needs_table=not split_tables),
                wanted=self.wanted,
                now=self.now,
                overlap=duration(overlap, "--overlap"),
                settle=duration(settle, "--settle"),
                received_since=since,
                received_until=until,
                split_tables=split_tables,
                dry_run=dry_run,
                summary=self.summary,
            )
        )
