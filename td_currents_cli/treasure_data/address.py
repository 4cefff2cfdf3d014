"""Addresses of tables: `td://DATABASE/TABLE`, optionally with `?site=…&column=…`."""

import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final
from urllib.parse import SplitResult, parse_qsl, urlsplit

from msgspec import Struct

from td_currents_cli.braze import LATEST, MAX_NAME_LENGTH, Site, check_name, check_site
from td_currents_cli.choices import Layout
from td_currents_cli.errors import InputError, UsageError
from td_currents_cli.events.filter import iso, moment_of
from td_currents_cli.patterns import pattern
from td_currents_cli.read.received import ReceiveTimes

SCHEME: Final = "td://"
COLUMN: Final = "events"
_COLUMN: Final = pattern(r"[A-Za-z0-9_]{1,128}", re.ASCII)
_SYNTAX: Final = "The syntax is td://DATABASE/TABLE, optionally followed by ?site=us01&column=events."


@dataclass(frozen=True, slots=True, kw_only=True)
class TableAddress:
    database: str
    table: str
    site: Site | None = None  # None: the site of the settings
    column: str = COLUMN  # the column with the batches, if the table has one

    def __str__(self) -> str:
        return f"{SCHEME}{self.database}/{self.table}".removesuffix("/")

    def with_suffix(self, suffix: str) -> "TableAddress":
        """Return the address of a table next to this one; a name that would be too long is shortened."""
        return replace(self, table=f"{self.table[: MAX_NAME_LENGTH - len(suffix)]}{suffix}")


def is_address(path: str) -> bool:
    return path.startswith(SCHEME)


def parse_address(
    text: str, *, site: Site | None = None, column: str | None = None, needs_table: bool = True
) -> TableAddress:
    """Parse an address; `site` and `column` apply where it does not state them. Its table may be empty if not needed.

    Raises:
        UsageError: the address is invalid. The message repeats nothing of it: a key may have been pasted with it.
    """
    parts = _parts(text)
    database, table = parts.netloc, parts.path.removeprefix("/")
    if not database or (needs_table and not table) or "/" in table or parts.fragment:
        raise UsageError("incomplete table address (td://…)", hint=_SYNTAX)
    for name in filter(None, (database, table)):
        check_name(name, "the table address (td://…)")
    options = _options(parts.query)
    return TableAddress(
        database=database,
        table=table,
        site=check_site(options["site"], "the site of the table address (td://…)") if "site" in options else site,
        column=_column(options.get("column", column or COLUMN)),
    )


def check_into(source: TableAddress, into: TableAddress) -> None:
    """Check that `into` can take the events of `source`.

    Raises:
        UsageError: it is the same table, or at another site.
    """
    if (source.database, source.table) == (into.database, into.table):
        raise UsageError(f"{into} cannot be both source and target", hint="Name another target table.")
    if into.site not in {None, source.site}:
        raise UsageError(f"{into} is at a different site than {source}", hint="A query cannot write to another site.")


def _parts(text: str) -> SplitResult:
    if not text.isprintable():
        # The standard library would remove line breaks silently.
        raise UsageError("the table address (td://…) contains unprintable characters", hint=_SYNTAX)
    try:
        parts = urlsplit(text)
    except ValueError:
        raise UsageError("the table address (td://…) is not a URL", hint=_SYNTAX) from None
    if parts.scheme != "td":
        raise UsageError("a table address must start with td://", hint=_SYNTAX)
    return parts


def _options(query: str) -> dict[str, str]:
    pairs = parse_qsl(query, keep_blank_values=True)
    options = dict(pairs)
    if not options.keys() <= {"site", "column"} or len(pairs) > len(options):
        raise UsageError("the table address (td://…) has an unknown or repeated option", hint=_SYNTAX)
    return options


def _column(name: str) -> str:
    if not _COLUMN.fullmatch(name):
        raise UsageError("invalid column name", hint="Use letters, digits, and _, such as events.")
    return name


_FLAT: Final = "event_type"


def table_layout(address: TableAddress, columns: Collection[str]) -> Layout:
    """Tell the layout of a table from its columns.

    Raises:
        InputError: the table has no events.
    """
    if address.column in columns:
        return Layout.BATCHES
    if _FLAT in columns:
        return Layout.FLAT
    raise InputError(
        f"{address} has neither a column `{address.column}` (batches) nor a column `{_FLAT}` (flat events)",
        hint=f"Name the column with the batches: {address}?column=NAME.",
    )


DAY: Final = 86_400.0

EARLY: Final = 3600.0  # maximum by which a sender's clock may be ahead, so that a row seems older than its events
LATE: Final = 5 * DAY  # maximum age of an event when its row is received, by default: Braze may retry for days


class Period(Struct, frozen=True):
    """A range of receive times, in UNIX seconds."""

    since: float
    until: float | None = None  # excluded

    def as_dict(self) -> dict[str, str | None]:
        until = None if self.until is None else iso(moment_of(min(self.until, LATEST)))
        return {"received_since": iso(moment_of(self.since)), "received_until": until}

    def __str__(self) -> str:
        end = "now" if self.until is None else format_time(self.until)
        return f"{format_time(self.since)} to {end}"


def receive_period(
    since: float | None, until: float | None, now: float, received: ReceiveTimes | None = None, late: float = LATE
) -> Period:
    """Choose the receive times of the rows that are scanned.

    They are those asked for; else those of rows with events between `since` and `until`; else those of the last day.

    Raises:
        UsageError: no row can be in both ranges.
    """
    received = received or ReceiveTimes()
    last = until if received.until is None else received.until
    begin = (now if last is None else last) - DAY if since is None else since - EARLY
    begin = max(0.0, begin if received.since is None else received.since)
    end = until + late if received.until is None and until is not None else received.until
    if end is not None and begin >= end:
        raise UsageError("no row can be in the period of events and in that of receive times", hint="Change one.")
    return Period(begin, end)


def format_time(seconds: float) -> str:
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}"
    except (OverflowError, ValueError):
        return f"@{seconds:.0f}"
