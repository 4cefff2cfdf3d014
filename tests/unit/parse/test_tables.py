"""Tables of Treasure Data made into flat events: downloaded, or inserted into another table where they are."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from td_currents_cli.catalog import load
from td_currents_cli.catalog.ddl import flat_columns
from td_currents_cli.choices import Names
from td_currents_cli.cli.app import app
from td_currents_cli.errors import ExitCode, InputError, OutputError, UsageError
from td_currents_cli.events.filter import EVERYTHING, Filter
from td_currents_cli.parse import ParseOutcome, ParseRequest
from td_currents_cli.parse import run as parse
from td_currents_cli.read import Source, sources
from td_currents_cli.render.parse import report_parsed
from td_currents_cli.treasure_data.address import Period, parse_address
from td_currents_cli.treasure_data.client import RetryPolicy
from td_currents_cli.treasure_data.insert import InsertOutcome, InsertRequest
from td_currents_cli.treasure_data.insert import run as insert
from td_currents_cli.treasure_data.tables import Tables, TdConnection, downloaded
from tests.rendering import Screen
from tests.td_service.engine import Engine
from tests.td_service.service import Service, Trouble

RAW = ("braze", "raw")
EVENTS = [
    {
        "event_type": "users.messages.email.Open",
        "id": f"e-{number}",
        "time": 1_782_864_000 + number,
        "user": {"user_id": f"u-{number}", "external_user_id": None},
        "properties": {"campaign_name": "it's ☃", "is_amp": True, "link_id": "0"},
    }
    for number in range(5)
]
PURCHASE = {
    "event_type": "users.behaviors.Purchase",
    "id": "p",
    "time": 1_782_864_100,
    "user": {"user_id": "u"},
    "properties": {"price": 9.5, "currency": "EUR", "purchase_properties": {"size": "L", "n": [1, 2]}},
}
CELLS = [json.dumps(EVENTS), json.dumps({"events": [PURCHASE]}), None]


@pytest.fixture
def engine() -> Engine:
    return Engine({RAW: [{"time": 1_782_864_200, "events": cell} for cell in CELLS]})


@pytest.fixture
def tables_of(running: Service) -> Callable[..., Tables]:
    """Tables behind a stand-in."""

    def make(engine: Engine, address: str = "td://braze/raw", **columns: Mapping[str, str]) -> Tables:
        named = {("braze", table): kinds for table, kinds in columns.items()}
        running.reset(engine, {RAW: {"events": "string"}, **named})
        access = TdConnection(environ=running.environ(), retry_policy=RetryPolicy(backoff=0.001))
        return Tables(addresses=(parse_address(address),), period=Period(0.0, 1_782_864_300.0), connection=access)

    return make


def parsed(found: Sequence[Source], output: Path) -> tuple[ParseOutcome, list[dict[str, Any]]]:
    outcome = parse(ParseRequest(sources=found, output=output))
    return outcome, [json.loads(line) for line in output.read_text("utf-8").splitlines()]


def test_rows_are_downloaded(
    tables_of: Callable[..., Tables], engine: Engine, tmp_path: Path, running: Service
) -> None:
    tables = tables_of(engine)
    running.cuts.extend([20, 0])
    rows = tmp_path / "rows.jsonl"
    rows.write_text("".join(json.dumps({"time": 1, "events": cell}) + "\n" for cell in CELLS), encoding="utf-8")
    with downloaded(tables) as found:
        there, events = parsed(found, tmp_path / "there.jsonl")
    here, expected = parsed(sources([str(rows)]), tmp_path / "here.jsonl")
    assert events == expected
    assert (there.balance, there.exit_code) == (here.balance, here.exit_code)
    assert running.queries == ['SELECT "events"\nFROM "braze"."raw"\nWHERE TD_TIME_RANGE(time, 0, 1782864300)']


def test_a_malformed_row_of_a_table(tables_of: Callable[..., Tables], tmp_path: Path) -> None:
    engine = Engine({RAW: [{"time": 1, "events": CELLS[0]}, {"time": 2, "events": '[{"id": '}]})
    with downloaded(tables_of(engine)) as found:
        outcome, events = parsed(found, tmp_path / "events.jsonl")
    assert len(events) == 5
    assert outcome.exit_code is ExitCode.FINDINGS
    assert [str(each.location) for each in outcome.problems.kept] == ["td://braze/raw:2:1 (row 2)"]


def test_a_table_without_rows_in_that_time(tables_of: Callable[..., Tables], tmp_path: Path) -> None:
    """It is said, and is no error, whether its rows are downloaded or stay there."""
    engine = Engine({RAW: [{"time": 2_000_000_000, "events": CELLS[0]}]})
    with downloaded(tables_of(engine)) as found:
        outcome, events = parsed(found, tmp_path / "events.jsonl")
    there = inserted(tables_of(engine))
    assert (events, there.inserted) == ([], 0)
    for each in (outcome, there):
        assert (each.exit_code, each.problems.total) == (ExitCode.OK, 1)
        assert [(each.code, each.severity) for each in each.problems.kept] == [("TDC005", "warning")]
        assert str(each.problems.kept[0].location) == "td://braze/raw"


def test_a_flat_table_is_downloaded(tables_of: Callable[..., Tables], tmp_path: Path) -> None:
    """Each row is an event; what is null is no member."""
    rows = [
        {"time": 100, "event_type": "x", "id": "a", "user_user_id": "u"},
        {"time": 101, "event_type": "x", "id": "b", "user_user_id": None},
    ]
    columns = {name: "string" for name in rows[0] if name != "time"}
    tables = tables_of(Engine({("braze", "flat"): rows}), "td://braze/flat", flat=columns)
    with downloaded(tables) as found:
        _, events = parsed(found, tmp_path / "events.jsonl")
    assert [(each["id"], each["time"], len(each)) for each in events] == [("a", 100, 4), ("b", 101, 3)]
    assert events[1] == {"event_type": "x", "id": "b", "time": 101}


def inserted(tables: Tables, wanted: Filter = EVERYTHING, *, dedupe: bool = False) -> InsertOutcome:
    """What comes of inserting into `flat`."""
    return insert(InsertRequest(tables=tables, into=parse_address("td://braze/flat"), wanted=wanted, dedupe=dedupe))


def rows_of(engine: Engine) -> list[dict[str, Any]]:
    result = engine.query('SELECT * FROM "braze"."flat" ORDER BY time')
    names = [name for name, _ in result.columns]
    return [{n: cell for n, cell in zip(names, row, strict=True) if cell is not None} for row in result.rows]


def test_events_are_inserted_where_they_are(
    tables_of: Callable[..., Tables], engine: Engine, running: Service, screen: Screen
) -> None:
    """A table with the columns of the catalog is made and filled; nothing is downloaded but numbers."""
    outcome = inserted(tables_of(engine))
    assert (outcome.inserted, outcome.created, outcome.exit_code) == (6, True, ExitCode.OK)
    rows = rows_of(engine)
    assert rows[0] == {
        "event_type": "users.messages.email.Open",
        "id": "e-0",
        "time": 1_782_864_000,
        "received_time": 1_782_864_200,
        "user_user_id": "u-0",
        "properties_campaign_name": "it's ☃",
        "properties_is_amp": "true",
        "properties_link_id": "0",
    }
    assert rows[5]["properties_price"] == 9.5
    assert json.loads(rows[5]["properties_purchase_properties"]) == {"size": "L", "n": [1, 2]}
    kinds = [query.split(maxsplit=1)[0] for query in running.queries]
    assert kinds == ["WITH", "CREATE", "INSERT"]
    report_parsed(outcome, screen.terminal)
    assert "created td://braze/flat; inserted 6 events into td://braze/flat" in screen.err
    assert "3 rows, 6 events written" in screen.err
    assert "other_fields" not in screen.err


def test_what_no_column_takes_is_kept(tables_of: Callable[..., Tables], running: Service, screen: Screen) -> None:
    """Members without a column, and values that are not of its type, are in a column of their own, and are counted."""
    odd = {
        "event_type": "users.behaviors.Purchase",
        "id": 7,
        "time": "soon",
        "sequence": 1.0,
        "properties.price": "not that of the properties",
        "user": {"user_id": ["u", None], "age": None},
        "properties": {"price": "9.50 €", "currency": 5, "purchase_properties": {"a": [1]}, "attempt_count": "007"},
    }
    without = {**odd, "time": 3, "user": "u", "properties": 1}
    engine = Engine({RAW: [{"time": 1, "events": json.dumps([odd, EVENTS[0], without])}]})
    outcome = inserted(tables_of(engine))
    assert (outcome.inserted, outcome.others, outcome.exit_code) == (3, 2, ExitCode.OK)
    row, other, usual = rows_of(engine)
    others = {
        "time": "soon",
        "sequence": 1.0,
        ".properties.price": "not that of the properties",
        "user.age": None,
        "properties.price": "9.50 €",
        "properties.attempt_count": "007",
    }
    assert json.loads(row.pop("other_fields")) == others
    assert row == {
        "event_type": "users.behaviors.Purchase",
        "id": "7",
        "time": 1,
        "received_time": 1,
        "user_user_id": '["u",null]',
        "properties_currency": "5",
        "properties_purchase_properties": '{"a":[1]}',
        "properties_attempt_count": 7,
    }
    told = {name: without[name] for name in ("sequence", "user", "properties")}
    assert json.loads(other["other_fields"]) == {".properties.price": odd["properties.price"], **told}
    assert "other_fields" not in usual
    report_parsed(outcome, screen.terminal)
    assert "2 events have fields without a column of their own: see `other_fields`" in screen.err
    assert outcome.summary()["with_other_fields"] == 2
    assert len(running.queries) == 3


def test_flat_events_are_inserted(tables_of: Callable[..., Tables]) -> None:
    """What the target has no column for is kept, and what another table's column for it had."""
    first = {
        "event_type": "x",
        "id": "a",
        "user_user_id": "u",
        "properties_price": "9.5",
        "age": 1,
        "other_fields": None,
    }
    rows = [
        {"time": 1, **first},
        {"time": 2, "event_type": "x", "properties_price": "?", "other_fields": '{"properties.y":[1],"age":0}'},
        {"time": 3, "event_type": "x", "age": 3, "other_fields": "not JSON"},
        {"time": 4, "event_type": "x", "id": "b"},
    ]
    engine = Engine({("braze", "stream"): rows})
    columns = dict.fromkeys(first, "string")
    outcome = inserted(tables_of(engine, "td://braze/stream", stream=columns))
    assert (outcome.inserted, outcome.others, outcome.exit_code) == (4, 3, ExitCode.OK)
    told = rows_of(engine)
    others = [json.loads(row.pop("other_fields", "{}")) for row in told]
    told_before = {"properties.y": [1], "age": 0, "properties.price": "?"}
    assert others == [{"age": 1}, told_before, {"age": 3, "other_fields": "not JSON"}, {}]
    received = [row.pop("received_time") for row in told]
    assert received == [1, 2, 3, 4]
    assert told[0] == {"time": 1, "event_type": "x", "id": "a", "user_user_id": "u", "properties_price": 9.5}
    assert told[1] == {"time": 2, "event_type": "x"}


