"""Queries as text: they parse in their dialects, and give what they say.

Names and values that would be SQL are texts in whatever place of a query they come, and nothing else.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlglot
from typer.main import get_command
from typer.testing import CliRunner

from td_currents_cli.catalog import load
from td_currents_cli.catalog.ddl import OTHER_FIELDS, RECEIVED_TIME, create_table_sql, flat_columns
from td_currents_cli.catalog.list_events import EventsRequest
from td_currents_cli.catalog.list_events import run as listed
from td_currents_cli.choices import Dialect, Layout, Names, Query
from td_currents_cli.cli.app import app
from td_currents_cli.cli.sql import QUERIES_OF_OPTION
from td_currents_cli.count import CountOutcome, CountRequest
from td_currents_cli.count import run as count
from td_currents_cli.count.pushdown import count_query
from td_currents_cli.errors import ExitCode, UsageError
from td_currents_cli.events.filter import Filter, TypeGlobs
from td_currents_cli.read import sources
from td_currents_cli.reconcile import ReconcileRequest
from td_currents_cli.reconcile import run as reconcile
from td_currents_cli.reconcile.file_side import FileSide
from td_currents_cli.reconcile.table_side import TableSide
from td_currents_cli.treasure_data.address import Period, TableAddress, parse_address
from td_currents_cli.treasure_data.insert import InsertRequest
from td_currents_cli.treasure_data.insert import run as insert
from td_currents_cli.treasure_data.print_sql import SqlRequest, run
from td_currents_cli.treasure_data.sql.count import count_sql
from td_currents_cli.treasure_data.sql.events import BatchEvents, FlatEvents
from td_currents_cli.treasure_data.sql.queries import (
    FlattenQuery,
    dedupe_batches_sql,
    dedupe_flat_sql,
    flatten_sql,
    ids_sql,
    stored_ids_sql,
)
from td_currents_cli.treasure_data.sql.text import glob_to_regex
from td_currents_cli.treasure_data.tables import Tables, TdConnection, rows_sql
from td_currents_cli.verify import Arrivals, VerifyRequest
from td_currents_cli.verify import run as verify
from tests.td_service.engine import Engine
from tests.td_service.service import Service

TABLE = ("braze", "currents")
EVENTS = [
    {"event_type": "users.behaviors.Uninstall", "id": "a", "time": 100, "user": {"user_id": "it's"}},
    {"event_type": "users.messages.email.Open", "id": "b", "time": 101, "properties": {"link_id": "1"}},
    {"event_type": "users.behaviors.Uninstall", "id": "a", "time": 102, "user": {"user_id": "again"}},
]
ENGINE = Engine({TABLE: [{"time": 200, "events": json.dumps(EVENTS)}]})


def printed(query: Query, **options: Any) -> str:
    kept = {name: options.pop(name) for name in ("dialect", "into") if name in options}
    table = options.pop("table", None) or parse_address("td://braze/currents")
    request = SqlRequest(
        query=query,
        table=table,
        layout=options.pop("layout", Layout.BATCHES),
        period=Period(0.0, 300.0),
        counted=CountRequest((), **options),
        exact=True,
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
    flat = {"event_type": "users.behaviors.Uninstall", "id": "a", "time": 100, "user_user_id": "it's"}
    assert parsed == [flat | {"received_time": 200}]
    rows = rows_of(printed(Query.DEDUPE))
    assert sorted(row["id"] for row in rows) == ["a", "b"]
    assert {json.loads(row["event"])["time"] for row in rows} == {100, 101}


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
def test_what_all_dialects_can_say(dialect: Dialect, columns: str, condition: str) -> None:
    """`time` is a keyword of Hive's. Only in Hive can the number of a row not be left out of the result."""
    sql = printed(Query.DEDUPE, layout=Layout.FLAT, dialect=dialect)
    assert f"SELECT {columns}\nFROM (" in sql
    assert condition in sql
    assert not re.search(r"(?<![`\w])time(?![`\w])", sql.lower()) or dialect is Dialect.TRINO
    for each in (sql, printed(Query.CREATE_TABLE, dialect=dialect)):
        assert sqlglot.parse_one(each, read=dialect).find(sqlglot.exp.Table)
        assert ('"' in each) == (dialect is Dialect.TRINO)


