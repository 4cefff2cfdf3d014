"""`tdcur sql forget`: what is left in the tables after the statements were run, each of them twice."""

import io
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import sqlglot
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from td_currents_cli.choices import Layout
from td_currents_cli.cli.app import app
from td_currents_cli.errors import InputError, UsageError
from td_currents_cli.treasure_data.address import parse_address
from td_currents_cli.treasure_data.forget import ForgetRequest, people_of, run
from td_currents_cli.treasure_data.sql.forget import BatchRewrite, People, forget_flat_sql
from tests.td_service.engine import Engine
from tests.td_service.java_json import canonical

ADDRESS = parse_address("td://braze/raw")
DAY = 86_400.0
NOW = 20 * DAY + 7200


def event(number: int, **user: Any) -> dict[str, Any]:
    return {
        "event_type": "a.Open",
        "id": str(number),
        "time": number,
        "user": user,
        "properties": {"n": 1.5, "b": 2**62},
    }


PERSON = People({"external_user_id": ["o'neil"]})
BOUNDARY = 20 * DAY
HERS = {"external_user_id": "o'neil"}
CELLS: list[tuple[int, str | None]] = [
    (100, json.dumps([event(1, **HERS), event(2, external_user_id="b"), event(3, **HERS)])),
    (101, json.dumps([event(4, **HERS)])),  # nothing is left of it
    (102, json.dumps([event(5, external_user_id="b")], indent=1)),  # stays byte for byte
    (102, json.dumps([event(5, external_user_id="b")], indent=1)),  # received twice
    (103, None),
    (104, "[]"),
    (105, '[{"id": "o\'neil'),  # cannot be read
    (106, json.dumps([json.dumps(event(6, **HERS)), json.dumps(event(7, user_id="x"))])),
    (107, json.dumps({"events": [event(8, **HERS), event(9)]})),
    (108, json.dumps(event(10, **HERS))),
    (int(NOW) - 60, json.dumps([event(11, **HERS), event(12, user_id="x")])),  # since the boundary
    (int(NOW) - 50, None),
    (int(NOW) - 50, None),
]


def loaded(cells: Sequence[tuple[int, str | None]]) -> Engine:
    engine = Engine({})
    engine.query("CREATE SCHEMA braze")
    engine.query("CREATE TABLE braze.raw (time BIGINT, events VARCHAR)")
    insert(engine, "raw", cells)
    return engine


def insert(engine: Engine, table: str, cells: Sequence[tuple[int, str | None]]) -> None:
    for time, cell in cells:
        text = "NULL" if cell is None else "'" + cell.replace("'", "''") + "'"
        engine.query(f"INSERT INTO braze.{table} VALUES ({time}, {text})")  # noqa: S608


def swap(engine: Engine) -> None:
    for old, new in (("raw", "raw_x"), ("raw_forget", "raw"), ("raw_x", "raw_forget")):
        engine.query(f"ALTER TABLE braze.{old} RENAME TO {new}")


def row(engine: Engine, sql: str) -> Mapping[str, Any]:
    result = engine.query(sql)
    (cells,) = result.rows
    return dict(zip([name for name, _ in result.columns], cells, strict=True))


def kept_cells(engine: Engine, table: str = "raw") -> list[tuple[int, str | None]]:
    return sorted(engine.query(f"SELECT time, events FROM braze.{table}").rows, key=str)  # noqa: S608


def forgotten(engine: Engine, people: People, arriving: Sequence[tuple[int, str | None]] = ()) -> Mapping[str, Any]:
    """Run all steps but the last, each twice, with rows that arrive after the swap; return the proof."""
    create, copy, verify, take_over, proof, _drop = BatchRewrite(ADDRESS, people, BOUNDARY).statements()
    for statement in (create, create, copy, copy):
        engine.query(statement)
    assert row(engine, verify)["is_complete"] is True
    swap(engine)
    for statement in (create, copy):
        engine.query(statement)  # does nothing, although the tables are swapped
    insert(engine, "raw", arriving)
    for _ in range(2):
        engine.query(take_over)
    return row(engine, proof)


def test_only_the_events_of_the_person_are_removed() -> None:
    engine = loaded(CELLS)
    arriving = [(int(NOW), json.dumps([event(13)])), (int(NOW), None)]
    proof = forgotten(engine, PERSON, arriving)
    assert proof == {"person_events": 0, "unreadable_rows_with_an_id": 1, "rows_with_an_id_elsewhere": 0}
    changed = {
        100: [event(2, external_user_id="b")],
        106: [event(7, user_id="x")],
        107: [event(9)],
        int(NOW) - 60: [event(12, user_id="x")],
    }
    unchanged = [cell for cell in CELLS if "o'neil" not in (cell[1] or "")] + [CELLS[6], *arriving]
    rewritten = [(time, canonical(json.dumps(events))) for time, events in changed.items()]
    assert kept_cells(engine) == sorted([*unchanged, *rewritten], key=str)
    engine.query(BatchRewrite(ADDRESS, PERSON, BOUNDARY).statements()[-1])
    assert len(kept_cells(engine)) == len(unchanged) + len(rewritten)