def test_an_answer_that_is_lost_inserts_nothing_twice(
    tables_of: Callable[..., Tables], engine: Engine, running: Service
) -> None:
    """Each query is issued again, and is no second job: the domain key tells that it is the same."""
    tables = tables_of(engine)
    running.trouble.extend([("/v3/job/issue", Trouble(502, late=True))] * 6)
    assert inserted(tables).inserted == 6
    assert [path for _, path, _ in running.requests].count("/v3/job/issue/trino/braze") == 6
    assert len(running.jobs) == 3
    assert len(rows_of(engine)) == 6


@pytest.mark.parametrize(
    ("cells", "wanted", "left_out", "code"),
    [
        (CELLS[:2], Filter(since=1_782_864_003.0), "filtered", ExitCode.OK),
        ([CELLS[0], CELLS[0]], EVERYTHING, "duplicates", ExitCode.OK),
        ([CELLS[0], "[bad"], EVERYTHING, "rows_rejected", ExitCode.FINDINGS),
    ],
)
def test_what_is_left_out(
    tables_of: Callable[..., Tables], cells: list[str], wanted: Filter, left_out: str, code: ExitCode
) -> None:
    """Events of another time, duplicates, and malformed rows."""
    engine = Engine({RAW: [{"time": time, "events": cell} for time, cell in enumerate(cells, 1)]})
    outcome = inserted(tables_of(engine), wanted, dedupe=left_out == "duplicates")
    counts = {"filtered": (3, 3), "duplicates": (5, 5), "rows_rejected": (5, 1)}
    assert (outcome.inserted, getattr(outcome.balance, left_out)) == counts[left_out]
    assert outcome.exit_code is code


