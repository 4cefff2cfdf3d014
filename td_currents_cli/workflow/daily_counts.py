"""Daily counts of a flat table."""

from td_currents_cli.catalog import load
from td_currents_cli.catalog.ddl import OTHER_FIELDS, flat_columns
from td_currents_cli.choices import Layout, Names
from td_currents_cli.count import CountRequest
from td_currents_cli.count.dimensions import EVENT_TYPE, TimeUnit
from td_currents_cli.count.pushdown import count_query
from td_currents_cli.events.filter import WITHOUT_CANARIES, zone_of
from td_currents_cli.treasure_data.address import TableAddress
from td_currents_cli.treasure_data.sql.events import table_events
from td_currents_cli.treasure_data.sql.short_count import short_count_sql
from td_currents_cli.treasure_data.sql.text import TimeRange


def daily_table(flat: TableAddress) -> TableAddress:
    return flat.with_suffix("_daily")


def daily_counts_sql(flat: TableAddress, days: TimeRange, zone: str) -> str:
    """Write the query for the events of each day and type, as `tdcur sql count` prints it."""
    names = (TimeUnit.DAY, EVENT_TYPE)
    columns = [*(column.name for column in flat_columns(load().events.values(), Names.STREAMING)), OTHER_FIELDS]
    events = table_events(flat, Layout.FLAT, days, columns)
    request = CountRequest((), by=names, zone=zone_of(zone), wanted=WITHOUT_CANARIES)
    query = count_query(request, flat, events)
    return short_count_sql(query, names, "UTC")  # of `first_event` and `last_event`