@pytest.mark.parametrize("query", [Query.COUNT, Query.PARSE, Query.DEDUPE])
def test_what_a_dialect_cannot_say(query: Query) -> None:
    """Batches are not taken apart in Hive, and Spark does not read other flat tables than Hive; that is said."""
    with pytest.raises(UsageError, match="is not supported for"):
        printed(query, dialect=Dialect.HIVE)
    if query is not Query.DEDUPE:
        with pytest.raises(UsageError, match="is not supported for"):
            printed(query, dialect=Dialect.SPARK, layout=Layout.FLAT)


def statements(sql: str) -> list[Any]:
    """What Spark runs, one after another."""
    return [tree for each in sql.split(";\n\n") for tree in sqlglot.parse(each, read="spark")]


@pytest.mark.parametrize("query", [Query.COUNT, Query.PARSE, Query.DEDUPE])
@pytest.mark.parametrize("source", ["batches", "export"])
def test_what_is_said_to_spark(query: Query, source: str) -> None:
    """A query, and before it what makes its source readable, whatever is in the names; see also tests/spark."""
    path = "s3://bucket/it's \\' here"
    table = {} if source == "batches" else {"table": path}
    wanted = Filter(types=TypeGlobs.of(HOSTILE), since=0.0)
    by = ("event_type", "channel", "category", "source", "week", "campaign_name", "properties.custom_properties.it's")
    for each in (by, by[:1]):
        found = statements(printed(query, dialect=Dialect.SPARK, wanted=wanted, by=each, **table))
        kinds = [sqlglot.exp.Command, *([sqlglot.exp.Create] if source == "export" else []), sqlglot.exp.Select]
        assert list(map(type, found)) == kinds
        if source == "export":
            assert path in [each.this for each in found[1].find_all(sqlglot.exp.Literal)]


def test_what_an_export_does_not_have() -> None:
    refused: dict[Query, dict[str, Any]] = {
        Query.CREATE_TABLE: {},
        Query.PARSE: {"into": parse_address("td://braze/flat")},
        Query.DEDUPE: {"layout": Layout.FLAT},
        Query.COUNT: {"by": ("plan",)},
    }
    for query, options in refused.items():
        with pytest.raises(UsageError, match="export"):
            printed(query, dialect=Dialect.SPARK, table="export/", **options)


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
    "--for": "console",
    "--received-since": "-7d",
    "--received-until": "2026-07-01",
    "--late": "2d",
    "--type": "*",
    "--dedupe": None,
    "--into": "td://braze/flat",
    "--by": "day",
    "--timezone": "UTC",
    "--unique": None,
    "--exact": None,
    "--external-user-id": "a",
    "--user-id": "b",
    "--device-id": "c",
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
    assert options - QUERIES_OF_OPTION.keys() == {
        "--dialect",
        "--format",
        "--catalog",
        "--profile",
        "--quiet",
        "--verbose",
        "--color",
    }
    assert QUERIES_OF_OPTION.keys() == VALUES.keys()


def test_flat_events_are_in_no_one_column() -> None:
    run = CliRunner().invoke(app, ["sql", "count", "td://braze/currents", "--rows", "flat", "--column", "events"])
    assert (run.exit_code, run.stdout) == (2, "")
    assert "--column cannot be used with --rows flat" in run.stderr


HOSTILE = [
    "it's",
    'say "hi"',
    "'; DROP TABLE currents; --",
    '"; DROP TABLE currents; --',
    "a' OR '1'='1",
    "/* comment */",
    "-- comment",
    "*/ /*",
    "back\\slash",
    "\\",
    "\\' OR 1=1 --",
    "''",
    "$['a']",
    "a]b[c",
    "$.a.b",
    "${param} {{param}} {braces}",
    "%s %(x)s ? :x",
    "`tick`",
    "\u2019 \u02bc \u201d \uff07 \u2032",
    "new\nline",
    "Ünïcode ☃ \U0001d54f",
]
ADDRESS = parse_address("td://braze/currents")
PERIOD = Period(0.0, 2_000_000_000.0)
HOSTILE_EVENTS = [
    {
        "event_type": text,
        "id": f"{text} {number % 2}",
        "time": 1_782_864_000 + number,
        "user": {"user_id": text},
        "properties": {"campaign_name": text, text: text, "price": number},
    }
    for number, text in enumerate([*HOSTILE, *HOSTILE])
]
SHORT = {"event_type", "id", "time", "user_user_id", "properties_campaign_name", "properties_price"}
COLUMNS = [column for column in flat_columns(load().events.values(), Names.STREAMING) if column.name in SHORT]