def test_the_summary_of_what_was_inserted(
    tables_of: Callable[..., Tables], engine: Engine, running: Service, tmp_path: Path
) -> None:
    """It is the envelope of the run; where it cannot be written, nothing is inserted."""
    request = InsertRequest(tables=tables_of(engine), into=parse_address("td://braze/flat"), wanted=EVERYTHING)
    file = tmp_path / "summary.json"
    outcome = insert(replace(request, summary=file))
    assert json.loads(file.read_bytes()) == outcome.as_dict()
    assert outcome.summary()["written"] == 6
    issued = len(running.queries)
    with pytest.raises(OutputError):
        insert(replace(request, summary=tmp_path))
    assert len(running.queries) == issued


def test_the_summary_of_what_was_downloaded(
    tables_of: Callable[..., Tables], running: Service, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Its file says which rows were read, also if --max-rejects stops the run."""
    for name, value in running.environ().items():
        monkeypatch.setenv(name, value)
    received = ("--received-since", "@1782864000", "--received-until", "@1782865000")
    for cell, code in ((json.dumps(EVENTS), ExitCode.OK), ("[", ExitCode.FINDINGS)):
        engine = Engine({RAW: [{"time": 1_782_864_200, "events": cell}]})
        tables_of(engine, raw={"events": "string"})
        outputs = ("-o", str(tmp_path / "events.jsonl"), "--summary", str(tmp_path / "summary.json"))
        run = CliRunner().invoke(app, ["parse", "td://braze/raw", *received, *outputs, "--max-rejects", "0"])
        assert run.exit_code == code, run.stderr
        scanned = json.loads((tmp_path / "summary.json").read_bytes())["scanned"]
        assert scanned == Period(1_782_864_000, 1_782_865_000).as_dict()


def test_no_table_is_made_for_nothing(tables_of: Callable[..., Tables], running: Service) -> None:
    """The events are counted first: where that fails, nothing was changed."""
    with pytest.raises(InputError, match="job 1000 failed"):
        inserted(tables_of(Engine({})))
    assert [query.split(maxsplit=1)[0] for query in running.queries] == ["WITH"]


def test_a_table_with_some_of_the_columns(tables_of: Callable[..., Tables], engine: Engine) -> None:
    """It may have them in any naming; what it lacks is kept in `other_fields`."""
    engine.query("CREATE TABLE braze.flat (time BIGINT, id VARCHAR, user_id VARCHAR, other_fields VARCHAR)")
    outcome = inserted(tables_of(engine))
    assert (outcome.inserted, outcome.others, outcome.created) == (6, 6, False)
    row = rows_of(engine)[5]
    others = json.loads(row.pop("other_fields"))
    assert row == {"time": PURCHASE["time"], "id": "p", "user_id": "u"}
    assert others == {
        "event_type": "users.behaviors.Purchase",
        "properties.price": 9.5,
        "properties.currency": "EUR",
        "properties.purchase_properties": {"size": "L", "n": [1, 2]},
    }


def test_tables_that_cannot_take_them(tables_of: Callable[..., Tables], engine: Engine, running: Service) -> None:
    names = [column.name for column in flat_columns(load().events.values(), Names.STREAMING)]
    for columns in (["event_type", "id"], names):
        with pytest.raises(UsageError, match="no column `other_fields`") as raised:
            inserted(tables_of(engine, flat=dict.fromkeys(columns, "string")))
    assert raised.value.hint == 'Add it: ALTER TABLE "braze"."flat" ADD COLUMN "other_fields" VARCHAR'
    with pytest.raises(UsageError, match="cannot be both source and target"):
        insert(InsertRequest(tables=tables_of(engine), into=parse_address("td://braze/raw"), wanted=EVERYTHING))
    into = parse_address("td://braze/flat?site=eu01")
    with pytest.raises(UsageError, match="a different site"):
        insert(InsertRequest(tables=tables_of(engine), into=into, wanted=EVERYTHING))
    assert running.queries == []
