"""Tables of flat events may have columns of any name: none is taken for a name that a query of ours uses."""

import re

import pytest

from td_currents_cli.catalog import load
from td_currents_cli.catalog.ddl import flat_columns
from td_currents_cli.choices import Names
from td_currents_cli.count import CountRequest
from td_currents_cli.count.pushdown import count_query
from td_currents_cli.events.filter import Filter, TypeGlobs
from td_currents_cli.treasure_data.address import Period, parse_address
from td_currents_cli.treasure_data.sql.count import count_sql
from td_currents_cli.treasure_data.sql.events import FlatEvents
from td_currents_cli.treasure_data.sql.queries import (
    NTH,
    FlattenQuery,
    dedupe_flat_sql,
    flatten_sql,
    ids_sql,
    stored_ids_sql,
)
from tests.td_service.engine import Engine, Result

TABLE = ("braze", "flat")
ADDRESS = parse_address("td://braze/flat")
PERIOD = Period(0.0, 2_000_000_000.0)
SHORT = ("event_type", "id", "time", "user_user_id", "properties_campaign_name", "properties_price")
"""Some of the columns: to plan a query with all takes long."""

COLUMNS = [column for column in flat_columns(load().events.values(), Names.STREAMING) if column.name in SHORT]
NAMES = [*SHORT, "user_id"]
ROWS = [
    {
        **dict.fromkeys(NAMES),
        "time": 1_782_864_000 + number,
        "event_type": ["users.messages.email.Open", "users.behaviors.Purchase"][number % 2],
        "id": f"e-{number % 7}",
        "user_id": f"u-{number % 3}",
    }
    for number in range(10)
]
EVENTS = FlatEvents(ADDRESS, PERIOD, NAMES)
SOME = Filter(types=TypeGlobs.of(["users.*"]), since=1_782_864_001.0)
QUERIES = {
    "count": count_sql(
        count_query(
            CountRequest((), by=("day", "user_id", "channel"), wanted=SOME, unique=True, dedupe=True), ADDRESS, EVENTS
        )
    ),
    "ids": ids_sql(EVENTS, with_outline=True),
    "arrived": stored_ids_sql(EVENTS, ["e-1", "e-2"]),
    "parse": flatten_sql(FlattenQuery(events=EVENTS, columns=COLUMNS, filter=SOME, dedupe=True)),
    "dedupe": dedupe_flat_sql(ADDRESS, PERIOD, event_filter=SOME),
}
USED = sorted(
    {used for sql in QUERIES.values() for used in re.findall(r'(?:AS "?|, )([a-z_0-9]+)', sql)} - {*NAMES, NTH}
)


def of_columns(result: Result, columns: list[tuple[str, str]]) -> list[str]:
    """The rows of a result, some of its columns only, in an order that does not depend on the query."""
    places = [result.columns.index(column) for column in columns]
    return sorted(str([row[place] for place in places]) for row in result.rows)


@pytest.mark.parametrize("query", QUERIES)
def test_any_column_may_be_there(query: str) -> None:
    """Each name that a query gives to something is one that a column may have: what it gives is the same."""
    assert "kind" in USED
    full = [
        dict.fromkeys(USED, number) | {"n": 7, "received": "x", "rejected": "true"} | row
        for number, row in enumerate(ROWS)
    ]
    there, expected = (Engine({TABLE: rows}).query(QUERIES[query]) for rows in (full, ROWS))
    # Only `dedupe` gives columns that it does not name.
    assert set(there.columns) == set(expected.columns) or query == "dedupe"
    assert of_columns(there, expected.columns) == of_columns(expected, expected.columns)
    assert expected.rows


def test_no_column_of_the_catalog_is_in_the_way() -> None:
    """`dedupe` numbers the rows of a table in a column beside those."""
    assert NTH not in {column.name for column in flat_columns(load().events.values(), Names.STREAMING)}
