import csv
import hmac
import json
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest

from td_currents_cli.braze import table_name
from td_currents_cli.choices import Mask, Names, Nested, To
from td_currents_cli.errors import ExitCode, UsageError
from td_currents_cli.events.filter import Filter
from td_currents_cli.events.mask import Masking, looks_personal
from td_currents_cli.parse import ParseRequest, Rejects, run
from td_currents_cli.parse.request import format_of
from td_currents_cli.parse.writers import TooManyRejectsError
from td_currents_cli.read import sources
from td_currents_cli.read.options import ReadOptions
from td_currents_cli.render.parse import report_parsed
from tests.rendering import Screen

SAMPLES = Path(__file__).parents[3] / "sample_data" / "rows" / "rows.jsonl"
OPEN = b'{"event_type":"users.messages.email.Open","id":"1","time":1782900000,"user":{"user_id":"u"},"properties":{}}'
CUSTOM = (
    b'{"event_type":"users.behaviors.CustomEvent","id":"2","time":1782900060,"user":{"user_id":"u"},"properties":'
    b'{"name":"n","custom_properties":{"n":1e400,"mail":"to a@b.example","phone":4915112345678,"at":"2026-07-01"}}}'
)


@pytest.fixture
def payload(tmp_path: Path) -> Path:
    """Two events, the first of them twice, and a bad row."""
    path = tmp_path / "in.jsonl"
    path.write_bytes(b'{"events":[' + OPEN + b"," + CUSTOM + b"," + OPEN + b"]}\n" + b'{"events":[')
    return path


def request(payload: Path, **options: Any) -> ParseRequest:
    """Of that file, to a file in the same folder."""
    usual: dict[str, Any] = {"sources": sources([str(payload)]), "output": payload.with_name("out")}
    return ParseRequest(**(usual | options))


def lines(payload: Path, **options: Any) -> list[dict[str, Any]]:
    run(request(payload, **options))
    return [json.loads(line) for line in payload.with_name("out").read_bytes().splitlines()]


@pytest.mark.parametrize("jobs", [1, 2])
def test_filters_and_duplicates_are_in_the_balance(payload: Path, jobs: int) -> None:
    """Read = written + duplicates + filtered, for any number of processes."""
    payload.write_bytes(payload.read_bytes().splitlines()[0])
    wanted = Filter.of(types=["*.email.*"], since="@1782900000", until=None, now=0)
    outcome = run(request(payload, wanted=wanted, dedupe=True, jobs=jobs))
    assert {"events_read": 3, "written": 1, "duplicates": 1, "filtered": 1}.items() <= outcome.summary().items()
    assert outcome.balance.balanced


def test_several_processes_keep_the_order(tmp_path: Path) -> None:
    """Two processes write what one writes, with more chunks than are done before processes start."""
    path = tmp_path / "in.jsonl"
    path.write_bytes(
        b"".join(b'{"event_type":"a","user":{"n":%d},"id":"%s"}\n' % (n, b"x" * 100_000) for n in range(160))
    )
    assert lines(path, jobs=2) == lines(path, jobs=1)


def test_the_names_of_both_exports(payload: Path) -> None:
    """As in Treasure Data's streaming connector, dotted, and short."""
    for names, user in ((Names.SHORT, "user_id"), (Names.STREAMING, "user_user_id"), (Names.DOTTED, "user.user_id")):
        assert user in lines(payload, names=names)[0]


def test_nested_objects_become_strings(payload: Path) -> None:
    """The JSON byte for byte, also numbers of any size."""
    text = lines(payload, nested=Nested.JSON)[1]["custom_properties"]
    assert text.startswith('{"n":1e400,')


def test_fields_are_selected_and_ordered(payload: Path) -> None:
    """A field that an event does not have is omitted in JSON and empty in a table."""
    fields = ("time", "name", "id")
    assert [" ".join(each) for each in lines(payload, fields=fields)] == ["time id", "time name id", "time id"]
    run(request(payload, fields=fields, to=To.CSV))
    assert payload.with_name("out").read_text().startswith("time,name,id\n1782900000,,1\n1782900060,n,2\n")


