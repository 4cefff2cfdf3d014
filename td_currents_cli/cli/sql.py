"""`tdcur sql`."""

import time
from typing import Final

import typer

from td_currents_cli.choices import Dialect, Layout, Query, RunBy
from td_currents_cli.cli import complete, options
from td_currents_cli.cli.command import (
    ExplicitOptions,
    OutputFormat,
    command,
    filters_option,
    input_option,
    output_option,
    refuse,
)
from td_currents_cli.outcome import Outcome
from td_currents_cli.render.terminal import Terminal

ROW_QUERIES: Final = frozenset({Query.COUNT, Query.PARSE, Query.DEDUPE})
"""Queries about the rows of a table."""

QUERIES_OF_OPTION: Final = {
    "--rows": ROW_QUERIES | {Query.FORGET},
    "--column": ROW_QUERIES | {Query.FORGET},
    "--external-user-id": frozenset({Query.FORGET}),
    "--user-id": frozenset({Query.FORGET}),
    "--device-id": frozenset({Query.FORGET}),
    "--for": ROW_QUERIES,
    "--since": ROW_QUERIES,
    "--until": ROW_QUERIES,
    "--received-since": ROW_QUERIES,
    "--received-until": ROW_QUERIES,
    "--late": ROW_QUERIES,
    "--type": ROW_QUERIES,
    "--dedupe": frozenset({Query.COUNT, Query.PARSE}),
    "--into": frozenset({Query.PARSE}),
    "--by": frozenset({Query.COUNT}),
    "--timezone": ROW_QUERIES,
    "--unique": frozenset({Query.COUNT}),
    "--exact": frozenset({Query.COUNT}),
}
"""The queries that an option can be used with."""