def only_queries(queries: list[str]) -> bool:
    """Whether each is one statement, and one that the tool means to issue."""
    trees = [sqlglot.parse(sql, read="trino") for sql in queries]
    kinds = (sqlglot.exp.Select, sqlglot.exp.Union, sqlglot.exp.Insert, sqlglot.exp.Create)
    return all(len(tree) == 1 and isinstance(tree[0], kinds) for tree in trees)


@pytest.fixture
def tables(running: Service) -> Iterator[Tables]:
    """A table with all that is hostile in its rows. After the test all queries are looked at."""
    rows = [{"time": 1_782_864_100, "events": json.dumps(HOSTILE_EVENTS)}]
    running.reset(Engine({TABLE: rows}), {TABLE: {"events": "string"}})
    yield Tables(addresses=(ADDRESS,), period=PERIOD, connection=TdConnection(environ=running.environ()))
    assert only_queries(running.queries)


@pytest.fixture
def sent(tmp_path: Path) -> str:
    file = tmp_path / "sent.json"
    file.write_text(json.dumps({"events": HOSTILE_EVENTS}), encoding="utf-8")
    return str(file)


def counts(outcome: CountOutcome) -> Any:
    return outcome.data()["counts"], outcome.balance.events_out, outcome.balance.filtered


@pytest.mark.parametrize("by", ["event_type,channel", "campaign_name,user_id", "id", "source,category"])
def test_values_are_counted(tables: Tables, sent: str, by: str) -> None:
    options: dict[str, Any] = {"by": tuple(by.split(",")), "unique": True, "dedupe": True}
    there = count(CountRequest((), tables=tables, **options))
    here = count(CountRequest(sources([sent]), **options))
    assert there.balance.events_out == len(HOSTILE_EVENTS)
    if "source" not in by:
        assert counts(there) == counts(here)


@pytest.mark.parametrize("text", HOSTILE)
def test_names_are_counted_by(tables: Tables, sent: str, text: str) -> None:
    """A property's name and a glob over types, as here; what can be no name is refused here and there."""
    options: dict[str, Any] = {
        "wanted": Filter(types=TypeGlobs.of([text, "it*", "!*hi*"])),
        "by": (f"properties.{text}",),
    }
    found = []
    for request in (CountRequest((), tables=tables, **options), CountRequest(sources([sent]), **options)):
        try:
            found.append(counts(count(request)))
        except UsageError as error:
            found.append(error.args)
    assert found[0] == found[1]


def test_values_are_inserted(tables: Tables, running: Service) -> None:
    """Each member of a flat event is what it was."""
    outcome = insert(InsertRequest(tables=tables, into=parse_address("td://braze/flat"), wanted=Filter()))
    assert outcome.inserted == len(HOSTILE_EVENTS)
    found = running.engine.query("SELECT event_type, id, properties_campaign_name FROM braze.flat ORDER BY time")
    assert [tuple(row) for row in found.rows] == [
        (each["event_type"], each["id"], each["event_type"]) for each in HOSTILE_EVENTS
    ]


def test_values_are_reconciled(tables: Tables, sent: str) -> None:
    outcome = reconcile(ReconcileRequest(FileSide(sources([sent])), TableSide(tables), show=3))
    assert (outcome.matched, outcome.exit_code) == (len(HOSTILE_EVENTS), ExitCode.OK)


