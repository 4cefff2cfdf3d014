"""Tables of Braze's share in Snowflake."""

import json
from io import BytesIO
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from msgspec.structs import replace

from td_currents_cli.model import Batch, Code, Problem, Record
from td_currents_cli.read import records
from td_currents_cli.read.options import ReadOptions
from tests.memory import source_of

NAMES = ["ID", "USER_ID", "EXTERNAL_USER_ID", "TIME", "CAMPAIGN_ID", "CAMPAIGN_API_ID", "IS_AMP", "SF_CREATED_AT"]
ROW = ["1", "u", "\\N", "1782864000", "5f0c", "c8e0dd83", "true", "2026-07-01 00:00:01"]
EVENT = {
    "event_type": "users.messages.email.Click",
    "id": "1",
    "time": 1782864000,
    "user": {"user_id": "u"},
    "properties": {"campaign_id": "c8e0dd83", "is_amp": True},
}


def read(data: bytes, event_type: str | None = "users.messages.email.Click") -> list[Record]:
    return list(records([source_of(data)], replace(ReadOptions.of(), event_type=event_type)))


def table(separator: str) -> bytes:
    return f"{separator.join(NAMES)}\n{separator.join(ROW)}\n".encode()


def parquet() -> bytes:
    columns: dict[str, Any] = {name: [value] for name, value in zip(NAMES, ROW, strict=True)}
    columns |= {"TIME": [1782864000], "IS_AMP": [True], "EXTERNAL_USER_ID": pa.array([None], pa.string())}
    output = BytesIO()
    pq.write_table(pa.table(columns), output)
    return output.getvalue()


@pytest.mark.parametrize("data", [table(","), table("\t"), parquet()], ids=["csv", "tsv", "parquet"])
def test_rows_are_events_of_the_type_given(data: bytes) -> None:
    (found,) = read(data)
    assert isinstance(found, Batch)
    assert json.loads(found.data) == EVENT
    (problem,) = read(data, None)
    assert isinstance(problem, Problem)
    assert (problem.code, problem.hint) == (Code.UNKNOWN_FORM, "Name the type: --event-type TYPE.")


def test_a_column_may_tell_the_type() -> None:
    (found,) = read(b"EVENT_TYPE,ID,TIME,USER_ID\na,1,2,u\n", None)
    assert isinstance(found, Batch)
    assert json.loads(found.data) == {"event_type": "a", "id": "1", "time": 2, "user": {"user_id": "u"}}


def test_custom_properties_are_an_object() -> None:
    (found,) = read(b'ID,TIME,USER_ID,PROPERTIES\n1,2,u,"{""a"":1}"\n', "users.behaviors.CustomEvent")
    assert isinstance(found, Batch)
    assert json.loads(found.data)["properties"] == {"custom_properties": {"a": 1}}
