import json
from pathlib import Path

import pytest

from td_currents_cli.choices import Names, When
from td_currents_cli.errors import ExitCode, UsageError
from td_currents_cli.model import Code, Location, Problem
from td_currents_cli.parse import ParseRequest, reject_line, run
from td_currents_cli.read import sources
from td_currents_cli.render.parse import report_parsed
from td_currents_cli.render.terminal import Terminal

ROWS = (
    'time,events\n1,"[{""event_type"":""a"",""user"":{""x"":1.0}},7]"\n2,oops\n3,"[{""event_type"":""b""}]"\n4,[],5\n'
)


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    """A file of four rows, two of them bad, one with an element that is not an event."""
    path = tmp_path / "rows.csv"
    path.write_text(ROWS, encoding="utf-8")
    return path


def test_rows_become_flat_events(rows: Path, tmp_path: Path) -> None:
    """One per line, in order; bad rows do not affect others and make the run exit with 1 at the end."""
    output = tmp_path / "out.jsonl"
    outcome = run(ParseRequest(sources=sources([str(rows)]), output=output))
    assert output.read_bytes() == b'{"event_type":"a","x":1.0}\n{"event_type":"b"}\n'
    assert outcome.exit_code is ExitCode.FINDINGS
    assert outcome.summary() == {
        "rows_read": 4,
        "rows_rejected": 2,
        "rows_truncated": 0,
        "events_read": 3,
        "events_rejected": 1,
        "written": 2,
        "duplicates": 0,
        "filtered": 0,
        "lost": 0,
        "read_as": ["column `events` (2nd), CSV with header"],
    }


def test_rejects_lines_have_place_reason_and_record(rows: Path, tmp_path: Path) -> None:
    """So that they can be fixed and parsed again."""
    rejects = tmp_path / "rejects.jsonl"
    run(ParseRequest(sources=sources([str(rows)]), output=tmp_path / "out.jsonl", rejects=rejects))
    lines = [json.loads(line) for line in rejects.read_text("utf-8").splitlines()]
    assert [(line["row"], line["line"], line["code"], line["raw"]) for line in lines] == [
        (1, 2, Code.EVENT_NOT_OBJECT, "7"),
        (2, 3, Code.NOT_JSON, "oops"),
        (4, 5, Code.BAD_ROW, "4,[],5"),
    ]
    assert {line["source"] for line in lines} == {str(rows)}
    assert all(line["reason"] for line in lines)
    assert [line["offset"] for line in lines] == [ROWS.index("1,"), ROWS.index("2,"), ROWS.index("4,")]


def test_the_hint_for_an_unknown_format(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It names the options; a bad row needs none and has only its own line."""
    unknown, bad = tmp_path / "other.csv", tmp_path / "rows.csv"
    unknown.write_text("a,b\n1,2\n", encoding="utf-8")
    bad.write_text(ROWS, encoding="utf-8")
    for path, hints in ((unknown, 1), (bad, 0)):
        report_parsed(
            run(ParseRequest(sources=sources([str(path)]), output=tmp_path / "out")), Terminal(color=When.never)
        )
        assert capsys.readouterr().err.count("hint: Name the column or the format: --column NAME|NUMBER") == hints


def test_an_unknown_field_is_reported(rows: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is written, because Braze may add fields; a typo would give an empty column."""
    for names, fields in ((Names.SHORT, ("id", "price", "prise")), (Names.DOTTED, ("id", "properties.price", "x"))):
        request = ParseRequest(sources=sources([str(rows)]), output=tmp_path / "out", names=names, fields=fields)
        report_parsed(run(request), Terminal(color=When.never))
    said = capsys.readouterr().err
    assert "--fields: `prise` is not in the catalog; did you mean `price`?\n" in said
    assert "--fields: `x` is not in the catalog\n" in said
    assert said.count("--fields") == 2


def test_the_rejects_file_exists_even_if_nothing_was_rejected(tmp_path: Path) -> None:
    """A script can look at its size without checking that it exists."""
    source, rejects = tmp_path / "x.json", tmp_path / "rejects.jsonl"
    source.write_bytes(b'{"event_type":"a"}')
    outcome = run(ParseRequest(sources=sources([str(source)]), output=tmp_path / "out.jsonl", rejects=rejects))
    assert outcome.exit_code is ExitCode.OK
    assert rejects.read_bytes() == b""


def test_a_rejects_line_is_json_for_any_record() -> None:
    """Bytes that are not UTF-8 are escaped; a file name may be any bytes."""
    place = Location(source="\udcff.csv", line=1, row=1)
    line = reject_line(Problem(code=Code.NOT_UTF8, location=place, message="not UTF-8", raw=b'\xff\n"\xed\xa0\x80'))
    assert line.count(b"\n") == 1
    assert json.loads(line)["raw"] == '\\xff\n"\\xed\\xa0\\x80'
    assert json.loads(line)["source"] == "\udcff.csv"


def test_the_output_may_be_the_input(tmp_path: Path) -> None:
    """It gets its name only when everything has been read."""
    path = tmp_path / "x.jsonl"
    path.write_bytes(b'{"event_type":"a","user":{"x":1}}\n' * 3)
    for _ in range(2):
        run(ParseRequest(sources=sources([str(path)]), output=path))
        assert path.read_bytes() == b'{"event_type":"a","x":1}\n' * 3


def test_output_and_rejects_cannot_be_one_file(rows: Path, tmp_path: Path) -> None:
    """One would silently replace the other, also under another name; `/dev/null` is fine."""
    (tmp_path / "link.jsonl").symlink_to(tmp_path / "out.jsonl")
    for rejects in ("out.jsonl", "link.jsonl", "./out.jsonl"):
        request = ParseRequest(sources=sources([str(rows)]), output=tmp_path / "out.jsonl", rejects=tmp_path / rejects)
        with pytest.raises(UsageError, match="same file"):
            run(request)
    run(ParseRequest(sources=sources([str(rows)]), output=Path("/dev/null"), rejects=Path("/dev/null")))
