"""Laws of Braze's export: its records are the events that HTTP carries, and damage makes none up."""

import json
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from fastavro import block_reader
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from td_currents_cli.braze import CUSTOM_FIELDS
from td_currents_cli.catalog import EventType, Field, FieldType, Where, load
from td_currents_cli.model import Batch, Problem
from td_currents_cli.read import records
from td_currents_cli.read.options import Source
from tests.exports import avro_of, export_path, record, schema_of

law = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])

TYPES: Final = [event for event in load().events.values() if event.storage]
CODECS = st.sampled_from(["null", "deflate", "snappy"])
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
VALUES: Final[dict[FieldType, st.SearchStrategy[Any]]] = {
    FieldType.STRING: TEXTS,
    FieldType.INT: st.integers(-(2**31), 2**31 - 1),
    FieldType.LONG: st.integers(-(2**63), 2**63 - 1),
    FieldType.FLOAT: st.floats(width=32, allow_nan=False, allow_infinity=False),
    FieldType.BOOLEAN: st.booleans(),
    FieldType.STRINGS: st.lists(TEXTS, max_size=3),
    FieldType.STRINGS_AND_NULLS: st.lists(TEXTS | st.none(), max_size=3),
}
CUSTOM = st.dictionaries(TEXTS, TEXTS | st.integers() | st.floats(allow_nan=False, allow_infinity=False), max_size=3)


def value_of(field: Field) -> st.SearchStrategy[Any]:
    if field.name == "properties":
        return CUSTOM.map(json.dumps) | st.none()
    return VALUES[field.type] if field.required else VALUES[field.type] | st.none()


@st.composite
def exported(draw: st.DrawFn) -> tuple[EventType, list[dict[str, Any]]]:
    """An event type and records of it."""
    event_type = draw(st.sampled_from(TYPES))
    fields = [field for field in event_type.fields if field.name != "event_type" and not field.http_only]
    values = st.fixed_dictionaries({field.name: value_of(field) for field in fields})
    return event_type, draw(st.lists(values, max_size=4))


def event_of(event_type: EventType, written: dict[str, Any]) -> dict[str, Any]:
    """The event over HTTP, by the places of the catalog."""
    event: dict[str, Any] = {"event_type": event_type.name, "user": {}, "properties": {}}
    for field in event_type.fields:
        value = written.get(field.name)
        if value is None:
            continue
        if field.name == "properties":
            (name,) = [name for name in CUSTOM_FIELDS if event_type.field(name, Where.PROPERTIES)]
            event["properties"][name] = json.loads(value)
        else:
            (event if field.where is Where.EVENT else event[field.where])[field.name] = value
    return event


@law
@given(exported(), CODECS)
def test_the_events_of_an_export_are_those_of_http(case: tuple[EventType, list[dict[str, Any]]], codec: str) -> None:
    """For every type that the export has, with the schema of its writer."""
    event_type, written = case
    with TemporaryDirectory() as folder:
        path = export_path(Path(folder), event_type=event_type.name)
        path.write_bytes(avro_of(written, schema=schema_of(event_type.name), codec=codec))
        found = list(records([Source(str(path), path)]))
    read = [event for each in found if isinstance(each, Batch) for event in json.loads(each.data)["events"]]
    assert read == [event_of(event_type, each) for each in written]
    assert not [each for each in found if isinstance(each, Problem)]


RECORDS: Final = [record(number, ip_pool=f"{number:2000}") for number in range(100)]
FILES: Final = {codec: avro_of(RECORDS, codec=codec) for codec in ("null", "deflate", "snappy")}


@law
@given(CODECS, st.data())
def test_damage_is_reported_and_makes_no_events_up(codec: str, data: st.DataObject) -> None:
    """With a checksum, no event is another one: what is read are the first of those that were written."""
    file = FILES[codec]
    begin = next(block_reader(BytesIO(file))).offset
    place = data.draw(st.integers(0, len(file) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda value: value != file[place]))
    damaged = file[:place] + bytes([byte]) + file[place + 1 :]
    with TemporaryDirectory() as folder:
        path = export_path(Path(folder))
        path.write_bytes(damaged)
        found = list(records([Source(str(path), path)]))
    read = [event["id"] for each in found if isinstance(each, Batch) for event in json.loads(each.data)["events"]]
    if codec == "snappy" and place >= begin:
        assert read == [each["id"] for each in RECORDS][: len(read)]
        assert len(read) == len(RECORDS) or [each for each in found if isinstance(each, Problem)]
