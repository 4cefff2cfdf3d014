"""Queries as text: what is printed is what is run, parses in its dialect, and gives what it says."""

import json
import re
from typing import Any

import pytest
import sqlglot
from typer.main import get_command
from typer.testing import CliRunner

from td_currents_cli.catalog import load
from td_currents_cli.catalog.ddl import flat_columns
from td_currents_cli.catalog.list_events import EventsRequest
from td_currents_cli.catalog.list_events import run as listed
from td_currents_cli.choices import Dialect, Layout, Names, Query
from td_currents_cli.cli.app import app
from td_currents_cli.cli.sql import QUERIES_OF_OPTION
from td_currents_cli.count import CountRequest
from td_currents_cli.errors import UsageError
from td_currents_cli.events.filter import Filter, TypeGlobs
from td_currents_cli.treasure_data.address import Period, parse_address
from td_currents_cli.treasure_data.print_sql import SqlRequest, run
from td_currents_cli.treasure_data.sql.text import glob_to_regex
from tests.td_service.engine import Engine

TABLE = ("braze", "currents")
EVENTS = [
    {"event_type": "users.behaviors.Uninstall", "id": "a", "time": 100, "user": {"user_id": "it's"}},
    {"event_type": "users.messages.email.Open", "id": "b", "time": 101, "properties": {"link_id": "1"}},
    {"event_type": "users.behaviors.Uninstall", "id": "a", "time": 102, "user": {"user_id": "again"}},
]
ENGINE = Engine({TABLE: [{"time": 200, "events": json.dumps(EVENTS)}]})


def printed(query: Query, **options: Any) -> str:
    kept = {name: options.pop(name) for name in ("dialect", "into") if name in options}
    request = SqlRequest(
        query=query,
        table=parse_address("td://braze/currents"),
        layout=options.pop("layout", Layout.BATCHES),
        period=Period(0.0, 300.0),
        counted=CountRequest((), **options),
        **kept,
    )
    outcome = run(request)
    assert outcome.as_dict()["sql"] == outcome.sql
    return outcome.sql


def rows_of(sql: str, engine: Engine = ENGINE) -> list[dict[str, Any]]:
    """The cells that are not null."""
    result = engine.query(sql)
    names = [name for name, _ in result.columns]
    return [{n: cell for n, cell in zip(names, row, strict=True) if cell is not None} for row in result.rows]


def test_queries_of_batches() -> None:
    """Each gives what its name says."""
    counted = rows_of(printed(Query.COUNT, by=("event_type",), dedupe=True))
    assert {(row["kind"], row["k0"], row["event_count"]) for row in counted} == {
        ("event", "users.behaviors.Uninstall", 1),
        ("duplicate", "users.behaviors.Uninstall", 1),
        ("event", "users.messages.email.Open", 1),
    }
    parsed = rows_of(printed(Query.PARSE, wanted=Filter(types=TypeGlobs.of(["*.Uninstall"])), dedupe=True))
    assert parsed == [{"event_type": "users.behaviors.Uninstall", "id": "a", "time": 100, "user_user_id": "it's"}]
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


def test_the_catalog_makes_the_same_table() -> None:
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
    rows = rows_of(printed(Query.DEDUPE, layout=Layout.FLAT), flat)
    assert sorted(row["time"] for row in rows) == [1, 3, 4, 5]


def test_a_flat_table_has_the_columns_that_its_events_need() -> None:
    """Those of other event types are not there, others that no catalog knows are."""
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
    assert [name for name, _ in result.columns] == list(rows[0])
    assert sorted(row[:3] for row in result.rows) == [(0, "x", "a"), (2, "x", "b")]


@pytest.mark.parametrize(
    ("dialect", "columns", "condition"),
    [
        (Dialect.TRINO, "earliest.*", "WHERE TD_TIME_RANGE(time, "),
        (Dialect.HIVE, "*", "WHERE TD_TIME_RANGE(`time`, "),
        (Dialect.SPARK, "event.*", "WHERE `time` >= "),
    ],
)
def test_dedupe_in_each_dialect(dialect: Dialect, columns: str, condition: str) -> None:
    """`time` is a keyword of Hive's. Only in Hive can the number of a row not be left out of the result."""
    sql = printed(Query.DEDUPE, layout=Layout.FLAT, dialect=dialect)
    assert f"SELECT {columns}\nFROM (" in sql
    assert condition in sql
    assert not re.search(r"(?<![`\w])time(?![`\w])", sql.lower()) or dialect is Dialect.TRINO


