"""Addresses of tables: `td://DATABASE/TABLE`, with `?site=…&column=…` where they differ from the usual."""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, parse_qsl, urlsplit

from td_currents_cli.errors import UsageError
from td_currents_cli.names import Site, check_name

SCHEME: Final = "td://"
COLUMN: Final = "events"
_COLUMN: Final = re.compile(r"[A-Za-z0-9_]{1,128}", re.ASCII)
_FORM: Final = "It has the form td://DATABASE/TABLE, and may go on with ?site=us01&column=events."


@dataclass(frozen=True, slots=True, kw_only=True)
class TableAddress:
    """A table of Treasure Data.

    Attributes:
        database: its database.
        table: its name.
        site: where the account is; None for where the settings say.
        column: the column with the batches, where the table has one.
    """

    database: str
    table: str
    site: Site | None = None
    column: str = COLUMN

    def __str__(self) -> str:
        return f"{SCHEME}{self.database}/{self.table}"


def is_address(path: str) -> bool:
    """Whether a path that a user gave is meant to be a table of Treasure Data."""
    return path.startswith(SCHEME)


def parse_address(text: str, *, site: Site | None = None, column: str | None = None) -> TableAddress:
    """The table at an address.

    Args:
        text: as the user gave it.
        site: of `--site`, for an address that does not say it.
        column: of `--column`, likewise.

    Raises:
        UsageError: it is no such address, or names what Treasure Data does not allow. Nothing of the text is repeated:
            it may have been copied together with a key.
    """
    parts = _parts(text)
    database, table = parts.netloc, parts.path.removeprefix("/")
    if not database or not table or "/" in table or parts.fragment:
        raise UsageError("an address of a table (td://…) is not whole", hint=_FORM)
    check_name(database, "an address of a table (td://…)")
    check_name(table, "an address of a table (td://…)")
    options = _options(parts.query)
    return TableAddress(
        database=database,
        table=table,
        site=_site(options["site"]) if "site" in options else site,
        column=_column(options.get("column", column or COLUMN)),
    )


def check_into(source: TableAddress, into: TableAddress) -> None:
    """Check that a table can take the events of another one.

    Raises:
        UsageError: it is the same table, or at another site.
    """
    if (source.database, source.table) == (into.database, into.table):
        raise UsageError(f"{into} cannot take its own events", hint="Name another table.")
    if into.site not in {None, source.site}:
        raise UsageError(f"{into} is at another site than {source}", hint="Queries do not leave their site.")


def _parts(text: str) -> SplitResult:
    if not text.isprintable():
        # The standard library would leave line breaks out without a word.
        raise UsageError("an address of a table (td://…) holds what cannot be printed", hint=_FORM)
    try:
        parts = urlsplit(text)
    except ValueError:
        raise UsageError("an address of a table (td://…) is no URL", hint=_FORM) from None
    if parts.scheme != "td":
        raise UsageError("an address of a table begins with td://", hint=_FORM)
    return parts


def _options(query: str) -> dict[str, str]:
    pairs = parse_qsl(query, keep_blank_values=True)
    options = dict(pairs)
    if not options.keys() <= {"site", "column"} or len(pairs) > len(options):
        raise UsageError("an address of a table (td://…) has an option it cannot have", hint=_FORM)
    return options


def _site(name: str) -> Site:
    try:
        return Site(name)
    except ValueError:
        sites = ", ".join(Site)
        raise UsageError("an address of a table (td://…) names no site", hint=f"The sites are {sites}.") from None


def _column(name: str) -> str:
    if not _COLUMN.fullmatch(name):
        raise UsageError("the name of the column can be none", hint="Letters, digits and _, such as events.")
    return name
