"""Options of several commands, and what they select: the sources and tables that are read."""

import os
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, tzinfo
from typing import TYPE_CHECKING, Any, Final, TypeVar

import typer
from msgspec.structs import replace

from td_currents_cli.braze import CANARY, Site
from td_currents_cli.cli import complete
from td_currents_cli.cli.command import (
    ExplicitOptions,
    OutputFormat,
    PanelCommand,
    checks_option,
    destination_option,
    filters_option,
    general_option,
    input_option,
    output_option,
    refuse,
)
from td_currents_cli.errors import UsageError
from td_currents_cli.read.options import InputFormat
from td_currents_cli.render.terminal import Terminal

if TYPE_CHECKING:
    from td_currents_cli.events.filter import Filter
    from td_currents_cli.outcome import Outcome
    from td_currents_cli.read import Source
    from td_currents_cli.read.export_layout import PartFilter
    from td_currents_cli.read.received import ReceiveTimes
    from td_currents_cli.render.terminal import ProgressLine
    from td_currents_cli.treasure_data.address import TableAddress
    from td_currents_cli.treasure_data.tables import Tables


def repeat_options(arguments: Sequence[str], options: Iterable[str]) -> list[str]:
    """Repeat an option before each of its values: `--sent a --sent b` for `--sent a b`.

    An option takes every value up to the next option.

    Raises:
        UsageError: an option has no value.
    """
    names, missing = frozenset(options), ""
    current: str | None = None
    repeated: list[str] = []
    for each in (*arguments, "--end"):
        is_option = each.startswith("-") and each != "-"
        if is_option and missing:
            raise UsageError(f"{missing} requires a path", hint="Name files, folders, globs, or - for standard input.")
        if not is_option:
            repeated += [each] if current is None else [current, each]
            missing = ""
            continue
        name, equals, _value = each.partition("=")
        current = name if name in names else None
        missing = name if current and not equals else ""
        repeated += [] if missing else [each]
    return repeated[:-1]


class MultiValueCommand(PanelCommand):
    """A command without arguments, whose repeatable options take several values each."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 -- Typer's private Context
        if ctx.resilient_parsing:
            return super().parse_args(ctx, args)
        multiple = [name for option in self.params if option.multiple for name in option.opts]
        return super().parse_args(ctx, repeat_options(args, multiple))


FILE_OPTIONS: Final = frozenset({"--from", "--no-header", "--max-document-size", "--event-type"})
"""Options of files that cannot be used with a table."""

PATHS: Final[Any] = typer.Argument(
    None,
    metavar="PATH…",
    help="Files, folders, globs, or - for standard input (the default). Compression is detected.",
    show_default=False,
)

TEXT_FORMAT: Final[Any] = output_option("--format", default=OutputFormat.text, help="Output format.")

JOBS: Final[Any] = general_option(
    min=1, help="Number of worker processes for large inputs.", show_default="number of cores"
)

MAX_DEFAULT_JOBS: Final = 8
"""Maximum number of processes by default: one process cannot read fast enough to keep more of them busy."""


def worker_count(requested: int | None) -> int:
    """Return the number of processes: as many as requested, else one per core that this process may use."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return requested or min(cores, MAX_DEFAULT_JOBS)


INPUT_FORM: Final[Any] = input_option(
    "--from", default=InputFormat.AUTO, metavar="FORMAT", help="Input format, if it should not be detected."
)

BATCH_COLUMN: Final[Any] = input_option(
    metavar="NAME|NUMBER",
    help="Column that contains the batches; numbers start at 1.",
    show_default="events, or detected",
)

NO_HEADER: Final[Any] = input_option("--no-header", default=False, help="The first row is data, not a header.")

MAX_DOCUMENT_SIZE: Final[Any] = input_option(
    default="256MiB",
    metavar="SIZE",
    help="Maximum size of a payload, row, event, or cell. Arrays of them may be larger.",
)

EVENT_TYPE: Final[Any] = input_option(
    metavar="TYPE",
    autocompletion=complete.event_types,
    help="Type of the events in Avro files of Braze's export whose path has no folder event_type=….",
)

SELECT: Final[Any] = checks_option(
    metavar="CODE,…", autocompletion=complete.rule_codes, help="Check only these rules; TDC2 selects a family."
)

IGNORE: Final[Any] = checks_option(metavar="CODE,…", autocompletion=complete.rule_codes, help="Skip these rules.")

TYPES: Final[Any] = filters_option(
    "--type",
    metavar="GLOB",
    autocompletion=complete.event_types,
    help="Only matching event types, such as '*.email.*'; '!*.Abort' excludes types. Can be repeated.",
)

SINCE: Final[Any] = filters_option(
    metavar="TIME", help="Only events at or after this time: 2026-07-01, 2026-07-01T10:00Z, UNIX seconds, or -7d."
)