def test_columns_are_those_of_the_event_types_in_the_order_of_the_catalog(payload: Path) -> None:
    """Also without any value; unknown fields follow."""
    payload.write_bytes(OPEN.replace(b'"properties":{}', b'"properties":{"zzz":1}'))
    run(request(payload, to=To.TSV))
    head, row = payload.with_name("out").read_text().splitlines()
    columns = head.split("\t")
    assert columns[:4] == ["event_type", "id", "time", "user_id"]
    assert columns[-1] == "zzz"
    assert "campaign_id" in columns
    assert "price" not in columns
    assert row.count("\\N") == len(columns) - 5


def test_hashes_are_hmac_sha256_of_the_string(payload: Path, tmp_path: Path) -> None:
    """As the README says: anyone with the key can compute them, and joins still work."""
    key = tmp_path / "mask.key"
    key.write_bytes(b"0123456789abcdef\n")
    first, second, _ = lines(payload, mask=Mask.HASH, mask_key=key)
    assert first["user_id"] == second["user_id"] == hmac.digest(b"0123456789abcdef", b"u", "sha256").hex()
    custom = second["custom_properties"]
    assert custom["phone"] == hmac.digest(b"0123456789abcdef", b"4915112345678", "sha256").hex()
    assert custom["mail"] == hmac.digest(b"0123456789abcdef", b"to a@b.example", "sha256").hex()
    assert custom["at"] == "2026-07-01"
    assert (first["id"], first["time"]) == ("1", 1782900000)


def test_a_table_has_no_columns_of_dropped_fields(payload: Path) -> None:
    """Those of other fields stay, with or without values."""
    run(request(payload, to=To.CSV, mask=Mask.DROP))
    names = payload.with_name("out").read_text().splitlines()[0].split(",")
    assert {"user_id", "external_user_id", "email_address"}.isdisjoint(names)
    assert {"event_type", "timezone", "campaign_id"} <= {*names}


def test_masking_changes_nothing_else() -> None:
    """Other values stay byte for byte; dropped fields are removed."""
    assert Masking(None)(CUSTOM) == (
        b'{"event_type":"users.behaviors.CustomEvent","id":"2","time":1782900060,"properties":'
        b'{"name":"n","custom_properties":{"n":1e400,"at":"2026-07-01"}}}'
    )
    plain = b'{"event_type":"a","id":"1","time":2,"properties":{"x":{"a": 1.0,"b":"\\ud800"}}}'
    assert Masking(b"k")(plain) == plain


def test_what_is_too_deep_to_be_searched_is_masked_as_a_whole() -> None:
    # Python 3.12 takes one frame where 3.11 takes two.
    depth = 600 if sys.version_info < (3, 12) else 1200
    deep = b'{"event_type":"a","properties":{"x":%b,"y":"a"}}' % (b"[" * depth + b"]" * depth)
    assert Masking(None)(deep) == b'{"event_type":"a","properties":{"y":"a"}}'
    assert len(json.loads(Masking(b"k")(deep))["properties"]["x"]) == 64


PERSONAL = ["a@b.de", "call +49 (151) 123-456", "555-123-4567", "at 10.0.0.1!", "::1", "fe80::1%eth0"]
OTHERS = ["", "2026-07-01T10:00:00Z", "12:30:45", "a@", "1.2.3", "SKU-1234-56", "eb17c229-42ac-4442-86b8-41bbfd2c11e2"]


@pytest.mark.parametrize("text", [*PERSONAL, *OTHERS])
def test_what_looks_personal(text: str) -> None:
    """Email addresses, phone numbers and IP addresses, alone or in a sentence."""
    assert looks_personal(text) == (text in PERSONAL)


def test_one_file_per_event_type(payload: Path, tmp_path: Path) -> None:
    """Named as by the streaming connector; together they have the content of one file."""
    outcome = run(request(payload, output=None, split=True, out_dir=tmp_path / "types"))
    assert sorted(path.name for path in (tmp_path / "types").iterdir()) == list(outcome.files)
    assert outcome.files == ("users_behaviors_custom_event.jsonl", "users_messages_email_open.jsonl")
    assert len((tmp_path / "types" / outcome.files[1]).read_bytes().splitlines()) == 2


