import gzip
import json
import zipfile
import zlib
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from fastavro import block_reader

from td_currents_cli.model import Batch, Code, Problem, Record
from td_currents_cli.read import records
from td_currents_cli.read.options import InputFormat, ReadOptions, Source
from tests.exports import OPEN, avro_of, export_path, record, schema_of

CODECS = ["null", "deflate", "snappy"]


def read(path: Path, data: bytes, **options: Any) -> list[Record]:
    path.write_bytes(data)
    return list(records([Source(str(path), path, **options)]))


def events_of(found: list[Record]) -> list[dict[str, Any]]:
    return [event for each in found if isinstance(each, Batch) for event in json.loads(each.data)["events"]]


def problem_of(found: list[Record]) -> Problem:
    (problem,) = [each for each in found if isinstance(each, Problem)]
    return problem


@pytest.mark.parametrize("codec", CODECS)
def test_a_record_is_the_event_that_http_carries(codec: str, tmp_path: Path) -> None:
    """The type is in the path; fields are where the catalog has them; nulls are left out."""
    written = record(external_user_id="e", timezone="Etc/UTC", campaign_id=None, machine_open="true", send_time=None)
    found = read(export_path(tmp_path), avro_of([written], codec=codec))
    assert events_of(found) == [
        {
            "event_type": OPEN,
            "id": "id-1",
            "time": 1_782_864_001,
            "user": {"user_id": "user-1", "external_user_id": "e", "timezone": "Etc/UTC"},
            "properties": {"email_address": "a@example.com", "machine_open": "true"},
        }
    ]


@pytest.mark.parametrize(
    ("event_type", "name"),
    [("users.behaviors.CustomEvent", "custom_properties"), ("users.behaviors.Purchase", "purchase_properties")],
)
def test_custom_properties_are_an_object(event_type: str, name: str, tmp_path: Path) -> None:
    """As they were written: large integers, and numbers with a fraction of zero, on one line."""
    required: dict[str, Any] = {"name": "x", "app_id": "a", "currency": "EUR", "price": 1.0, "product_id": "p"}
    texts = ['{"a":\n1.0,"b":12345678901234567890}', "{broken", "", None]
    data = avro_of([record(**required, properties=text) for text in texts], schema=schema_of(event_type))
    (batch,) = read(export_path(tmp_path, event_type=event_type), data)
    assert isinstance(batch, Batch)
    assert f'"{name}":{{"a": 1.0,"b":12345678901234567890}}'.encode() in batch.data
    assert [event["properties"].get(name) for event in events_of([batch])][1:] == ["{broken", None, None]


def test_floats_of_32_bits_are_as_over_http(tmp_path: Path) -> None:
    """Braze converts them to doubles: `3.14` is 3.140000104904175."""
    schema = schema_of("users.behaviors.Purchase")
    written = record(product_id="p", price=3.14, currency="EUR", app_id="a")
    (batch,) = read(export_path(tmp_path, event_type="users.behaviors.Purchase"), avro_of([written], schema=schema))
    assert isinstance(batch, Batch)
    assert b'"price":3.140000104904175' in batch.data


def test_fields_of_a_newer_schema_are_kept(tmp_path: Path) -> None:
    """As properties, which is where Braze adds fields."""
    schema = schema_of()
    schema["fields"].append(
        {"name": "brand_new", "type": ["null", {"type": "array", "items": "long"}], "default": None}
    )
    found = read(export_path(tmp_path), avro_of([record(brand_new=[2**62])], schema=schema))
    assert events_of(found)[0]["properties"]["brand_new"] == [2**62]


def test_a_payload_has_up_to_100_events(tmp_path: Path) -> None:
    """Across blocks; each payload has the number of its first record."""
    data = avro_of([record(number, ip_pool="x" * 2000) for number in range(250)])
    assert len(list(block_reader(BytesIO(data)))) > 2
    found = read(export_path(tmp_path), data)
    assert [each.location.row for each in found] == [1, 101, 201]
    assert [event["id"] for event in events_of(found)] == [f"id-{number}" for number in range(250)]


def test_the_type_can_be_given(tmp_path: Path) -> None:
    """For files whose path has none; the path wins."""
    assert problem_of(read(tmp_path / "a.avro", avro_of([record()]))).code is Code.UNKNOWN_FORM
    (event,) = events_of(read(tmp_path / "a.avro", avro_of([record()]), event_type=OPEN))
    assert event["event_type"] == OPEN
    (event,) = events_of(read(export_path(tmp_path), avro_of([record()]), event_type="users.x"))
    assert event["event_type"] == OPEN


def test_the_type_may_be_above_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = export_path(tmp_path)
    path.write_bytes(avro_of([record()]))
    monkeypatch.chdir(path.parent)
    (event,) = events_of(list(records([Source(path.name, Path(path.name))])))
    assert event["event_type"] == OPEN


@pytest.mark.parametrize("codec", CODECS)
def test_blocks_before_the_end_of_a_truncated_file_are_read(codec: str, tmp_path: Path) -> None:
    """Wherever it ends; only where a block ends, nobody can tell that more should follow."""
    data = avro_of([record(number, ip_pool=f"{number:1000}") for number in range(200)], codec=codec)
    ends = [block.offset + block.size for block in block_reader(BytesIO(data))]
    counts = [block.num_records for block in block_reader(BytesIO(data))]
    assert len(ends) > 2
    for size in sorted({*ends, *(end - 1 for end in ends), *(end + 1 for end in ends[:-1]), 3, 200, ends[0] + 500}):
        found = read(export_path(tmp_path), data[:size])
        whole = sum(count for end, count in zip(ends, counts, strict=True) if end <= size)
        assert [event["id"] for event in events_of(found)] == [f"id-{number}" for number in range(whole)]
        if size in ends:
            continue
        problem = problem_of(found)
        assert problem.code is Code.UNREADABLE or size == 3
        block = sum(end <= size for end in ends) + 1
        is_header = size <= 200
        place = "the header" if is_header else f"block {block}"
        assert size == 3 or problem.message.startswith(f"{place} of the Avro file is truncated")
        assert f"the {whole} records before it were read" in problem.message or is_header