@pytest.mark.parametrize("query", [Query.COUNT, Query.PARSE, Query.DEDUPE])
@pytest.mark.parametrize("dialect", [Dialect.HIVE, Dialect.SPARK])
def test_what_trino_alone_can_say(query: Query, dialect: Dialect) -> None:
    """Batches are taken apart in Trino; for other dialects that is said."""
    with pytest.raises(UsageError, match="is not supported for"):
        printed(query, dialect=dialect)


@pytest.mark.parametrize(
    ("meant", "ids"),
    [
        (Filter(types=TypeGlobs.of(["*.email.*"])), ["b"]),
        (Filter(types=TypeGlobs.of(["!*.email.*", "it's"])), []),
        (Filter(since=101.0), ["a", "b"]),
        (Filter(types=TypeGlobs.of(["*.uninstall"]), until=101.0), ["a"]),
        (Filter(since=102.5), []),
    ],
)
@pytest.mark.parametrize("layout", list(Layout))
def test_dedupe_of_some_events(meant: Filter, ids: list[str], layout: Layout) -> None:
    """By type and by the event's own time, as count has it: the first of those that are meant."""
    flat = [{name: value for name, value in each.items() if isinstance(value, str | int)} for each in EVENTS]
    names = [column.name for column in flat_columns(load().events.values(), Names.STREAMING)]
    rows = [dict.fromkeys(names) | each for each in flat]
    engine = ENGINE if layout is Layout.BATCHES else Engine({TABLE: rows})
    found = rows_of(printed(Query.DEDUPE, layout=layout, wanted=meant), engine)
    assert sorted(row["id"] for row in found) == ids


@pytest.mark.parametrize("dialect", list(Dialect))
@pytest.mark.parametrize("glob", ["it's *", "back\\slash\\", "'; DROP TABLE x; -- [!a]*", "\\' OR 1=1 --"])
def test_globs_in_all_dialects(dialect: Dialect, glob: str) -> None:
    """They are texts of that dialect, and nothing else."""
    sql = printed(Query.DEDUPE, layout=Layout.FLAT, dialect=dialect, wanted=Filter(types=TypeGlobs.of([glob])))
    (tree,) = sqlglot.parse(sql, read=dialect)
    assert tree
    assert glob_to_regex(glob.lower()) in [each.this for each in tree.find_all(sqlglot.exp.Literal) if each.is_string]


def test_a_table_does_not_take_its_own_events() -> None:
    """The query would find what it has inserted."""
    with pytest.raises(UsageError, match="cannot be both source and target"):
        printed(Query.PARSE, into=parse_address("td://braze/currents"))


VALUES = {
    "--rows": "batches",
    "--column": "events",
    "--since": "",
    "--until": "2026-07-01",
    "--type": "*",
    "--dedupe": None,
    "--into": "td://braze/flat",
    "--by": "day",
    "--timezone": "UTC",
    "--unique": None,
}


@pytest.mark.parametrize(("query", "option"), [(query, option) for query in Query for option in VALUES])
def test_options_have_a_meaning_or_are_refused(query: Query, option: str) -> None:
    """Also where one is given that says what holds anyway."""
    given = [each for each in (option, VALUES[option]) if each is not None]
    run = CliRunner().invoke(app, ["sql", query, "td://braze/currents", *given])
    if query in QUERIES_OF_OPTION[option]:
        assert "has no use" not in run.stderr
    else:
        assert (run.exit_code, run.stdout) == (2, "")
        assert run.stderr.startswith(
            f"error: {option} cannot be used with `sql {query}`\nhint: {option} works only with `sql "
        )


def test_all_options_are_told_apart() -> None:
    """But those that all queries have."""
    command: Any = get_command(app)
    options = {name for each in command.get_command(None, "sql").params for name in each.opts if name[:2] == "--"}
    assert options - QUERIES_OF_OPTION.keys() == {"--dialect", "--format", "--quiet", "--verbose", "--color"}
    assert QUERIES_OF_OPTION.keys() == VALUES.keys()


def test_flat_events_are_in_no_one_column() -> None:
    run = CliRunner().invoke(app, ["sql", "count", "td://braze/currents", "--rows", "flat", "--column", "events"])
    assert (run.exit_code, run.stdout) == (2, "")
    assert "--column cannot be used with --rows flat" in run.stderr
