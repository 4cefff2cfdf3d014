"""`tdcur sql`."""

import time
from typing import Annotated, Final

import typer

from td_currents_cli.choices import Dialect, Layout, Query
from td_currents_cli.cli.common import Format, TextFormat, command
from td_currents_cli.cli.given import Given, refuse
from td_currents_cli.outcome import Outcome

NO_ARGS_IS_HELP: Final = True
COUNT: Final = "Of count"


ROWS: Final = frozenset({Query.COUNT, Query.PARSE, Query.DEDUPE})
"""Queries about the rows of a table."""

BELONGS: Final = {
    "--rows": ROWS,
    "--column": ROWS,
    "--since": ROWS,
    "--until": ROWS,
    "--type": ROWS,
    "--dedupe": frozenset({Query.COUNT, Query.PARSE}),
    "--into": frozenset({Query.PARSE}),
    "--by": frozenset({Query.COUNT}),
    "--timezone": frozenset({Query.COUNT}),
    "--unique": frozenset({Query.COUNT}),
}
"""The queries that an option has a meaning for."""


@command
def sql(
    query: Annotated[Query, typer.Argument(metavar="QUERY", help="count, parse, dedupe, or create-table.")],
    table: Annotated[str, typer.Argument(metavar="td://DATABASE/TABLE", help="The table it is about.")],
    *,
    dialect: Annotated[
        Dialect, typer.Option("--dialect", help="hive and spark for create-table, and dedupe of flat rows.")
    ] = Dialect.TRINO,
    rows: Annotated[Layout, typer.Option("--rows", help="Query a row is: a batch, or a flat event.")] = Layout.BATCHES,
    column: Annotated[
        str | None,
        typer.Option("--column", metavar="NAME", help="The column with the batches.", show_default="events"),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="TIME", help="Only events from then on: 2026-07-01, -7d.", show_default="-1d"),
    ] = None,
    until: Annotated[str | None, typer.Option("--until", metavar="TIME", help="Only events before.")] = None,
    types: Annotated[
        list[str] | None,
        typer.Option("--type", metavar="GLOB", help="Only types that match: `*.email.*`, or `!*.Abort` not to."),
    ] = None,
    dedupe: Annotated[bool, typer.Option("--dedupe", help="Of count and parse: each event id once.")] = False,
    into: Annotated[
        str | None,
        typer.Option("--into", metavar="td://DATABASE/TABLE", help="Of parse: insert the events into this table."),
    ] = None,
    by: Annotated[
        list[str] | None,
        typer.Option("--by", metavar="NAME,…", help="As of count.", show_default="event_type", rich_help_panel=COUNT),
    ] = None,
    timezone: Annotated[
        str, typer.Option("--timezone", metavar="ZONE", help="Of hours, days, weeks, months.", rich_help_panel=COUNT)
    ] = "UTC",
    unique: Annotated[
        bool, typer.Option("--unique", help="Different event ids and users too.", rich_help_panel=COUNT)
    ] = False,
    output_format: TextFormat = Format.text,  # noqa: ARG001 -- the command decorator renders with it
    given: Given,
) -> Outcome:
    """Print the query that runs on Treasure Data, for its console, a workflow or a dbt model.

    Nobody is asked, and no key is needed.

    Examples: tdcur sql count td://braze/currents --by day,event_type --dedupe; tdcur sql create-table td://braze/flat
    """
    from td_currents_cli.count import CountRequest  # noqa: PLC0415 -- a command loads only what it runs
    from td_currents_cli.count.dimension import EVENT_TYPE, split_names  # noqa: PLC0415
    from td_currents_cli.events.filter import Filter  # noqa: PLC0415
    from td_currents_cli.events.moments import zone_of  # noqa: PLC0415
    from td_currents_cli.query import SqlRequest, run  # noqa: PLC0415
    from td_currents_cli.warehouse.address import parse_address  # noqa: PLC0415
    from td_currents_cli.warehouse.period import receive_period  # noqa: PLC0415

    _check(query, rows, given)
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


def _check(query: Query, rows: Layout, given: Given) -> None:
    for option in sorted(given & BELONGS.keys()):
        queries = [f"`sql {each}`" for each in Query if each in BELONGS[option]]
        said = " and ".join(filter(None, [", ".join(queries[:-1]), queries[-1]]))
        if query not in BELONGS[option]:
            refuse([option], f"`sql {query}`", f"{option} is for {said}.")
    if rows is Layout.FLAT:
        refuse(given & {"--column"}, "--rows flat", "Flat events are in many columns: leave it out.")