@command(
    examples=(
        "tdcur sql count td://braze/currents --by day,event_type --dedupe",
        "tdcur sql create-table td://braze/flat",
        "tdcur sql forget td://braze/raw --external-user-id @ids.txt",
    ),
    no_args_is_help=True,
)
def sql(
    query: Query = typer.Argument(metavar="QUERY", help="What the query does."),
    table: str = typer.Argument(
        metavar="td://DATABASE/TABLE|PATH", help="The table to query, or, with --dialect spark, an Avro export."
    ),
    *,
    rows: Layout = input_option(default=Layout.BATCHES, help="Contents of a row: a batch, or a flat event."),
    column: str | None = options.TABLE_COLUMN,
    dialect: Dialect = output_option(
        default=Dialect.TRINO, help="SQL dialect; hive only for create-table, and for dedupe of flat rows."
    ),
    run_by: RunBy = output_option(
        "--for",
        default=RunBy.CONSOLE,
        help="What will run the query. Times such as -7d are relative to the time for which a run is scheduled: "
        "TD_SCHEDULED_TIME() in the console, ${session_unixtime} in a workflow, a variable in dbt.",
    ),
    by: list[str] | None = output_option(
        metavar="NAME,…",
        autocompletion=complete.by_names,
        help="With count: group by these names, as in `tdcur count`.",
        show_default="day,event_type; with --exact, event_type",
    ),
    timezone: str = output_option(
        default="UTC",
        metavar="ZONE",
        help="Time zone of dates such as 2026-07-01, and, with count, of hours, days, weeks, and months.",
    ),
    unique: bool = output_option("--unique", default=False, help="With count: also count distinct event ids."),
    exact: bool = output_option(
        "--exact",
        default=False,
        help="With count: the query that `tdcur count` runs, which accounts for every row, whatever its cell contains. "
        "Without it, cells must be arrays of events.",
    ),
    into: str | None = output_option(
        metavar="td://DATABASE/TABLE", help="With parse: insert the events into this table."
    ),
    external_user_id: list[str] | None = filters_option(
        metavar="ID|@FILE",
        help="With forget: remove the events of this person; @FILE has an id per line, @- is standard input.",
    ),
    user_id: list[str] | None = filters_option(metavar="ID|@FILE", help="With forget: the same, by Braze's own id."),
    device_id: list[str] | None = filters_option(metavar="ID|@FILE", help="With forget: the same, by device."),
    output_format: OutputFormat = options.TEXT_FORMAT,  # noqa: ARG001 -- the command decorator renders with it
    types: list[str] | None = options.TYPES,
    since: str | None = filters_option(metavar="TIME", help="Only events at or after this time: 2026-07-01, -7d."),
    until: str | None = options.UNTIL,
    received_since: str | None = options.RECEIVED_SINCE,
    received_until: str | None = options.RECEIVED_UNTIL,
    late: str = options.LATE,
    dedupe: bool = filters_option("--dedupe", default=False, help="With count and parse: use each event id once."),
    terminal: Terminal,
    given: ExplicitOptions,
) -> Outcome:
    """Print a query for Treasure Data's console, a workflow, or dbt.

    Runs offline; no API key required.
    """
    from td_currents_cli.count import CountRequest  # noqa: PLC0415 -- a command loads only what it runs
    from td_currents_cli.count.dimensions import EVENT_TYPE, TimeUnit, split_names  # noqa: PLC0415
    from td_currents_cli.durations import duration  # noqa: PLC0415
    from td_currents_cli.events.filter import zone_of  # noqa: PLC0415
    from td_currents_cli.treasure_data.address import is_address, parse_address, receive_period  # noqa: PLC0415
    from td_currents_cli.treasure_data.forget import ForgetRequest, people_of  # noqa: PLC0415
    from td_currents_cli.treasure_data.forget import run as run_forget  # noqa: PLC0415
    from td_currents_cli.treasure_data.print_sql import SqlRequest, run  # noqa: PLC0415
    from td_currents_cli.treasure_data.sql.scheduled import ScheduledTime, until_scheduled  # noqa: PLC0415

    is_export = dialect is Dialect.SPARK and not is_address(table)
    _check_options(query, rows, given)
    if query is Query.FORGET:
        if dialect is not Dialect.TRINO:
            refuse(["--dialect"], "`sql forget`", "Its statements are for Trino: remove it.")
        ids = {"external_user_id": external_user_id, "user_id": user_id, "device_id": device_id}
        people = people_of({field: values or () for field, values in ids.items()})
        address = parse_address(table, column=column)
        return run_forget(ForgetRequest(table=address, layout=rows, people=people, now=time.time()))
    _check_run_by(run_by, dialect, into)
    if exact and dialect is not Dialect.TRINO:
        refuse(["--exact"], f"--dialect {dialect}", "`tdcur count` queries in Trino's dialect: remove it.")
    zone, now = zone_of(timezone), ScheduledTime(time.time())
    wanted, received = options.selected(types, since, until, received_since, received_until, now=now, zone=zone)
    options.warn_of_types(wanted, terminal)
    names = tuple(split_names(by or ([EVENT_TYPE] if exact else [TimeUnit.DAY, EVENT_TYPE])))
    period = receive_period(wanted.since, wanted.until, now, received, duration(late, "--late"))
    return run(
        SqlRequest(
            query=query,
            table=table if is_export else parse_address(table, column=column),
            layout=rows,
            period=until_scheduled(period, now),
            counted=CountRequest((), by=names, zone=zone, wanted=wanted, unique=unique, dedupe=dedupe),
            into=None if into is None else parse_address(into),
            dialect=dialect,
            run_by=run_by,
            exact=exact,
        )
    )


def _check_run_by(run_by: RunBy, dialect: Dialect, into: str | None) -> None:
    if run_by is RunBy.DBT and into is not None:
        refuse(["--into"], "--for dbt", "A dbt model is a query, and dbt inserts its rows: remove it.")
    engines = {RunBy.WORKFLOW: {Dialect.TRINO, Dialect.HIVE}, RunBy.DBT: {Dialect.TRINO}}
    if dialect not in engines.get(run_by, Dialect):
        refuse(["--dialect"], f"--for {run_by}", f"Treasure Data runs it, without {dialect.title()}: remove it.")


def _check_options(query: Query, rows: Layout, given: ExplicitOptions) -> None:
    for option in sorted(given & QUERIES_OF_OPTION.keys()):
        queries = [f"`sql {each}`" for each in Query if each in QUERIES_OF_OPTION[option]]
        allowed = " and ".join(filter(None, [", ".join(queries[:-1]), queries[-1]]))
        if query not in QUERIES_OF_OPTION[option]:
            refuse([option], f"`sql {query}`", f"{option} works only with {allowed}.")
    if rows is Layout.FLAT:
        refuse(given & {"--column"}, "--rows flat", "Flat events are in several columns: remove it.")