def test_a_copy_that_is_not_complete_is_seen() -> None:
    create, copy, verify, *_ = BatchRewrite(ADDRESS, PERSON, BOUNDARY).statements()
    engine = loaded(CELLS)
    engine.query(create)
    engine.query(copy)
    assert row(engine, verify) == {
        "events_removed": 6,
        "rows_to_copy": 8,
        "rows_copied": 8,
        "events_to_copy": 5,
        "events_copied": 5,
        "is_complete": True,
    }
    engine.query("DELETE FROM braze.raw_forget WHERE time = 103")
    assert row(engine, verify)["is_complete"] is False
    engine.query("INSERT INTO braze.raw_forget SELECT * FROM braze.raw WHERE time IN (101, 103)")
    assert row(engine, verify)["is_complete"] is False


def test_swapped_tables_are_seen() -> None:
    engine = loaded(CELLS)
    forgotten(engine, PERSON)
    found = row(engine, BatchRewrite(ADDRESS, PERSON, BOUNDARY).statements()[2])
    assert (found["events_removed"], found["is_complete"]) == (0, False)


def test_ids_that_are_not_in_the_user_of_an_event() -> None:
    """Flat events have them at the top, and are removed. Whatever else has one is counted."""
    flat = {"event_type": "a.Open", "id": "1", "external_user_id": "ann-1"}
    orphan = event(2, user_id="x") | {"properties": {"orphaned_by_id": "ann-1"}}
    cells = [
        (1, json.dumps([flat, event(3)])),
        (2, json.dumps([orphan])),
        (3, json.dumps(['{"user":{"external_user_id":"ann-1', event(4)])),
        (4, json.dumps([event(5)])),
    ]
    engine = loaded(cells)
    proof = forgotten(engine, People({"external_user_id": ["ann-1"]}))
    assert proof == {"person_events": 0, "unreadable_rows_with_an_id": 0, "rows_with_an_id_elsewhere": 2}
    kept = kept_cells(engine)
    assert (json.loads(kept[0][1] or ""), kept[1:]) == ([event(3)], cells[1:])


def test_a_flat_table() -> None:
    engine = Engine({})
    engine.query("CREATE SCHEMA braze")
    engine.query("CREATE TABLE braze.raw (id VARCHAR, user_external_user_id VARCHAR, user_user_id BIGINT)")
    engine.query("INSERT INTO braze.raw VALUES ('a', 'o''neil', 5), ('b', NULL, 7), ('c', 'b', 6), ('d', NULL, NULL)")
    delete, proof = forget_flat_sql(ADDRESS, People({"external_user_id": ["o'neil"], "user_id": ["7"]}))
    assert row(engine, proof) == {"person_events": 2}
    for _ in range(2):
        engine.query(delete)
    assert row(engine, proof) == {"person_events": 0}
    assert [cells[0] for cells in engine.query("SELECT id FROM braze.raw ORDER BY id").rows] == ["c", "d"]


def test_an_id_without_a_column_of_its_own() -> None:
    """The comment says where it is."""
    engine = Engine({})
    engine.query("CREATE SCHEMA braze")
    engine.query("CREATE TABLE braze.raw (id VARCHAR, other_fields VARCHAR)")
    engine.query("""INSERT INTO braze.raw VALUES ('a', '{"user.user_id":"7"}'), ('b', NULL), ('c', '{"x":7}')""")
    delete, proof = forget_flat_sql(ADDRESS, People({"user_id": ["7"]}))
    elsewhere = """JSON_EXTRACT_SCALAR(other_fields, '$["user.user_id"]')"""
    assert f"use {elsewhere}" in delete
    delete, proof = (each.replace('"user_user_id"', elsewhere) for each in (delete, proof))
    assert row(engine, proof) == {"person_events": 1}
    engine.query(delete)
    assert row(engine, proof) == {"person_events": 0}


HOSTILE = st.text(st.sampled_from("'\"\\;-/*$ {}%_é😀ab\u2028"), min_size=1).filter(str.strip)
FIELDS = st.sampled_from(["external_user_id", "user_id", "device_id"])