UNTIL: Final[Any] = filters_option(metavar="TIME", help="Only events before this time.")

DESTINATION_URL: Final[Any] = destination_option(
    "--url", metavar="URL", help="The Postback URL, or another endpoint. [env: TDCUR_URL]"
)

DESTINATION_SITE: Final[Any] = destination_option(
    "--site", metavar="SITE", help="Treasure Data site, instead of --url. [env: TDCUR_SITE]"
)

DESTINATION_DATABASE: Final[Any] = destination_option(
    "--database", metavar="NAME", help="Database, with --site. [env: TDCUR_DATABASE]"
)

DESTINATION_TABLE: Final[Any] = destination_option(
    "--table", metavar="NAME", help="Table, with --site. [env: TDCUR_TABLE]"
)

WRITE_KEY_FILE: Final[Any] = destination_option(
    metavar="FILE", help="File that contains the write key. [env: TD_WRITE_KEY]"
)

TOKEN_FILE: Final[Any] = destination_option(
    metavar="FILE", help="File that contains a Bearer token. [env: TDCUR_TOKEN]"
)

CACERT: Final[Any] = destination_option(
    metavar="FILE", help="Certificate authorities to trust, in PEM format. [env: SSL_CERT_FILE]"
)

CLIENT_CERT: Final[Any] = destination_option(metavar="FILE", help="Client certificate, in PEM format.")

CLIENT_KEY: Final[Any] = destination_option(
    metavar="FILE", help="Key of the client certificate, if it is in a file of its own."
)

ALLOW_HTTP: Final[Any] = destination_option("--allow-http", default=False, help="Allow plain HTTP to other machines.")

RECEIVED_SINCE: Final[Any] = filters_option(
    metavar="TIME", help="Only rows that Treasure Data received at or after this time, by their column `time`."
)

RECEIVED_UNTIL: Final[Any] = filters_option(metavar="TIME", help="Only rows that were received before this time.")

_LATE: Final = "5d"

LATE: Final[Any] = filters_option(
    default=_LATE,
    metavar="DURATION",
    help="For tables, with --until: also look for its events in rows that were received this much later.",
)


def receive_times(since: str | None, until: str | None, *, now: float, zone: tzinfo = UTC) -> "ReceiveTimes | None":
    """Convert the values of --received-since and --received-until. Raises UsageError; see `time_range`."""
    if since is None and until is None:
        return None
    from td_currents_cli.events.filter import time_range  # noqa: PLC0415 -- a command loads only what it runs
    from td_currents_cli.read.received import ReceiveTimes  # noqa: PLC0415

    return ReceiveTimes(*time_range(since, until, ("--received-since", "--received-until"), now=now, zone=zone))


def selected(
    types: Sequence[str] | None,
    since: str | None,
    until: str | None,
    received_since: str | None,
    received_until: str | None,
    *,
    now: float,
    zone: tzinfo = UTC,
) -> "tuple[Filter, ReceiveTimes | None]":
    """Convert the values of the options that select events and rows. Raises UsageError; see `time_range`."""
    from td_currents_cli.events.filter import Filter  # noqa: PLC0415 -- a command loads only what it runs

    received = receive_times(received_since, received_until, now=now, zone=zone)
    return Filter.of(types=types, since=since, until=until, now=now, zone=zone), received


SENT: Final[Any] = input_option(
    metavar="PATH…", help="The events that were sent: files, folders, globs, or -. One --sent takes several paths."
)

ENDPOINT: Final[Any] = input_option(
    metavar="URL", help="With --from-journal: the endpoint, if the journal has several."
)

TABLE_SITE: Final[Any] = input_option(
    metavar="SITE",
    help="Treasure Data site of the tables. [env: TD_API_SERVER]",
    show_default="from ~/.td/td.conf, or us01",
)

TABLE_COLUMN: Final[Any] = input_option(
    metavar="NAME", help="Column of the table that contains the batches.", show_default="events"
)

API_KEY_FILE: Final[Any] = input_option(
    metavar="FILE",
    help="File that contains the API key (not the write key). [env: TD_API_KEY]",
    show_default="from ~/.td/td.conf",
)


def warn_of_types(wanted: "Filter", terminal: Terminal, outcome: "Outcome | None" = None) -> None:
    """Warn that no event matches --type; without an outcome, that no known event type does."""
    from fnmatch import fnmatchcase  # noqa: PLC0415 -- only with --type

    from td_currents_cli.catalog import load  # noqa: PLC0415

    balance = None if outcome is None else getattr(outcome, "balance", None)
    if balance is not None and (balance.events_out or balance.duplicates or not balance.filtered):
        return
    for glob in wanted.types.included:
        is_known = any(fnmatchcase(name.lower(), glob) for name in (*load().events, CANARY))
        if is_known and (balance is None or wanted.timed):
            # Events of this type may be outside the period.
            continue
        near = None if is_known else load().suggest(glob)
        what = "known event type" if balance is None else "event"
        terminal.report(f"no {what} matches --type {glob}{f'; did you mean {near}?' if near else ''}", "yellow")


