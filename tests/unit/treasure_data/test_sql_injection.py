"""Names and values that would be SQL: in whatever place of a query they come, they are texts there and nothing else."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlglot

from td_currents_cli.catalog import load
from td_currents_cli.catalog.ddl import OTHER_FIELDS, create_table_sql, flat_columns
from td_currents_cli.choices import Dialect, Layout, Names, Query
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
from td_currents_cli.treasure_data.print_sql import SqlRequest
from td_currents_cli.treasure_data.print_sql import run as printed
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
from td_currents_cli.treasure_data.sql.text import identifier, string_literal
from td_currents_cli.treasure_data.tables import Tables, TdConnection, rows_sql
from td_currents_cli.verify import Arrivals, VerifyRequest
from td_currents_cli.verify import run as verify
from tests.td_service.engine import Engine
from tests.td_service.service import Service

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
TABLE = ("braze", "currents")
ADDRESS = parse_address("td://braze/currents")
PERIOD = Period(0.0, 2_000_000_000.0)
EVENTS = [
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
    rows = [{"time": 1_782_864_100, "events": json.dumps(EVENTS)}]
    running.reset(Engine({TABLE: rows}), {TABLE: {"events": "string"}})
    yield Tables(addresses=(ADDRESS,), period=PERIOD, connection=TdConnection(environ=running.environ()))
    assert only_queries(running.queries)


@pytest.fixture
def sent(tmp_path: Path) -> str:
    file = tmp_path / "sent.json"
    file.write_text(json.dumps({"events": EVENTS}), encoding="utf-8")
    return str(file)


def counts(outcome: CountOutcome) -> Any:
    return outcome.data()["counts"], outcome.balance.events_out, outcome.balance.filtered


@pytest.mark.parametrize("by", ["event_type,channel", "campaign_name,user_id", "id", "source,category"])
def test_values_are_counted(tables: Tables, sent: str, by: str) -> None:
    options: dict[str, Any] = {"by": tuple(by.split(",")), "unique": True, "dedupe": True}
    there = count(CountRequest((), tables=tables, **options))
    here = count(CountRequest(sources([sent]), **options))
    assert there.balance.events_out == len(EVENTS) // 2 * 2
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
    assert insert(InsertRequest(tables=tables, into=parse_address("td://braze/flat"), wanted=Filter())).inserted == len(
        EVENTS
    )
    found = running.engine.query("SELECT event_type, id, properties_campaign_name FROM braze.flat ORDER BY time")
    assert [tuple(row) for row in found.rows] == [
        (each["event_type"], each["id"], each["event_type"]) for each in EVENTS
    ]


def test_values_are_reconciled(tables: Tables, sent: str) -> None:
    outcome = reconcile(ReconcileRequest(FileSide(sources([sent])), TableSide(tables), show=3))
    assert (outcome.matched, outcome.exit_code) == (len(EVENTS), ExitCode.OK)


def test_values_are_verified(tables: Tables, sent: str) -> None:
    Path(sent).write_text(json.dumps({"events": [*EVENTS, {"id": "it''s 0"}]}), encoding="utf-8")
    outcome = verify(VerifyRequest(sources([sent]), Arrivals(ADDRESS, PERIOD, tables.connection), within=0.0))
    assert (outcome.arrived, outcome.missing) == (len(EVENTS), ("it''s 0",))


@pytest.mark.parametrize("query", [Query.COUNT, Query.PARSE, Query.DEDUPE])
@pytest.mark.parametrize("layout", list(Layout))
def test_globs_are_printed(query: Query, layout: Layout) -> None:
    wanted = Filter(types=TypeGlobs.of([*HOSTILE, f"!{HOSTILE[0]}"]))
    request = SqlRequest(
        query=query, table=ADDRESS, layout=layout, period=PERIOD, counted=CountRequest((), wanted=wanted)
    )
    assert only_queries([printed(request).sql])


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
    batches, flat = BatchEvents(address, PERIOD), FlatEvents(address, PERIOD, columns)
    counted = CountRequest((), by=("day",), unique=True)
    return [
        *(count_sql(count_query(counted, ADDRESS, events)) for events in (batches, flat)),
        *(ids_sql(events, with_outline=True) for events in (batches, flat)),
        *(stored_ids_sql(events, [*HOSTILE, "a"]) for events in (batches, flat)),
        *(flatten_sql(FlattenQuery(events=events, columns=COLUMNS, dedupe=True)) for events in (batches, flat)),
        dedupe_batches_sql(batches),
        dedupe_flat_sql(address, PERIOD),
        rows_sql(address, PERIOD, columns),
    ]


@pytest.mark.parametrize("text", ['"', " ".join(HOSTILE)], ids=["one", "all"])
def test_names_of_tables_and_columns(text: str) -> None:
    """Were they allowed, or came from elsewhere, they would be names all the same: the result is the same too."""
    plain, odd = ADDRESS, TableAddress(database=text, table=f"{text}.{text}", column=f"{text}?")
    result: list[list[Any]] = []
    for address, column in ((plain, "plain"), (odd, text)):
        row = {"event_type": "x", "id": "a", "time": 1, address.column: json.dumps(EVENTS[:1]), column: "cell"}
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
        assert [each.name for each in tree.find_all(sqlglot.exp.ColumnDef)] == [*HOSTILE, OTHER_FIELDS]


def test_words() -> None:
    """A text and a name are read as they were written."""
    for text in HOSTILE:
        (tree,) = sqlglot.parse(f"SELECT {string_literal(text)} AS {identifier(text)}", read="trino")
        assert tree
        assert [each.this for each in tree.find_all(sqlglot.exp.Literal)] == [text]
        assert [each.alias for each in tree.find_all(sqlglot.exp.Alias)] == [text]
