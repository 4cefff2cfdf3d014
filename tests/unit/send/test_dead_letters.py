"""Dead letters: every line says why, nothing is written twice, nothing secret is in it, and the event is unchanged."""

import json
import resource
import stat
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from td_currents_cli.errors import OutputError
from td_currents_cli.events.decode import split
from td_currents_cli.model import Batch, Code, Location, Problem
from td_currents_cli.read import records, sources
from td_currents_cli.send.dead_letters import MAX_RESPONSE, DeadLetter, DeadLetterFile, scrubber
from td_currents_cli.send.destination import Destination
from td_currents_cli.send.endpoint import resolve

EVENT = rb'{"id":"\ud800", "n" : 1.0, "big":12345678901234567890, "e":"\u00e9"}'
WHERE = Location(source="a b.jsonl", line=3, column=7, offset=99)
URL = "https://example.com/hook"


def letter(event: bytes = EVENT, **changes: Any) -> DeadLetter:
    problem = Problem(code=Code.TIME_MISSING, location=WHERE, message="`time` is missing", pointer="/time")
    values = {"status": 400, "response": b"no", "attempts": 2, "problems": (problem,), **changes}
    return DeadLetter(event=event, location=WHERE, event_index=4, **values)


def opened(path: Path, url: str = URL, environ: Mapping[str, str] | None = None) -> DeadLetterFile:
    return DeadLetterFile(path, resolve(Destination(url=url), environ or {}), lambda: 1_782_900_000.9)


def write(path: Path, *letters: DeadLetter, url: str = URL, environ: Mapping[str, str] | None = None) -> None:
    with closing(opened(path, url, environ)) as file:
        for each in letters:
            file.add(each)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "dead-letter.jsonl"


def test_a_line_has_the_fields_that_scripts_rely_on(file: Path) -> None:
    write(file, letter(b'{"id":"1"}'))
    (line,) = file.read_text().splitlines()
    assert list(json.loads(line)) == [
        "reason", "status", "response", "attempts", "source", "line", "row", "event_index", "at", "endpoint",
        "findings", "event",
    ]  # fmt: skip
    assert json.loads(line) == {
        "reason": "TDC106 `time` is missing",
        "status": 400,
        "response": "no",
        "attempts": 2,
        "source": "a b.jsonl",
        "line": 3,
        "row": None,
        "event_index": 4,
        "at": "2026-07-01T10:00:00Z",
        "endpoint": URL,
        "findings": [{"code": "TDC106", "pointer": "/time", "message": "`time` is missing"}],
        "event": {"id": "1"},
    }
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_the_event_is_the_one_that_was_read_byte_for_byte(file: Path) -> None:
    write(file)
    assert not file.exists()
    write(file, letter(), letter(b'{"id"\r\n:\n"2"}', status=None, response=b"", attempts=0))
    first, second = file.read_bytes().splitlines()
    assert first.endswith(b',"event":' + EVENT + b"}")
    assert second.endswith(b',"event":{"id"  : "2"}}')
    assert b'"status":null,"response":null,"attempts":0,' in second


def test_the_same_event_is_not_written_again_by_the_next_run_to_the_same_endpoint(file: Path) -> None:
    twice = [letter(b'{"id":"1"}'), letter(b'{"id":"1"}')]
    write(file, *twice)
    write(file, *twice, letter(b'{"id":"2"}'))
    write(file, letter(b'{"id":"2"}'), url="https://example.org/")
    assert [json.loads(line)["event"]["id"] for line in file.read_text().splitlines()] == ["1", "1", "2", "2"]


def test_a_line_that_was_cut_off_by_a_hard_stop_is_ended(file: Path) -> None:
    write(file, letter(b'{"id":"1"}'))
    file.write_bytes(file.read_bytes() + b'{"reason":"TDC106 `ti')
    write(file, letter(b'{"id":"2"}'))
    lines = file.read_bytes().splitlines()
    assert len(lines) == 3
    assert json.loads(lines[2])["event"] == {"id": "2"}


def test_a_file_with_other_content_is_not_appended_to(file: Path) -> None:
    file.write_text('{"events":[]}\n')
    with pytest.raises(OutputError, match="something other than dead letters"):
        opened(file)
    with pytest.raises(OutputError, match="folder"):
        opened(file.parent)


def test_letters_are_written_to_a_pipe(tmp_path: Path) -> None:
    write(Path("/dev/null"), letter())
    with pytest.raises(OutputError, match="no such file") as caught:
        write(tmp_path / "missing" / "letters", letter())
    assert str(tmp_path / "missing") in caught.value.hint


