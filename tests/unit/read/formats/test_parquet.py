"""Parquet in: our own output, rows with a column of batches, tables of events of others, and what is damaged."""

import gzip
import json
import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from td_currents_cli import parse
from td_currents_cli.choices import Names, To
from td_currents_cli.errors import UsageError
from td_currents_cli.model import Batch, Code, Problem, Record
from td_currents_cli.parse.request import ParseRequest
from td_currents_cli.read import records, sources
from td_currents_cli.read.options import ReadOptions, SourceFormat
from tests.memory import source_of

SAMPLES = Path(__file__).parents[4] / "sample_data" / "rows"
EVENT = {"event_type": "a", "id": "1", "time": 1, "user": {"user_id": "u"}, "properties": {"x": 1}}


def written(columns: dict[str, Any], **options: Any) -> bytes:
    output = BytesIO()
    pq.write_table(pa.table(columns), output, **options)
    return output.getvalue()


def read(data: bytes, **options: Any) -> list[Record]:
    return list(records([source_of(data)], ReadOptions.of(**options)))


def documents(data: bytes, **options: Any) -> list[Any]:
    """The JSON of all batches; nothing else was found."""
    found = read(data, **options)
    assert all(isinstance(each, Batch) for each in found), found
    return [json.loads(each.data) for each in found if isinstance(each, Batch)]


def parsed(path: Path, output: Path, to: To = To.JSONL, names: Names = Names.SHORT) -> list[dict[str, Any]]:
    reading = ReadOptions.of()
    parse.run(ParseRequest(sources=sources([str(path)]), output=output, to=to, names=names, reading=reading))
    return [] if to is not To.JSONL else [json.loads(line) for line in output.read_bytes().splitlines()]


def values(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: value for name, value in event.items() if value is not None} for event in events]


@pytest.mark.parametrize("names", Names)
def test_what_parse_wrote_comes_back(tmp_path: Path, names: Names) -> None:
    direct = parsed(SAMPLES, tmp_path / "direct.jsonl", names=names)
    parsed(SAMPLES, tmp_path / "table.parquet", To.PARQUET, names)
    assert values(parsed(tmp_path / "table.parquet", tmp_path / "again.jsonl", names=names)) == values(direct)
    parsed(tmp_path / "table.parquet", tmp_path / "table2.parquet", To.PARQUET, names)
    assert pq.read_table(tmp_path / "table2.parquet").equals(pq.read_table(tmp_path / "table.parquet"))


VALUES = st.none() | st.booleans() | st.integers(-(10**17), 10**17) | st.floats(allow_nan=False, allow_infinity=False)
PROPERTIES = st.dictionaries(st.sampled_from(["price", "quantity", "is_amp", "mine", "other"]), VALUES, max_size=4)


@settings(deadline=None, max_examples=30)
@given(st.lists(PROPERTIES, min_size=1, max_size=4))
def test_law_parse_parquet_parse_is_the_same(tmp_path_factory: pytest.TempPathFactory, given_events: list[Any]) -> None:
    """But for what the run reports as lost: values of another type than those of their column."""
    folder = tmp_path_factory.mktemp("law")
    source = folder / "in.jsonl"
    events = [EVENT | {"id": str(number), "properties": each} for number, each in enumerate(given_events)]
    source.write_text("".join(json.dumps(event) + "\n" for event in events), encoding="utf-8")
    direct = values(parsed(source, folder / "direct.jsonl"))
    outcome = parse.run(ParseRequest(sources=sources([str(source)]), output=folder / "x.parquet", to=To.PARQUET))
    again = values(parsed(folder / "x.parquet", folder / "again.jsonl"))
    if "does not keep" not in " ".join(outcome.notes):
        assert again == direct
    assert [event["id"] for event in again] == [event["id"] for event in direct]


