"""Daily counts of a flat table, and the event types that drop: statements that run on a schedule."""

from typing import Final

from msgspec import Struct

from td_currents_cli.catalog.ddl import TIME
from td_currents_cli.treasure_data.address import TableAddress
from td_currents_cli.treasure_data.sql.scheduled import CLOCK
from td_currents_cli.treasure_data.sql.text import (
    TimeRange,
    create_table,
    cte,
    identifier,
    receive_time_condition,
    string_literal,
    table_identifier,
)

_COLUMNS: Final = {
    TIME: "BIGINT",  # when the day begins
    "day": "VARCHAR",
    "event_type": "VARCHAR",
    "events": "BIGINT",
    "users": "BIGINT",
    "first_event": "BIGINT",
    "last_event": "BIGINT",
}
_DAYS: Final = 7
"""Days that are counted again: devices that were offline send their events late."""


def create_daily_sql(daily: TableAddress) -> str:
    return create_table(daily, _COLUMNS)


def counted_days(zone: str) -> TimeRange:
    """Return the event times of the days that are counted: whole days up to that of the scheduled time."""
    first = f"TD_DATE_TRUNC('day', TD_TIME_ADD({CLOCK}, '-{_DAYS}d'), {string_literal(zone)})"
    last = f"TD_DATE_TRUNC('day', {CLOCK}, {string_literal(zone)})"
    return TimeRange(first, f"TD_TIME_ADD({last}, '1d')")


def delete_days_sql(daily: TableAddress, days: TimeRange) -> str:
    return f"DELETE FROM {table_identifier(daily)}\nWHERE {receive_time_condition(days)}"  # noqa: S608 -- quoted


def insert_days_sql(daily: TableAddress, count: str, zone: str) -> str:
    """Write the INSERT of daily counts; `count` is the query for them, by `day` and `event_type`."""
    values = {TIME: f"TD_TIME_PARSE(day, {string_literal(zone)})"}
    values |= {name: f"CAST(TO_UNIXTIME({name}) AS BIGINT)" for name in ("first_event", "last_event")}
    listed = ",\n  ".join(f"{values.get(name, name)} AS {identifier(name)}" for name in _COLUMNS)
    names = ", ".join(map(identifier, _COLUMNS))
    # Whatever comes from outside is quoted.
    return f"INSERT INTO {table_identifier(daily)} ({names})\nSELECT\n  {listed}\nFROM (\n{count}\n) counted"


class DropLimits(Struct, frozen=True):
    """What is compared with what, and from when on it is reported: SQL expressions, which a workflow can fill in."""

    end: str  # of the compared hours, in UNIX seconds
    hours: str
    days: str  # before, whose same hours are the usual
    drop: str  # share of the usual number
    least: str  # usual number from which a drop is reported
    least_silent: str  # usual number from which no event at all is reported


def drops_sql(table: TableAddress, limits: DropLimits) -> str:
    """Write the query for the event types of a flat table with fewer events than in the same hours of the days before.

    Its columns are `event_type`, `events`, and `usual`, the mean of the days that have any events. A table whose events
    all began within the last day has no usual number, and no drops.
    """
    seconds = f"{limits.hours} * 3600"
    age = f"({limits.end} - 1 - {TIME})"
    times = TimeRange(f"{limits.end} - {limits.days} * 86400 - {seconds}", limits.end)
    days_with_events = "(SELECT COUNT(DISTINCT days_before) FROM counted WHERE days_before > 0)"
    of_days_before = "SUM(CASE WHEN days_before > 0 THEN events ELSE 0 END)"
    return "\n".join(
        [
            "WITH "
            + cte(
                "counted",
                ["event_type", f"FLOOR({age} / 86400) AS days_before", "COUNT(*) AS events"],
                f"{table_identifier(table)}\n  WHERE {receive_time_condition(times)} AND MOD({age}, 86400) < {seconds}"
                "\n  GROUP BY 1, 2",
            )
            + ",",
            cte(
                "compared",
                [
                    "event_type",
                    "SUM(CASE WHEN days_before = 0 THEN events ELSE 0 END) AS events",
                    f"CAST({of_days_before} AS DOUBLE) / NULLIF({days_with_events}, 0) AS usual",
                ],
                "counted\n  GROUP BY 1",
            ),
            "SELECT event_type, events, CAST(ROUND(usual) AS BIGINT) AS usual",
            "FROM compared",
            f"WHERE usual >= {limits.least} AND events < usual * (1 - {limits.drop})",
            f"  OR usual >= {limits.least_silent} AND events = 0",
        ]
    )


def drop_report_sql(drops: str) -> str:
    """Write the query for one row: the number of event types that `drops` returns, and what they are, in words."""
    name, events, usual = "COALESCE(event_type, 'no type')", "CAST(events AS VARCHAR)", "CAST(usual AS VARCHAR)"
    words = f"{name} || ': ' || {events} || ' events, usually ' || {usual}"
    report = f"ARRAY_JOIN(ARRAY_AGG({words} ORDER BY usual DESC), '; ')"
    # Whatever comes from outside is quoted.
    return f"SELECT\n  COUNT(*) AS event_types,\n  {report} AS report\nFROM (\n{drops}\n) drops"
