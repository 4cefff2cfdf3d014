"""`tdcur parse`."""

import time
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from td_currents_cli.choices import Mask, Names, Nested, To
from td_currents_cli.cli.common import (
    WHICH,
    Column,
    FromForm,
    Jobs,
    NoHeader,
    Paths,
    Since,
    Types,
    Until,
    command,
)
from td_currents_cli.cli.given import Given, refuse
from td_currents_cli.cli.tables import TABLES, ApiKeyFile, TableSite, read, tables
from td_currents_cli.outcome import Outcome
from td_currents_cli.read.options import InputFormat, ReadOptions
from td_currents_cli.render.terminal import Terminal

if TYPE_CHECKING:
    from td_currents_cli.events.filter import Filter
    from td_currents_cli.warehouse.tables import Tables

FORM: Final = "Form"
DATA: Final = "Personal data"
FILES: Final = "Files"


class SplitBy(StrEnum):
    """What files are split by."""

    event_type = "event_type"


@command
def parse(
    paths: Paths = None,
    *,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            show_default="standard output",
            help="Write the events here, all or nothing.",
            rich_help_panel=FILES,
        ),
    ] = None,
    split_by: Annotated[
        SplitBy | None,
        typer.Option("--split-by", help="A file for each event type, in --out-dir.", rich_help_panel=FILES),
    ] = None,
    out_dir: Annotated[
        Path | None,
        typer.Option("--out-dir", metavar="DIR", help="The folder of --split-by.", rich_help_panel=FILES),
    ] = None,
    rejects: Annotated[
        Path | None,
        typer.Option("--rejects", help="Write rejected rows here, one JSON object a line.", rich_help_panel=FILES),
    ] = None,
    form: FromForm = InputFormat.AUTO,
    column: Column = None,
    no_header: NoHeader = False,
    max_rejects: Annotated[
        str | None,
        typer.Option(
            "--max-rejects",
            metavar="N|P%",
            help="Stop and exit 1 when more rows and elements are rejected.",
            show_default="any number",
            rich_help_panel=FILES,
        ),
    ] = None,
    summary: Annotated[
        Path | None,
        typer.Option("--summary", metavar="FILE", help="Write the balance here, as JSON.", rich_help_panel=FILES),
    ] = None,
    to: Annotated[To, typer.Option("--to", help="JSON Lines, or a table.", rich_help_panel=FORM)] = To.JSONL,
    names: Annotated[
        Names,
        typer.Option("--names", help="user_id, user_user_id, or user.user_id.", rich_help_panel=FORM),
    ] = Names.SHORT,
    nested: Annotated[
        Nested | None,
        typer.Option(
            "--nested",
            help="Objects and arrays as JSON text, or as they are.",
            show_default="object; json for tables",
            rich_help_panel=FORM,
        ),
    ] = None,
    fields: Annotated[
        str | None,
        typer.Option(
            "--fields", metavar="NAME,…", help="Only these, in this order.", show_default="all", rich_help_panel=FORM
        ),
    ] = None,
    types: Types = None,
    since: Since = None,
    until: Until = None,
    dedupe: Annotated[bool, typer.Option("--dedupe", help="Write each event id once.", rich_help_panel=WHICH)] = False,
    mask: Annotated[Mask, typer.Option("--mask", help="Keep, hash or drop it.", rich_help_panel=DATA)] = Mask.KEEP,
    mask_key_file: Annotated[
        Path | None,
        typer.Option("--mask-key-file", metavar="FILE", help="The key of --mask hash.", rich_help_panel=DATA),
    ] = None,
    jobs: Jobs = None,
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
    api_key_file: ApiKeyFile = None,
    terminal: Terminal,
    given: Given,
) -> Outcome:
    """Turn ingested rows back into flat events, one JSON object a line, or a table.

    A PATH of the form td://DATABASE/TABLE is a table of Treasure Data, whose rows are downloaded.

    Examples: tdcur parse rows.csv --dedupe -o events.jsonl; tdcur parse rows.csv --to parquet -o events.parquet
    """
    from td_currents_cli.events.filter import Filter  # noqa: PLC0415 -- a command loads only what it runs
    from td_currents_cli.parallel.pool import worker_count  # noqa: PLC0415
    from td_currents_cli.parse import ParseRequest, Rejects, run  # noqa: PLC0415

    if into is not None:
        refuse(given - WITH_INTO, "--into", "The events stay where they are, as they are: leave one of the two out.")
    named = None if fields is None else tuple(name.strip() for name in fields.split(",") if name.strip())
    wanted = Filter.of(types=types, since=since, until=until, now=time.time())
    with tables(paths, wanted, terminal, site=site, column=column, api_key_file=api_key_file, given=given) as asked:
        if into is not None:
            return _insert(into, asked, wanted, dedupe=dedupe, summary=summary)
        # What is downloaded has the form of rows that are found without being told.
        reading = ReadOptions.of(form, column if asked is None else None, no_header=no_header)
        with read(paths, asked) as found:
            return run(
                ParseRequest(
                    sources=found,
                    reading=reading,
                    output=output,
                    rejects=rejects,
                    summary=summary,
                    to=to,
                    fields=named,
                    names=names,
                    nested=nested,
                    wanted=wanted,
                    dedupe=dedupe,
                    mask=mask,
                    mask_key=mask_key_file,
                    split=split_by is not None,
                    out_dir=out_dir,
                    max_rejects=None if max_rejects is None else Rejects.of(max_rejects),
                    jobs=worker_count(jobs),
                )
            )


WITH_INTO: Final = frozenset(
    {
        *("--into", "--type", "--since", "--until", "--dedupe", "--summary"),
        *("--site", "--column", "--api-key-file"),
        *("--quiet", "--verbose", "--color"),
    }
)
"""Options that have a meaning where events stay where they are."""


def _insert(into: str, asked: "Tables | None", wanted: "Filter", *, dedupe: bool, summary: Path | None) -> Outcome:
    from td_currents_cli.errors import UsageError  # noqa: PLC0415 -- only with --into
    from td_currents_cli.insert import InsertRequest, run  # noqa: PLC0415
    from td_currents_cli.warehouse.address import parse_address  # noqa: PLC0415

    if asked is None:
        raise UsageError("--into takes the events of a table (td://…), not of files", hint="Give -o FILE for those.")
    tables = asked.until(time.time())
    return run(InsertRequest(tables=tables, into=parse_address(into), wanted=wanted, dedupe=dedupe, summary=summary))