def test_types_with_equal_file_names_have_separate_files(payload: Path, tmp_path: Path) -> None:
    """They appear together or not at all: a run that stops leaves neither files nor a folder."""
    split: dict[str, Any] = {"output": None, "split": True, "out_dir": tmp_path / "types"}
    with pytest.raises(TooManyRejectsError):
        run(request(payload, max_rejects=Rejects.of("0"), **split))
    assert not (tmp_path / "types").exists()
    payload.write_bytes(b'{"event_type":"a.B"}\n{"event_type":"a_b"}\n{"event_type":"a.B"}\n')
    assert run(request(payload, **split)).files == ("a_b.jsonl", "a_b_2.jsonl")
    assert (tmp_path / "types" / "a_b_2.jsonl").read_bytes() == b'{"event_type":"a_b"}\n'


@pytest.mark.parametrize(
    ("event_type", "stem"),
    [
        ("users.behaviors.Purchase", "users_behaviors_purchase"),
        ("users.behaviors.CustomEvent", "users_behaviors_custom_event"),
        ("", "unknown"),
        ("../../etc/passwd", "etc_passwd"),
    ],
)
def test_file_names(event_type: str, stem: str) -> None:
    """In lower snake case; for any type, the file is in the folder."""
    assert table_name(event_type) == stem


@pytest.mark.parametrize(("limit", "said"), [("0", "0"), ("49%", "49 %")])
def test_too_many_rejects_stop_the_run(payload: Path, tmp_path: Path, limit: str, said: str) -> None:
    """Exit code 1 and no output; the rejects file is kept."""
    rejects, summary = tmp_path / "rejects.jsonl", tmp_path / "summary.json"
    with pytest.raises(TooManyRejectsError, match=f"1 rejected, but --max-rejects is {said}$") as error:
        run(request(payload, rejects=rejects, summary=summary, max_rejects=Rejects.of(limit)))
    told = json.loads(summary.read_bytes())
    assert (told["exit_code"], told["summary"]["rows_rejected"]) == (1, 1)
    assert told["error"]["message"] == error.value.message
    assert error.value.exit_code is ExitCode.FINDINGS
    assert not payload.with_name("out").exists()
    assert len(rejects.read_bytes().splitlines()) == 1
    run(request(payload, max_rejects=Rejects.of("50%")))


def test_the_summary_is_the_envelope(payload: Path, tmp_path: Path) -> None:
    """For scripts, because standard output has the data."""
    outcome = run(request(payload, summary=tmp_path / "summary.json"))
    assert json.loads((tmp_path / "summary.json").read_bytes()) == json.loads(json.dumps(outcome.as_dict()))