@settings(max_examples=6, deadline=None)
@given(st.dictionaries(FIELDS, st.lists(HOSTILE, min_size=1, max_size=2), min_size=1))
def test_no_id_breaks_out_of_its_literal(ids: dict[str, list[str]]) -> None:
    """Each is one literal of the statements, which are the same otherwise, and removes only whom it names."""
    people = people_of(ids)
    plain = People({field: [f"person{n}" for n, _ in enumerate(each)] for field, each in people.ids.items()})
    listed = {each for of_field in people.ids.values() for each in of_field}
    for layout in Layout:
        text, other = (statements(each, layout) for each in (people, plain))
        assert shape(text) == shape(other)
        assert listed <= {each.this for tree in text for each in tree.find_all(sqlglot.exp.Literal)}
    theirs = [event(n, **{field: each}) for n, (field, given) in enumerate(people.ids.items()) for each in given]
    others = [event(100, **{field: f"{given[0]}+"}) for field, given in people.ids.items()]
    engine = loaded([(5, json.dumps([*theirs, *others]))])
    assert forgotten(engine, people)["person_events"] == 0
    ((_, cell),) = kept_cells(engine)
    assert json.loads(cell or "") == others


def statements(people: People, layout: Layout = Layout.BATCHES, now: float = NOW) -> list[Any]:
    text = run(ForgetRequest(table=ADDRESS, layout=layout, people=people, now=now)).sql
    return [tree for tree in sqlglot.parse(text, read="trino") if tree]


def shape(trees: list[Any]) -> list[list[str]]:
    return [[type(node).__name__ for node in tree.walk()] for tree in trees]


def test_the_text_is_the_same_all_day() -> None:
    first, *others = (statements(PERSON, now=now) for now in (NOW, NOW + 60, NOW + 20 * 3600))
    assert others == [first, first]


def test_ids_are_read_from_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "ids.txt"
    file.write_bytes("\ufeffa\r\n\n@b\né \na".encode())
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"7\n8")))
    people = people_of({"external_user_id": [f"@{file}", "c"], "user_id": ["@-"], "device_id": ()})
    assert people.ids == {"external_user_id": ["a", "@b", "é ", "c"], "user_id": ["7", "8"]}


KEY = "1/" + "ab12" * 10


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        ([], "no person given"),
        ([" "], "--user-id is empty"),
        (["ab\ncd"], "--user-id has a control character"),
        (["\ud800"], "--user-id has a control character, or is not UTF-8"),
        ([KEY], "--user-id looks like a key"),
        ([str(n) for n in range(1001)], "1,001 ids are too many"),
        (["x" * 100_001], "1 ids are too many"),
    ],
    ids=["none", "empty", "line", "surrogate", "key", "many", "long"],
)
def test_ids_that_a_query_cannot_have(ids: list[str], message: str) -> None:
    with pytest.raises(UsageError) as raised:
        people_of({"user_id": ids})
    assert message in raised.value.message
    assert KEY not in raised.value.message
    assert raised.value.hint


def test_files_of_ids_that_cannot_be_read(tmp_path: Path) -> None:
    file = tmp_path / "ids.txt"
    file.write_bytes(b"a\n\xff\n")
    with pytest.raises(UsageError, match=r"--user-id: line 2 of .*ids.txt has a control character, or is not UTF-8"):
        people_of({"user_id": [f"@{file}"]})
    with pytest.raises(InputError, match="cannot read the ids of --user-id from nowhere: No such file"):
        people_of({"user_id": ["@nowhere"]})


FORGET = ["sql", "forget", "td://braze/raw"]


def test_the_command_prints_statements_and_what_else_has_the_person() -> None:
    """Nothing of it is run; comments contain nothing of an id."""
    ended = CliRunner().invoke(app, [*FORGET, "--external-user-id", "o'neil", "--device-id", "d"])
    assert ended.exit_code == 0
    kinds = [each.key for each in sqlglot.parse(ended.stdout, read="trino") if each]
    assert kinds == ["create", "insert", "select", "insert", "select", "drop"]
    comments = [line for line in ended.stdout.splitlines() if line.startswith("--")]
    assert "--   td table:swap braze raw raw_forget" in comments
    assert not [line for line in comments if "neil" in line]
    assert all(word in ended.stderr for word in ("Nothing was run", "dead letters", "Avro exports", "Journals"))
    envelope = json.loads(CliRunner().invoke(app, [*FORGET, "--user-id", "u", "--format", "json"]).stdout)
    assert envelope["summary"]["query"] == "forget"
    assert envelope["notes"]


@pytest.mark.parametrize("arguments", [["--type", "a"], ["--dialect", "hive"], ["--into", "td://a/b"]])
def test_options_that_have_no_effect(arguments: list[str]) -> None:
    ended = CliRunner().invoke(app, [*FORGET, "--user-id", "u", *arguments])
    assert ended.exit_code == 2
    assert f"{arguments[0]} cannot be used with `sql forget`" in ended.output


def test_a_long_name_stays_valid() -> None:
    address = parse_address(f"td://braze/{'t' * 128}")
    assert len(BatchRewrite(address, PERSON, 0.0).copy.table) == 128