@pytest.mark.parametrize("codec", CODECS)
def test_a_damaged_block_ends_the_file(codec: str, tmp_path: Path) -> None:
    """Without compression, only what is not a record shows it."""
    data = avro_of([record(number, ip_pool=f"{number:1000}") for number in range(200)], codec=codec)
    first, second, *_ = block_reader(BytesIO(data))
    place = second.offset + second.size - 20 if codec != "null" else second.offset + 8
    damaged = data[:place] + b"\xff\xff\xff\xff" + data[place + 4 :]
    found = read(export_path(tmp_path), damaged)
    problem = problem_of(found)
    assert (problem.code, problem.location.offset) == (Code.UNREADABLE, second.offset)
    assert problem.message.startswith("block 2 of the Avro file is damaged: ")
    assert len(events_of(found)) == first.num_records


def test_a_wrong_number_of_records_is_noticed(tmp_path: Path) -> None:
    """A reader that believes it drops the others without a word."""
    data = avro_of([record(number) for number in range(3)])
    (block,) = block_reader(BytesIO(data))
    assert data[block.offset] == 6
    for count in (2, 4, 10, 7):
        wrong = data[: block.offset] + bytes([count]) + data[block.offset + 1 :]
        found = read(export_path(tmp_path), wrong)
        assert problem_of(found).message.startswith("block 1 of the Avro file is damaged: ")
        assert events_of(found) == []


def test_a_block_larger_than_the_limit_is_not_read(tmp_path: Path) -> None:
    """Neither packed nor unpacked; what comes before it is."""
    large = [record(1), *(record(number, ip_pool=" " * 1000) for number in range(2, 100))]
    for codec in CODECS:
        found = read(export_path(tmp_path), avro_of(large, codec=codec), max_document_size=20_000)
        assert problem_of(found).code is Code.DOCUMENT_TOO_LARGE, codec


@pytest.mark.parametrize(
    ("data", "code", "words"),
    [
        (
            avro_of([{"x": 1}], schema={"type": "record", "name": "a", "fields": [{"name": "x", "type": "int"}]}),
            6,
            "`id`",
        ),
        (avro_of([record()]).replace(b"\x16avro.schema", b"\x16avro.scheme"), 1, "no valid schema"),
        (avro_of([record()]).replace(b'"type": "record"', b'"type": "recodr"'), 1, "no valid schema"),
        (
            avro_of([record()], codec="deflate").replace(b"\x0edeflate", b"\x0ebrotli!"),
            1,
            "a codec that tdcur does not",
        ),
        (b"Obj\x01" + b"\xff" * 30, 1, "too many bytes"),
        (b"Obj\x01\x02\x16avro.schema\xff\xff\xff\xff\x7f", 1, "too large"),
    ],
)
def test_foreign_and_damaged_headers_are_named(data: bytes, code: int, words: str, tmp_path: Path) -> None:
    problem = problem_of(read(export_path(tmp_path), data))
    assert problem.code == f"TDC00{code}"
    assert words in problem.message


def test_values_without_json_are_damage(tmp_path: Path) -> None:
    schema = schema_of()
    schema["fields"].append({"name": "raw", "type": "bytes"})
    problem = problem_of(read(export_path(tmp_path), avro_of([record(raw=b"\xff")], schema=schema)))
    assert "values that JSON does not have" in problem.message


def test_formats_that_are_required(tmp_path: Path) -> None:
    path = export_path(tmp_path)
    path.write_bytes(avro_of([record()]))
    as_csv = list(records([Source(str(path), path)], ReadOptions(form=InputFormat.CSV)))
    assert problem_of(as_csv).message == "the input is Avro, not the format that --from requires"
    path.write_bytes(b'{"events":[]}')
    as_avro = list(records([Source(str(path), path)], ReadOptions(form=InputFormat.AVRO)))
    assert "does not begin as that of an Avro file" in problem_of(as_avro).message


def test_a_checksum_of_zlib_after_a_block_is_ignored(tmp_path: Path) -> None:
    """Some writers leave a part of it there, others do not."""
    data = avro_of([record()], codec="deflate")
    (block,) = block_reader(BytesIO(data))
    size = 1 if data[block.offset + 1] < 0x80 else 2
    head, packed, marker = data[: block.offset], data[block.offset + 1 + size : -16], data[-16:]
    plain = zlib.decompressobj(wbits=-15).decompress(packed)
    packer = zlib.compressobj(wbits=-15)
    exact = packer.compress(plain) + packer.flush()
    assert exact != packed
    size = len(exact) << 1
    again = head + b"\x02" + bytes([size & 0x7F | 0x80, size >> 7]) + exact + marker
    assert events_of(read(export_path(tmp_path), again)) == events_of(read(export_path(tmp_path), data)) != []


def test_compressed_and_in_an_archive(tmp_path: Path) -> None:
    """As any other format."""
    data = avro_of([record()])
    (event,) = events_of(read(export_path(tmp_path), gzip.compress(data)))
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(f"export/event_type={OPEN}/date=2026-07-01-00/a.avro", data)
    assert events_of(list(records([Source("a.zip", tmp_path / "a.zip")]))) == [event]
    problem = problem_of(read(export_path(tmp_path), gzip.compress(data)[:-30]))
    assert problem.message == "the gzip data is truncated"