def test_values_are_verified(tables: Tables, sent: str) -> None:
    Path(sent).write_text(json.dumps({"events": [*HOSTILE_EVENTS, {"id": "it''s 0"}]}), encoding="utf-8")
    outcome = verify(VerifyRequest(sources([sent]), Arrivals(ADDRESS, PERIOD, tables.connection), within=0.0))
    assert (outcome.arrived, outcome.missing) == (len(HOSTILE_EVENTS), ("it''s 0",))


@pytest.mark.parametrize("query", [Query.COUNT, Query.PARSE, Query.DEDUPE])
@pytest.mark.parametrize("layout", list(Layout))
def test_globs_are_printed(query: Query, layout: Layout) -> None:
    wanted = Filter(types=TypeGlobs.of([*HOSTILE, f"!{HOSTILE[0]}"]))
    assert only_queries([printed(query, layout=layout, wanted=wanted)])


@pytest.mark.parametrize("text", HOSTILE)
def test_addresses_hold_none_of_it(text: str) -> None:
    """Treasure Data allows no such name."""
    for address in (f"td://{text}/currents", f"td://braze/{text}", f"td://braze/currents?column={text}"):
        with pytest.raises(UsageError) as refused:
            parse_address(address)
        assert text not in str(refused.value) or text == "\\"
    with pytest.raises(UsageError):
        parse_address("td://braze/currents", column=text)


def queries_of(address: TableAddress, columns: list[str]) -> list[str]:
    """Queries of each kind about a table, with the batches in its column or with these columns."""
    queries = [dedupe_flat_sql(address, PERIOD), rows_sql(address, PERIOD, columns)]
    batches = BatchEvents(address, PERIOD)
    for events in (batches, FlatEvents(address, PERIOD, columns)):
        queries += [
            count_sql(count_query(CountRequest((), by=("day",), unique=True), ADDRESS, events)),
            ids_sql(events, with_outline=True),
            stored_ids_sql(events, [*HOSTILE, "a"]),
            flatten_sql(FlattenQuery(events=events, columns=COLUMNS, dedupe=True)),
        ]
    return [*queries, dedupe_batches_sql(batches)]


@pytest.mark.parametrize("text", ['"', " ".join(HOSTILE)], ids=["one", "all"])
def test_names_of_tables_and_columns(text: str) -> None:
    """Were they allowed, or came from elsewhere, they would be names all the same: the result is the same too."""
    plain, odd = ADDRESS, TableAddress(database=text, table=f"{text}.{text}", column=f"{text}?")
    result: list[list[Any]] = []
    for address, column in ((plain, "plain"), (odd, text)):
        row = {"event_type": "x", "id": "a", "time": 1, address.column: json.dumps(HOSTILE_EVENTS[:1]), column: "cell"}
        engine = Engine({(address.database, address.table): [row, row | {"id": "b", "time": 2}]})
        queries = queries_of(address, ["id", "event_type", "time", column])
        assert only_queries(queries)
        # The name of a column that no other takes is in the text of the other fields.
        told = json.dumps(column, ensure_ascii=False)
        rows = [
            [[str(cell).replace(told, '"plain"') for cell in row] for row in engine.query(sql).rows] for sql in queries
        ]
        result.append(list(map(sorted, rows)))
    assert result[0] == result[1]


@pytest.mark.parametrize("dialect", list(Dialect))
def test_names_in_statements_that_make_tables(dialect: Dialect) -> None:
    """All columns have the names they were given, in each dialect."""
    columns = [msgspec.structs.replace(COLUMNS[0], name=text) for text in HOSTILE]
    for table in [(text, text) for text in HOSTILE]:
        (tree,) = sqlglot.parse(create_table_sql(table, columns, dialect), read=dialect)
        assert isinstance(tree, sqlglot.exp.Create)
        assert [each.name for each in tree.find_all(sqlglot.exp.ColumnDef)] == [*HOSTILE, RECEIVED_TIME, OTHER_FIELDS]


def test_spark_reads_the_parts_of_a_day_before() -> None:
    """As the other readers of an export do, and whether its parts are hours or days."""
    query = ["sql", "count", "s3://bucket/export", "--dialect", "spark", "--since", "2026-07-02T12:00Z"]
    assert "WHERE CAST(date AS STRING) >= '2026-07-01'\n" in CliRunner().invoke(app, query).stdout