def test_fields_without_a_column_come_back(tmp_path: Path) -> None:
    event = EVENT | {"properties": {f"field_{number}": number for number in range(2_005)}}
    source = tmp_path / "in.jsonl"
    source.write_text(json.dumps(event) + "\n", encoding="utf-8")
    parsed(source, tmp_path / "x.parquet", To.PARQUET)
    assert parsed(tmp_path / "x.parquet", tmp_path / "again.jsonl") == parsed(source, tmp_path / "direct.jsonl")


@pytest.mark.parametrize(
    "cells",
    [
        pa.array([json.dumps([EVENT]), None, ""]),
        pa.array([json.dumps([EVENT]), None, ""]).dictionary_encode(),
        pa.array([json.dumps([EVENT]).encode(), None, b"null"]),
        pa.array([json.dumps([json.dumps(EVENT)]), None, ""], pa.large_string()),
        pa.array([[EVENT], None, []]),
        pa.array([[json.dumps(EVENT)], None, []]),
    ],
    ids=["text", "dictionary", "bytes", "strings in text", "structs", "strings"],
)
def test_a_column_of_batches_is_read_as_rows(cells: Any) -> None:
    formats: list[SourceFormat] = []
    data = written({"time": [1, 2, 3], "events": cells})
    found = list(records([source_of(data)], ReadOptions.of(), formats.append))
    assert [json.loads(each.data) for each in found if isinstance(each, Batch)] == [[EVENT], [], []]
    assert [each.location.row for each in found] == [1, 2, 3]
    assert list(map(str, formats)) == ["column `events` (2nd), Parquet"]


@pytest.mark.parametrize("options", [{}, {"column": "batch"}, {"column": "2"}, {"form": "parquet"}])
def test_the_column_may_have_any_name(options: dict[str, Any]) -> None:
    assert documents(written({"n": [1], "batch": [json.dumps([EVENT])]}), **options) == [[EVENT]]


@pytest.mark.parametrize(("column", "start"), [("bath", "Did you mean --column batch? "), ("3", ""), ("x", "")])
def test_a_column_that_is_not_there(column: str, start: str) -> None:
    """The problem names those that are, a similar one first."""
    data = written({"n": [1], "batch": [json.dumps([EVENT])]})
    (problem,) = records([source_of(data)], ReadOptions.of(column=column))
    assert isinstance(problem, Problem)
    assert problem.message == f"the table has no column `{column}` of event batches"
    assert problem.hint == f"{start}The columns are: n, batch."


def test_structs_of_several_types_leave_out_what_an_event_does_not_have() -> None:
    other = {"event_type": "b", "id": "2", "time": 2, "user": {"user_id": "v"}, "properties": {"y": [None, "s"]}}
    assert documents(written({"events": [[EVENT, other]]})) == [[EVENT, other]]


def test_any_table_of_events_is_read_with_the_types_of_the_catalog() -> None:
    """Floats where pandas has no integers, NaN for null, times as such, 32-bit floats as HTTP has them, decimals."""
    moment = datetime(2026, 7, 1, tzinfo=UTC)
    columns = {
        "event_type": ["users.behaviors.Purchase"] * 2,
        "id": ["1", "2"],
        "time": pa.array([moment, moment], pa.timestamp("ns", "UTC")),
        "user_id": ["u", None],
        "quantity": [3.0, float("nan")],
        "price": pa.array([3.14, None], pa.float32()),
        "purchase_properties": ['{"a": 1}', None],
        "huge": pa.array([Decimal(12345678901234567890), None], pa.decimal128(20, 0)),
    }
    first, second = documents(written(columns))
    assert first == {
        "event_type": "users.behaviors.Purchase",
        "id": "1",
        "time": 1782864000,
        "user": {"user_id": "u"},
        "properties": {
            "quantity": 3,
            "price": 3.140000104904175,
            "purchase_properties": {"a": 1},
            "huge": 12345678901234567890,
        },
    }
    assert (second["id"], second.get("user"), second.get("properties")) == ("2", None, None)


def test_nested_events_are_read_as_they_are() -> None:
    assert documents(written({name: [value] for name, value in EVENT.items()})) == [EVENT]


