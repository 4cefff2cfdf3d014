"""`tdcur sql`."""

import time
from typing import Annotated, Final

import typer

from td_currents_cli.choices import Dialect, Layout, Query
from td_currents_cli.cli.command import (
    ExplicitOptions,
    OutputFormat,
    command,
    filters_option,
    input_option,
    output_option,
    refuse,
)
from td_currents_cli.cli.options import TableColumn, TextFormat, Types, Until
from td_currents_cli.outcome import Outcome

ROW_QUERIES: Final = frozenset({Query.COUNT, Query.PARSE, Query.DEDUPE})
"""Queries about the rows of a table."""

QUERIES_OF_OPTION: Final = {
    "--rows": ROW_QUERIES,
    "--column": ROW_QUERIES,
    "--since": ROW_QUERIES,
    "--until": ROW_QUERIES,
    "--type": ROW_QUERIES,
    "--dedupe": frozenset({Query.COUNT, Query.PARSE}),
    "--into": frozenset({Query.PARSE}),
    "--by": frozenset({Query.COUNT}),
    "--timezone": frozenset({Query.COUNT}),
    "--unique": frozenset({Query.COUNT}),
}
"""The queries that an option can be used with."""


@command(
    examples=(
        "tdcur sql count td://braze/currents --by day,event_type --dedupe",
        "tdcur sql create-table td://braze/flat",
    ),
    no_args_is_help=True,
)
def sql(
    query: Annotated[Query, typer.Argument(metavar="QUERY", help="count, parse, dedupe, or create-table.")],
    table: Annotated[str, typer.Argument(metavar="td://DATABASE/TABLE", help="The table to query.")],
    *,
    rows: Annotated[
        Layout, input_option("--rows", help="Contents of a row: a batch, or a flat event.")
    ] = Layout.BATCHES,
    column: TableColumn = None,
    dialect: Annotated[
        Dialect,
        output_option(
            "--dialect", help="SQL dialect; hive and spark only for create-table, and for dedupe of flat rows."
        ),
    ] = Dialect.TRINO,
    by: Annotated[
        list[str] | None,
        output_option(
            "--by",
            metavar="NAME,…",
            help="With count: group by these names, as in `tdcur count`.",
            show_default="event_type",
        ),
    ] = None,
    timezone: Annotated[
        str,
        output_option("--timezone", metavar="ZONE", help="With count: time zone of hours, days, weeks, and months."),
    ] = "UTC",
    unique: Annotated[
        bool, output_option("--unique", help="With count: also count distinct event ids and users.")
    ] = False,
    into: Annotated[
        str | None,
        output_option("--into", metavar="td://DATABASE/TABLE", help="With parse: insert the events into this table."),
    ] = None,
    output_format: TextFormat = OutputFormat.text,  # noqa: ARG001 -- the command decorator renders with it
    types: Types = None,
    since: Annotated[
        str | None,
        filters_option(
            "--since", metavar="TIME", help="Only events at or after this time: 2026-07-01, -7d.", show_default="-1d"
        ),
    ] = None,
    until: Until = None,
    dedupe: Annotated[bool, filters_option("--dedupe", help="With count and parse: use each event id once.")] = False,
    given: ExplicitOptions,
) -> Outcome:
    """Print a query to run in Treasure Data: in its console, a workflow, or a dbt model.

    Runs offline; no API key required.
    """
    from td_currents_cli.count import CountRequest  # noqa: PLC0415 -- a command loads only what it runs
    from td_currents_cli.count.dimensions import EVENT_TYPE, split_names  # noqa: PLC0415
    from td_currents_cli.events.filter import Filter, zone_of  # noqa: PLC0415
    from td_currents_cli.treasure_data.address import parse_address, receive_period  # noqa: PLC0415
    from td_currents_cli.treasure_data.print_sql import SqlRequest, run  # noqa: PLC0415

    _check_options(query, rows, given)
    zone, now = zone_of(timezone), time.time()
    wanted = Filter.of(types=types, since=since, until=until, now=now, zone=zone)
    names = tuple(split_names(by or [EVENT_TYPE]))
    return run(
        SqlRequest(
            query=query,
            table=parse_address(table, column=column),
            layout=rows,
            period=receive_period(wanted.since, wanted.until, now),
            counted=CountRequest((), by=names, zone=zone, wanted=wanted, unique=unique, dedupe=dedupe),
            into=None if into is None else parse_address(into),
            dialect=dialect,
        )
    )


def _check_options(query: Query, rows: Layout, given: ExplicitOptions) -> None:
    for option in sorted(given & QUERIES_OF_OPTION.keys()):
        queries = [f"`sql {each}`" for each in Query if each in QUERIES_OF_OPTION[option]]
        allowed = " and ".join(filter(None, [", ".join(queries[:-1]), queries[-1]]))
        if query not in QUERIES_OF_OPTION[option]:
            refuse([option], f"`sql {query}`", f"{option} works only with {allowed}.")
    if rows is Layout.FLAT:
        refuse(given & {"--column"}, "--rows flat", "Flat events are in several columns: remove it.")
