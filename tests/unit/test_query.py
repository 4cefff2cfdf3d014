"""Queries as text: what is printed is what is run, parses in its dialect, and gives what it says."""

import json
from typing import Any

import pytest
import sqlglot

from td_currents_cli.catalog.dialect import Dialect
from td_currents_cli.catalog.listing import EventsRequest
from td_currents_cli.catalog.listing import run as listed
from td_currents_cli.count import CountRequest
from td_currents_cli.errors import UsageError
from td_currents_cli.events.filter import Filter, TypeGlobs
from td_currents_cli.query import Query, QueryRequest, run
from td_currents_cli.warehouse.address import address_of
from td_currents_cli.warehouse.layout import Layout
from td_currents_cli.warehouse.period import Period
from tests.td_service.engine import Engine

TABLE = ("braze", "currents")
EVENTS = [
    {"event_type": "users.behaviors.Uninstall", "id": "a", "time": 100, "user": {"user_id": "it's"}},
    {"event_type": "users.messages.email.Open", "id": "b", "time": 101, "properties": {"link_id": "1"}},
    {"event_type": "users.behaviors.Uninstall", "id": "a", "time": 102, "user": {"user_id": "again"}},
]
ENGINE = Engine({TABLE: [{"time": 200, "events": json.dumps(EVENTS)}]})


def printed(query: Query, **options: Any) -> str:
    """The text of a query."""
    dialect, layout = options.pop("dialect", Dialect.TRINO), options.pop("layout", Layout.BATCHES)
    request = QueryRequest(
        query=query,
        table=address_of("td://braze/currents"),
        layout=layout,
        period=Period(0.0, 300.0),
        counted=CountRequest((), **options),
        dialect=dialect,
    )
    outcome = run(request)
    assert outcome.as_dict()["sql"] == outcome.sql
    return outcome.sql


def rows_of(sql: str) -> list[dict[str, Any]]:
    """What a query gives, without nulls."""
    result = ENGINE.query(sql)
    names = [name for name, _ in result.columns]
    return [{n: cell for n, cell in zip(names, row, strict=True) if cell is not None} for row in result.rows]


def test_count() -> None:
    """A line for each group."""
    rows = rows_of(printed(Query.COUNT, by=("event_type",), dedupe=True))
    assert {(row["kind"], row["k0"], row["event_count"]) for row in rows} == {
        ("event", "users.behaviors.Uninstall", 1),
        ("duplicate", "users.behaviors.Uninstall", 1),
        ("event", "users.messages.email.Open", 1),
    }


def test_parse() -> None:
    """A row for each event that is meant, with the columns of the catalogue."""
    rows = rows_of(printed(Query.PARSE, wanted=Filter(types=TypeGlobs.of(["*.Uninstall"])), dedupe=True))
    assert rows == [{"event_type": "users.behaviors.Uninstall", "id": "a", "time": 100, "user_user_id": "it's"}]


def test_dedupe() -> None:
    """A row for the first event of each id."""
    rows = rows_of(printed(Query.DEDUPE))
    assert sorted(row["id"] for row in rows) == ["a", "b"]
    assert {json.loads(row["event"])["time"] for row in rows} == {100, 101}


@pytest.mark.parametrize("dialect", list(Dialect))
@pytest.mark.parametrize("query", [Query.CREATE_TABLE, Query.DEDUPE])
def test_what_all_dialects_can_say(query: Query, dialect: Dialect) -> None:
    """It parses in each of them, about a flat table."""
    sql = printed(query, layout=Layout.FLAT, dialect=dialect)
    assert sqlglot.parse_one(sql, read=dialect).find(sqlglot.exp.Table)
    assert ('"' in sql) == (dialect is Dialect.TRINO)


def test_the_catalogue_makes_the_same_table() -> None:
    """`tdcur events --format ddl` and `tdcur sql create-table` differ in the table's name alone."""
    of_events = listed(EventsRequest(dialect=Dialect.HIVE)).ddl().split("\n")
    of_sql = printed(Query.CREATE_TABLE, dialect=Dialect.HIVE).split("\n")
    assert of_events[1:] == of_sql[1:]
    assert (of_events[0].split()[-2], of_sql[0].split()[-2]) == ("`currents`", "`braze`.`currents`")


def test_a_flat_table_is_made_and_deduplicated() -> None:
    """By the very statements that are printed."""
    flat = Engine({})
    flat.query("CREATE SCHEMA braze")
    flat.query(printed(Query.CREATE_TABLE))
    flat.query("INSERT INTO braze.currents (id, time) VALUES ('a', 2), ('a', 1), ('b', 3), (NULL, 4), (NULL, 5)")
    result = flat.query(printed(Query.DEDUPE, layout=Layout.FLAT))
    place = [name for name, _ in result.columns].index("time")
    assert sorted(row[place] for row in result.rows) == [1, 3, 4, 5]


def test_a_flat_table_has_the_columns_that_its_events_need() -> None:
    """Those of other event types are not there, others that no catalogue knows are."""
    rows = [
        {"time": time, "event_type": "x", "id": each, "user_user_id": "u", "properties_plan": "gold"}
        for time, each in enumerate("aab")
    ]
    flat = Engine({TABLE: [row | {"user_external_user_id": None} for row in rows]})
    counted = flat.query(printed(Query.COUNT, layout=Layout.FLAT, by=("properties.plan",), unique=True, dedupe=True))
    assert {row[:2] for row in counted.rows if row[0] == "event"} == {("event", "gold"), ("event", None)}
    flat = Engine({TABLE: rows})
    counted = flat.query(printed(Query.COUNT, layout=Layout.FLAT, by=("properties_plan", "day"), dedupe=True))
    assert {row[:2] for row in counted.rows if row[0] == "event"} == {("event", "gold")}
    result = flat.query(printed(Query.DEDUPE, layout=Layout.FLAT))
    assert [name for name, _ in result.columns] == [*rows[0], "nth_of_its_id"]
    assert sorted(row[:3] for row in result.rows) == [(0, "x", "a"), (2, "x", "b")]


@pytest.mark.parametrize("query", [Query.COUNT, Query.PARSE, Query.DEDUPE])
@pytest.mark.parametrize("dialect", [Dialect.HIVE, Dialect.SPARK])
def test_what_trino_alone_can_say(query: Query, dialect: Dialect) -> None:
    """Batches are taken apart in Trino; for other dialects that is said."""
    with pytest.raises(UsageError, match="cannot be said in"):
        printed(query, dialect=dialect)