def test_bad_rows_are_problems_without_the_others() -> None:
    bad = pa.array([b"[{\xff}]", json.dumps([EVENT]).encode()])
    found = read(written({"events": bad}))
    assert [type(each) for each in found] == [Batch, Batch]
    found = read(written({"event_type": pa.array([b"\xff", b"a"]), "id": ["1", "2"]}))
    assert isinstance(found[0], Problem)
    assert (found[0].code, found[0].location.row, isinstance(found[1], Batch)) == (Code.NOT_UTF8, 1, True)


@pytest.mark.parametrize("data", [written({"a": [1]}), written({"a": pa.array([], pa.string())})], ids=["one", "none"])
def test_a_table_without_events_is_said_to_be_one(data: bytes) -> None:
    found = read(data)
    assert [each.code for each in found if isinstance(each, Problem)] == ([Code.UNKNOWN_FORM] if found else [])


def groups_of(number: int) -> bytes:
    events = [json.dumps([EVENT | {"id": f"{index:05}" * 20}]) for index in range(number)]
    return written({"events": events}, row_group_size=10, compression="zstd", use_dictionary=False)


def test_a_truncated_file_is_a_problem_with_its_place() -> None:
    data = groups_of(30)
    for end in (len(data) - 1, len(data) // 2, 20):
        (found,) = read(data[:end])
        assert isinstance(found, Problem)
        assert (found.code, found.message) == (Code.UNREADABLE, "the Parquet file is truncated or damaged")


def test_a_damaged_row_group_costs_its_rows_only() -> None:
    data = bytearray(groups_of(30))
    offset = pq.ParquetFile(BytesIO(bytes(data))).metadata.row_group(1).column(0).data_page_offset
    data[offset : offset + 60] = b"\xff" * 60
    found = read(bytes(data))
    problem = found[10]
    assert isinstance(problem, Problem)
    assert (problem.code, problem.location.row, problem.location.offset) == (Code.UNREADABLE, 11, offset)
    assert problem.message == "the Parquet file is truncated or damaged: rows 11 to 20 cannot be read"
    assert [each.location.row for each in found if isinstance(each, Batch)] == [*range(1, 11), *range(21, 31)]


def test_a_row_beyond_the_limit_is_a_problem() -> None:
    source = source_of(written({"events": [json.dumps([EVENT]), "[" + " " * 1000 + "]"]}))
    source.max_document_size = 500
    found = list(records([source]))
    assert isinstance(found[1], Problem)
    assert (found[1].code, found[1].location.row) == (Code.DOCUMENT_TOO_LARGE, 2)


def test_compressed_files_and_pipes_are_copied(tmp_path: Path) -> None:
    data = written({"events": [json.dumps([EVENT])]})
    (tmp_path / "x.parquet.gz").write_bytes(gzip.compress(data))
    (found,) = records(sources([str(tmp_path / "x.parquet.gz")]))
    assert isinstance(found, Batch)
    command = [sys.executable, "-m", "td_currents_cli", "parse"]
    run = subprocess.run(command, input=data, capture_output=True, check=True)
    assert json.loads(run.stdout) == {"event_type": "a", "id": "1", "time": 1, "user_id": "u", "x": 1}
    cut = gzip.compress(data)[:-20]
    (tmp_path / "cut.parquet.gz").write_bytes(cut)
    (problem,) = records(sources([str(tmp_path / "cut.parquet.gz")]))
    assert isinstance(problem, Problem)
    assert (problem.code, problem.message) == (Code.UNREADABLE, "the gzip data is truncated")


def test_text_that_begins_with_the_same_letters_is_not_parquet() -> None:
    data = b'PAR1,events\n1,"[{""event_type"":""a""}]"\n'
    assert documents(data) == [[{"event_type": "a"}]]


def test_without_pyarrow_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    data = written({"events": ["[]"]})
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(UsageError) as failure:
        read(data)
    assert failure.value.message == "x: Parquet needs pyarrow, which is not installed"
    assert failure.value.hint == "In a checkout: python3 -m pip install '.[parquet]'"