def test_on_a_full_disk_a_letter_is_written_wholly_or_not_at_all(file: Path) -> None:
    write(file, letter(b'{"id":"1"}'))
    before = file.read_bytes()
    letters = opened(file)
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 100, limit[1]))
        with pytest.raises(OutputError, match=r"file too large"):
            letters.add(letter(b'{"id":"2"}'))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    letters.close()
    assert file.read_bytes() == before


KEY = "4711/" + "5ec4e7" * 6 + "5ec4"


@pytest.mark.parametrize(
    "answer",
    [
        f"you sent {KEY}",
        f"you sent {KEY.upper()}",
        f"https://h/?td_write_key={KEY.replace('/', '%2F')}",
        '{"key":"' + KEY.replace("/", "\\/") + '"}',
        f"the secret is {KEY[5:]}",
        "Bearer t0ken-of-ours",
        "invalid: jane.doe+x@example.com is taken",
        'mail "jane%40example.com"',
        "another key: 99/" + "ab" * 20,
        "cursor=h1dden-value&x=1",
    ],
)
def test_a_response_that_repeats_a_secret_is_kept_without_it(file: Path, answer: str) -> None:
    url = "https://example.com/postback/v3/event/d_b/t_b?cursor=h1dden-value"
    secrets = {"TD_WRITE_KEY": KEY, "TDCUR_TOKEN": "t0ken-of-ours"}
    write(file, letter(response=answer.encode()), url=url, environ=secrets)
    header, _, _ = file.read_text().partition('"event":')
    for secret in (KEY, KEY[5:], "t0ken", "h1dden", "jane", "ab" * 20):
        assert secret.lower() not in header.lower()
    assert "***" in header


@pytest.mark.parametrize("length", range(len(KEY)))
def test_the_beginning_of_a_secret_at_the_end_of_a_cut_response_is_removed(length: int) -> None:
    scrub = scrubber(resolve(Destination(url="https://example.com/x"), {"TDCUR_TOKEN": KEY}))
    assert scrub("why " * 200 + KEY[:length], True).rstrip() == ("why " * 200)[: 400 + length].rstrip()


def test_a_response_is_cut_and_a_file_name_need_not_be_utf8(file: Path) -> None:
    odd = DeadLetter(event=b"{}", location=Location(source="a\udcff.json"), event_index=0, problems=())
    write(file, letter(response=b"\xff" + b"x" * 5000), odd)
    first, second = file.read_bytes().replace(EVENT, b"{}").splitlines()
    assert json.loads(first)["response"] == "\ufffd" + "x" * (MAX_RESPONSE - 1)
    assert json.loads(second)["source"] == "a\ufffd.json"


@pytest.mark.parametrize(
    "event",
    [
        b'{"event_type":"t","id":"1","x":1.0}',
        b'{"event_type":"t","id":"1","properties":{"events":"[]","event":{"event_type":"no"}}}',
        rb'{"event_type":"t","id":"\ud800"}',
        b'{"id":"1"}',
        b"{}",
        '{"event_type":"t","id":"é"}'.encode(),
    ],
)
def test_a_dead_letter_is_read_as_its_event_at_its_place(file: Path, event: bytes) -> None:
    write(file, letter(b'{"event_type":"first"}'), letter(event))
    _, second = records(sources([str(file)]))
    assert isinstance(second, Batch)
    assert [bytes(each) for each in split(second).events] == [event]
    assert (second.location.line, second.location.row) == (2, None)
    begin = second.location.offset + second.data.index(event)
    assert file.read_bytes()[begin:].startswith(event)
    line = file.read_bytes().splitlines()[1]
    column = (second.location.column or 0) - 1 + second.data.index(event)
    assert line.decode()[column:].encode().startswith(event)


def test_a_dead_letter_that_was_reformatted_is_read_too(file: Path) -> None:
    write(file, letter(b'{"event_type":"t","id":"1"}'))
    file.write_text(json.dumps(json.loads(file.read_text()), indent=2, sort_keys=True))
    (batch,) = records(sources([str(file)]))
    assert isinstance(batch, Batch)
    assert msgspec.json.decode(batch.data) == {"event_type": "t", "id": "1"}
    text = file.read_text()
    assert batch.location.line == text[: text.index('{\n    "event_type"')].count("\n") + 1
    assert batch.location.column == len('  "event": ') + 1


@pytest.mark.parametrize(
    "line",
    [
        b'{"event_type":"t","event":{"id":"1"}}',
        b'{"id":"1","event":"text"}',
        b'{"events":[{"id":"1"}],"event":{"id":"2"}}',
        b'{"id":"1","event":{"id":"2"}',
    ],
)
def test_what_only_looks_like_a_dead_letter_is_left_alone(file: Path, line: bytes) -> None:
    file.write_bytes(line + b"\n")
    (batch,) = records(sources([str(file)]))
    assert isinstance(batch, Batch)
    assert batch.data == line