@pytest.mark.parametrize(
    "options",
    [
        {"split": True},
        {"out_dir": Path("x")},
        {"split": True, "out_dir": Path("x")},
        {"mask": Mask.HASH},
        {"mask_key": Path("k")},
        {"mask": Mask.HASH, "mask_key": Path("/dev/null")},
        {"mask": Mask.HASH, "mask_key": Path("/nowhere")},
        {"fields": ("a", "a")},
        {"fields": ()},
        {"to": To.CSV, "nested": Nested.OBJECT},
        {"summary": Path("same"), "rejects": Path("same")},
        {"output": None, "rejects": Path("-")},
    ],
)
def test_options_that_conflict(payload: Path, options: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        run(request(payload, **options))
    assert not payload.with_name("out").exists()


@pytest.mark.parametrize("option", ["rejects", "summary"])
def test_rejects_and_summary_cannot_replace_an_input(payload: Path, tmp_path: Path, option: str) -> None:
    before = payload.read_bytes()
    link = tmp_path / "link"
    link.symlink_to(payload)
    for name in (payload, link):
        with pytest.raises(UsageError, match="is also an input"):
            run(request(payload, **{option: name}))
    assert payload.read_bytes() == before


def test_an_invalid_max_rejects() -> None:
    for text in ("", "x", "-1", "101%", "1.5"):
        with pytest.raises(UsageError, match="--max-rejects"):
            Rejects.of(text)


def test_parquet_has_the_types_of_the_catalog(tmp_path: Path) -> None:
    """Numbers as numbers, strings with dictionaries, zstd."""
    run(ParseRequest(sources=sources([str(SAMPLES)]), output=tmp_path / "x.parquet", to=To.PARQUET))
    file = pyarrow.parquet.ParquetFile(tmp_path / "x.parquet")
    types = {field.name: str(field.type) for field in file.schema_arrow}
    assert (types["time"], types["price"], types["user_id"]) == ("int64", "double", "string")
    assert file.metadata.row_group(0).column(0).compression == "ZSTD"


def test_parquet_without_pyarrow_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(UsageError) as failure:
        run(ParseRequest(sources=sources([str(SAMPLES)]), output=tmp_path / "x.parquet", to=To.PARQUET))
    assert failure.value.hint == "In a checkout: python3 -m pip install '.[parquet]'"
    assert not list(tmp_path.iterdir())


def test_large_events_make_small_row_groups(tmp_path: Path) -> None:
    """Memory is bounded by the bytes of a row group, not only by its rows; no row is lost."""
    path = tmp_path / "in.jsonl"
    event = b'{"event_type":"a","id":"%d","time":1,"user":{},"properties":{"t":"%b"}}\n'
    path.write_bytes(b"".join(event % (number, b"x" * 3_000_000) for number in range(13)))
    run(ParseRequest(sources=sources([str(path)]), output=tmp_path / "x.parquet", to=To.PARQUET))
    file = pyarrow.parquet.ParquetFile(tmp_path / "x.parquet")
    assert [file.metadata.row_group(index).num_rows for index in range(file.num_row_groups)] == [6, 6, 1]
    assert file.read(["id"]).column("id").to_pylist() == [str(number) for number in range(13)]


def test_formulas_are_made_strings(payload: Path) -> None:
    """Only on request, in CSV, also in names; numbers are left, and so is what was quoted for other reasons."""
    payload.write_bytes(
        b'[{"event_type":"=a","id":"+1","properties":{"@n":"-x","n":-1.5,"t":"\\t,","s":" =","d":"-2026-01-01"}}]'
    )
    run(request(payload, to=To.CSV, safe_csv=True))
    assert payload.with_name("out").read_text() == (
        "event_type,id,time,'@n,n,t,s,d\n" + "'=a,'+1,,'-x,-1.5,\"'\t,\", =,-2026-01-01\n"
    )
    with pytest.raises(UsageError, match="--safe-csv"):
        run(request(payload, to=To.TSV, safe_csv=True))


@pytest.mark.parametrize("to", [To.CSV, To.PARQUET])
def test_very_many_unknown_fields_share_a_column(payload: Path, to: To) -> None:
    """A column for each would make the table as large as its rows times its columns. Nothing is lost."""
    numbers = [range(first, first + 200) for first in range(0, 4200, 200)]
    fields = [{f"f{k}": "\ud800" if k % 2 and k > 1 else k for k in some} for some in numbers]
    payload.write_text("\n".join(json.dumps({"event_type": "x", **each}) for each in fields))
    outcome = run(request(payload, to=to, fields=None))
    assert "column `other_fields` has the others as JSON" in " ".join(outcome.notes)
    if to is To.PARQUET:
        rows = pyarrow.parquet.read_table(payload.with_name("out")).to_pylist()
    else:
        rows = list(csv.DictReader(payload.with_name("out").read_text().splitlines()))
    assert len(rows[0]) == 2004
    assert json.loads(rows[-1]["other_fields"]) == fields[-1]
    assert (rows[0]["f0"], rows[0]["other_fields"] or None) in {("0", None), (0, None)}
    once = payload.with_name("out").read_bytes()
    if to is To.CSV:
        payload.write_bytes(once)
        run(request(payload, to=to))
        assert payload.with_name("out").read_bytes() == once


LONE_OPTIONS: list[dict[str, Any]] = [{}, {"dedupe": True}, {"to": To.CSV}, {"to": To.PARQUET}]


@pytest.mark.parametrize("options", [*LONE_OPTIONS, {"wanted": Filter(since=0)}, {"fields": ("id", "\ud800")}])
def test_names_with_lone_surrogates(payload: Path, options: dict[str, Any]) -> None:
    payload.write_bytes(b'{"events":[{"event_type":"x","id":"1","time":1,"properties":{"\\ud800":{"\\udfff":1e400}}}]}')
    assert run(request(payload, **options)).balance.events_out == 1


@pytest.mark.parametrize("to", [To.CSV, To.TSV])
def test_a_table_of_one_column_is_read_back(payload: Path, to: To) -> None:
    """An empty line is a row of it: null in CSV, an empty string in TSV."""
    payload.write_bytes(b'[{"event_type":null},{"event_type":"a"},{"event_type":""}]')
    run(request(payload, to=to, fields=("event_type",)))
    table = payload.with_name("out").read_bytes()
    payload.write_bytes(table)
    run(request(payload, to=to, fields=("event_type",), reading=ReadOptions.of(to)))
    assert payload.with_name("out").read_bytes() == table


def test_a_column_whose_name_has_quotes(payload: Path) -> None:
    payload.write_bytes(rb'{"a\"b":"[{\"event_type\":\"x\"}]","n":1}' + b"\n" + rb'{"a\"b":null,"n":2}')
    assert lines(payload) == [{"event_type": "x"}]


def test_a_truncated_row_counts_as_rejected(tmp_path: Path) -> None:
    """For --max-rejects: events are lost. Its complete events are written all the same."""
    path = tmp_path / "rows.jsonl"
    path.write_bytes(json.dumps({"time": 1, "events": f"[{OPEN.decode()},{{"}).encode() + b"\n")
    with pytest.raises(TooManyRejectsError, match="1 rejected or truncated, but --max-rejects is 0"):
        run(request(path, max_rejects=Rejects.of("0")))
    outcome = run(request(path, max_rejects=Rejects.of("1")))
    figures = {"rows_read": 1, "rows_truncated": 1, "rows_rejected": 0, "events_read": 2, "written": 1, "lost": 1}
    assert figures.items() <= outcome.summary().items()


def test_the_report_names_the_files(payload: Path, tmp_path: Path, screen: Screen) -> None:
    """At its end: one file, a folder of several, and what was written besides."""
    rejects, summary = tmp_path / "rejects.jsonl", tmp_path / "summary.json"
    report_parsed(run(request(payload, rejects=rejects, summary=summary)), screen.terminal)
    *_, balance, others = screen.err.splitlines()
    assert balance.endswith(f"3 events written to {tmp_path / 'out'}")
    assert others == f"1 reject in {rejects}; summary in {summary}"
    report_parsed(run(request(payload, output=None, split=True, out_dir=tmp_path / "types")), screen.terminal)
    assert screen.err.splitlines()[-1].endswith(f"3 events written to 2 files in {tmp_path / 'types'}")
    report_parsed(run(request(payload, output=Path("-"))), screen.terminal)
    assert screen.err.splitlines()[-1].endswith("3 events written")


@pytest.mark.parametrize(
    ("name", "to"),
    [
        ("e.csv", To.CSV),
        ("e.TSV", To.TSV),
        ("e.parquet", To.PARQUET),
        ("e.csv.gz", To.CSV),
        ("e.tsv.ZST", To.TSV),
        ("e.jsonl.gz", To.JSONL),
        ("e.gz", To.JSONL),
        ("e.csv.old", To.JSONL),
        ("e", To.JSONL),
        ("-", To.JSONL),
        (None, To.JSONL),
    ],
)
def test_the_format_is_that_of_the_suffix(name: str | None, to: To) -> None:
    assert format_of(None if name is None else Path(name)) is to