def open_sources(
    paths: Sequence[str] | None,
    max_document_size: str,
    line: "ProgressLine",
    *,
    event_type: str | None = None,
    wanted: "Filter | None" = None,
) -> "Sequence[Source]":
    """Resolve the paths, and show how far they are read. Files of Braze's export without wanted events are skipped.

    Raises:
        InputError: a path cannot be read; see `sources`.
        UsageError: the size is invalid.
    """
    from td_currents_cli.read.sources import InputProgress  # noqa: PLC0415 -- a command loads only what it runs

    progress = InputProgress()
    line.watch(progress.now)
    return progress.watched(files(paths, max_document_size, event_type, wanted))


def files(
    paths: Sequence[str] | None, max_document_size: str, event_type: str | None, wanted: "Filter | None" = None
) -> "list[Source]":
    """Return the files of paths; of Braze's export, those that may have events that the filter keeps.

    Raises:
        InputError: a path cannot be read; see `sources`.
        UsageError: the size is invalid.
    """
    from td_currents_cli.read import byte_size, sources  # noqa: PLC0415 -- a command loads only what it runs

    size, parts = byte_size(max_document_size), None if wanted is None else parts_of(wanted)
    return sources(paths, max_document_size=size, event_type=event_type, parts=parts)


def parts_of(wanted: "Filter") -> "PartFilter | None":
    """Return the filter for the paths of Braze's export; None if all files are wanted."""
    from td_currents_cli.read.export_layout import PartFilter  # noqa: PLC0415 -- as above

    is_selective = wanted.types or wanted.timed
    return PartFilter(wanted.types, wanted.since, wanted.until) if is_selective else None


@contextmanager
def open_tables(
    paths: Sequence[str] | None,
    wanted: "Filter",
    terminal: Terminal,
    line: "ProgressLine",
    *,
    site: Site | None,
    column: str | None,
    api_key_file: str | None,
    received: "ReceiveTimes | None" = None,
    late: str = _LATE,
    given: ExplicitOptions = frozenset(),
    report_period: bool = True,
) -> Iterator["Tables | None"]:
    """Yield the tables among the paths, or None if all paths are files.

    Reports the period that is queried unless told not to, and shows the state of the jobs on the line.

    Raises:
        UsageError: tables and files are mixed, a table address is invalid, or an option works only with files.
    """
    addresses: tuple[TableAddress, ...] = ()
    if any("://" in path for path in paths or ()):
        from td_currents_cli.durations import duration  # noqa: PLC0415 -- only where there may be tables
        from td_currents_cli.render.progress import job_updates  # noqa: PLC0415
        from td_currents_cli.treasure_data.address import receive_period  # noqa: PLC0415
        from td_currents_cli.treasure_data.tables import Tables, TdConnection, table_addresses  # noqa: PLC0415

        addresses = table_addresses(paths or (), site=site, column=column)
    if not addresses:
        refuse(given & {"--late"}, "files", "It applies only to tables (td://…): remove it.")
        yield None
        return
    refuse(given & FILE_OPTIONS, "a table (td://…)", "It applies only to files: remove it.")
    period = receive_period(wanted.since, wanted.until, time.time(), received, duration(late, "--late"))
    is_last_day = wanted.since is None and (received is None or received.since is None)
    hint = "; use --received-since to include older rows" if is_last_day else ""
    if report_period:
        terminal.report(
            f"rows received from {period} (UTC); Treasure Data bills for the data that a query scans{hint}", "dim"
        )
    connection = TdConnection(key_file=api_key_file, on_progress=job_updates(line, terminal))
    yield Tables(addresses=addresses, period=period, connection=connection)


_Outcome = TypeVar("_Outcome", bound="Outcome")


def with_scanned_rows(outcome: _Outcome, tables: "Tables | None") -> _Outcome:
    """Return an outcome that says which rows of tables were read."""
    return outcome if tables is None else replace(outcome, scanned=tables.period.as_dict())


def open_inputs(
    paths: Sequence[str] | None,
    tables: "Tables | None",
    max_document_size: str,
    event_type: str | None,
    wanted: "Filter",
) -> AbstractContextManager[Sequence["Source"]]:
    """Yield files, or the rows of tables (see `open_tables`), downloaded for the block."""
    if tables is None:
        return nullcontext(files(paths, max_document_size, event_type, wanted))
    from td_currents_cli.treasure_data.tables import downloaded  # noqa: PLC0415 -- as above

    return downloaded(tables)
