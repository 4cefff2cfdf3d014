"""Options of commands that read tables of Treasure Data."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC
from typing import TYPE_CHECKING, Annotated, Final

import typer

from td_currents_cli.cli.given import Given, refuse
from td_currents_cli.names import Site
from td_currents_cli.render.terminal import Terminal

if TYPE_CHECKING:
    from td_currents_cli.events.filter import Filter
    from td_currents_cli.read import Source
    from td_currents_cli.verify.arrivals import Arrivals
    from td_currents_cli.warehouse.tables import Tables

TABLES: Final = "Tables of Treasure Data (td://DATABASE/TABLE)"

OF_FILES: Final = frozenset({"--from", "--no-header"})

TableSite = Annotated[
    Site | None,
    typer.Option(
        "--site",
        rich_help_panel=TABLES,
        help="Where the account is.",
        show_default="TD_API_SERVER, ~/.td/td.conf, us01",
    ),
]

ApiKeyFile = Annotated[
    str | None,
    typer.Option(
        "--api-key-file",
        metavar="FILE",
        rich_help_panel=TABLES,
        help="File that holds the API key.",
        show_default="TD_API_KEY, ~/.td/td.conf",
    ),
]
"""Not the write key, which opens no table."""

Column = Annotated[
    str | None,
    typer.Option(
        "--column",
        metavar="NAME",
        rich_help_panel=TABLES,
        help="The column with the batches.",
        show_default="events",
    ),
]


@contextmanager
def tables(
    paths: Sequence[str] | None,
    wanted: "Filter",
    terminal: Terminal,
    *,
    site: Site | None,
    column: str | None,
    api_key_file: str | None,
    given: Given = frozenset(),
) -> Iterator["Tables | None"]:
    """The tables among what was given as paths; None where all are files.

    The time that they are asked about is said, and until the end of the block how their jobs stand.

    Raises:
        UsageError: tables and files are mixed, one is no address of a table, or an option is for files.
    """
    if not any("://" in path for path in paths or ()):
        yield None
        return
    from td_currents_cli.render.job_progress import shown  # noqa: PLC0415 -- only where there are tables
    from td_currents_cli.warehouse.access import TdConnection  # noqa: PLC0415
    from td_currents_cli.warehouse.period import receive_period  # noqa: PLC0415
    from td_currents_cli.warehouse.tables import Tables, table_addresses  # noqa: PLC0415

    addresses = table_addresses(paths or (), site=site, column=column)
    if not addresses:
        yield None
        return
    refuse(given & OF_FILES, "a table (td://…)", "It is for files: leave it out.")
    period = receive_period(wanted.since, wanted.until, time.time())
    further = "" if wanted.since is not None else "; --since looks further back"
    terminal.say(f"rows received from {period} (UTC): Treasure Data bills what a query scans{further}", "dim")
    with shown(terminal) as told:
        yield Tables(
            addresses=addresses, period=period, connection=TdConnection(key_file=api_key_file, on_progress=told)
        )


@contextmanager
def read(paths: Sequence[str] | None, asked: "Tables | None") -> Iterator[Sequence["Source"]]:
    """The sources behind paths: files, or the rows of tables, downloaded until the end of the block.

    Args:
        paths: as they were given.
        asked: the tables among them; None where all are files. See `tables`.

    Raises:
        TdcurError: they cannot be had; see `read.sources` and `warehouse.rows.downloaded`.
    """
    if asked is None:
        from td_currents_cli.read import sources  # noqa: PLC0415 -- a command loads only what it runs

        yield sources(list(paths or []))
        return
    from td_currents_cli.warehouse.rows import downloaded  # noqa: PLC0415 -- as above

    with downloaded(asked) as found:
        yield found


def arrivals_of(
    ingested: str, since: str | None, *, site: Site | None, column: str | None, api_key_file: str | None
) -> "Arrivals":
    """The rows of a table that are looked at for what was sent: those received from `--since` on.

    Raises:
        UsageError: it is no address of a table, or no time.
    """
    from td_currents_cli.events.moments import seconds_of  # noqa: PLC0415 -- only where a table is asked for ids
    from td_currents_cli.verify.arrivals import Arrivals  # noqa: PLC0415
    from td_currents_cli.warehouse.access import TdConnection  # noqa: PLC0415
    from td_currents_cli.warehouse.address import parse_address  # noqa: PLC0415
    from td_currents_cli.warehouse.period import Period, receive_period  # noqa: PLC0415

    now = time.time()
    period = (
        receive_period(None, None, now) if since is None else Period(seconds_of(since, "--since", now=now, zone=UTC))
    )
    return Arrivals(parse_address(ingested, site=site, column=column), period, TdConnection(key_file=api_key_file))
