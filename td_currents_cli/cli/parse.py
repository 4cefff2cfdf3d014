"""`tdcur parse`."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from td_currents_cli.cli.common import Paths, command
from td_currents_cli.cli.tables import TABLES, ApiKeyFile, Column, TableSite, read, tables
from td_currents_cli.outcome import Outcome
from td_currents_cli.render.terminal import Terminal

if TYPE_CHECKING:
    from td_currents_cli.events.filter import Filter
    from td_currents_cli.warehouse.tables import Tables


@command
def parse(
    paths: Paths = None,
    *,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", show_default="standard output", help="Write the events here, all or nothing."),
    ] = None,
    rejects: Annotated[
        Path | None, typer.Option("--rejects", help="Write rejected rows here, one JSON object a line.")
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(
            "--since", metavar="TIME", rich_help_panel=TABLES, help="Rows of events from then on.", show_default="-1d"
        ),
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="TIME", rich_help_panel=TABLES, help="Rows of events before.")
    ] = None,
    into: Annotated[
        str | None,
        typer.Option(
            "--into",
            metavar="td://DATABASE/TABLE",
            rich_help_panel=TABLES,
            help="Have the table insert its flat events into this one, which is made if need be. Moves no row.",
        ),
    ] = None,
    site: TableSite = None,
    column: Column = None,
    api_key_file: ApiKeyFile = None,
    terminal: Terminal,
) -> Outcome:
    """Turn ingested rows back into flat events, one JSON object a line.

    A PATH of the form td://DATABASE/TABLE is a table of Treasure Data, whose rows are downloaded.
    """
    from td_currents_cli.errors import UsageError  # noqa: PLC0415 -- a command loads only what it runs
    from td_currents_cli.events.filter import Filter  # noqa: PLC0415
    from td_currents_cli.parse import ParseRequest, run  # noqa: PLC0415

    wanted = Filter.of(types=None, since=since, until=until, now=time.time())
    with tables(paths, wanted, terminal, site=site, column=column, api_key_file=api_key_file) as asked:
        if into is not None:
            return _insert(into, asked, wanted)
        if asked is None and wanted.timed:
            raise UsageError("--since and --until are for tables (td://…)", hint="Files are read whole.")
        with read(paths, asked) as found:
            return run(ParseRequest(sources=found, output=output, rejects=rejects))


def _insert(into: str, asked: "Tables | None", wanted: "Filter") -> Outcome:
    from td_currents_cli.errors import UsageError  # noqa: PLC0415 -- only with --into
    from td_currents_cli.insert import InsertRequest, run  # noqa: PLC0415
    from td_currents_cli.warehouse.address import address_of  # noqa: PLC0415

    if asked is None:
        raise UsageError("--into takes the events of a table (td://…), not of files", hint="Give -o FILE for those.")
    return run(InsertRequest(tables=asked.ended(time.time()), into=address_of(into), wanted=wanted))
