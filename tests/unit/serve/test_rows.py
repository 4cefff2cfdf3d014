"""From a request to a row: its write key, and its body."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from td_currents_cli.errors import InputError, UsageError
from td_currents_cli.serve.app import expected_key, presented_key
from td_currents_cli.serve.settings import HttpError, PostbackApi, ServeSettings
from td_currents_cli.serve.store import CsvFormat, JsonLinesFormat, parse_row

HEADER = {b"x-td-write-key": b"1/header"}
BEARER = {b"authorization": b"Bearer 1/bearer"}
TD1 = {b"authorization": b"TD1 1/td1"}
URL = b"a=b&td_write_key=1%2Furl"


@pytest.mark.parametrize(
    ("api", "headers", "query", "key"),
    [
        ("v1", HEADER, b"", b"1/header"),
        ("v1", {}, URL, b"1/url"),
        ("v1", {}, b"td_write_key=1/url", b"1/url"),
        ("v1", HEADER, URL, b"1/header"),
        ("v1", TD1 | HEADER, b"", b"1/header"),
        ("v1", {}, b"", None),
        ("v1", TD1, b"", None),
        ("v1", {}, b"td_write_key=", None),
        ("v1", {b"x-td-write-key": b" "}, b"", None),
        ("v2", HEADER, b"", b"1/header"),
        ("v2", TD1, b"", b"1/td1"),
        ("v2", {b"authorization": b"td1  1/td1 "}, b"", b"1/td1"),
        ("v2", TD1 | HEADER, b"", b"1/td1"),
        ("v2", BEARER | HEADER, b"", b"1/header"),
        ("v2", {b"authorization": b"TD1 "} | HEADER, b"", b"1/header"),
        ("v2", {}, b"", None),
        ("v2", BEARER, b"", None),
        ("v2", {}, URL, None),
        ("v2", HEADER, URL, None),
        ("v2", TD1, b"td_write_key=", None),
    ],
)
def test_the_key_that_counts(api: str, headers: dict[bytes, bytes], query: bytes, key: bytes | None) -> None:
    """v1: the header wins over the URL. v2: `Authorization: TD1` wins over the header, and any key in the URL is 403.

    Without a key the response is 403, too; the reason contains no key.
    """
    if key is not None:
        assert presented_key(headers, query, PostbackApi(api)) == key
        return
    with pytest.raises(HttpError) as refused:
        presented_key(headers, query, PostbackApi(api))
    assert refused.value.status == 403
    assert "1/" not in refused.value.reason


def test_the_file_wins_over_the_environment(tmp_path: Path) -> None:
    file = tmp_path / "key"
    with pytest.raises(InputError, match="No such file"):
        expected_key(file, {})
    file.write_text("  1/file\n")
    assert expected_key(file, {"TD_WRITE_KEY": "1/environment"}) == "1/file"
    assert expected_key(None, {"TD_WRITE_KEY": "1/environment\n"}) == "1/environment"
    assert expected_key(None, {"TD_WRITE_KEY": ""}) is expected_key(None, {}) is None


@pytest.mark.parametrize("content", [b"", b"\n", b"1/secret\n1/secret\n", b"\xffsecret"])
def test_a_file_without_one_key(tmp_path: Path, content: bytes) -> None:
    """A file that does not hold one key stops the run, and is not quoted."""
    file = tmp_path / "key"
    file.write_bytes(content)
    with pytest.raises(UsageError, match="does not contain one write key") as failed:
        expected_key(file, {})
    assert "secret" not in failed.value.message + failed.value.hint


def test_settings_do_not_show_the_key(tmp_path: Path) -> None:
    """A traceback or an assertion that prints the settings keeps the key to itself."""
    assert "secret" not in repr(ServeSettings(store=tmp_path / "rows.jsonl", write_key="1/secret"))


NOW = 1_800_000_000.9


def stored(body: bytes) -> dict[str, Any]:
    """What a reader of the JSON Lines store gets of a body."""
    row = parse_row(body, NOW)
    assert row is not None
    line = JsonLinesFormat().line(row)
    assert line.count(b"\n") == 1
    result: dict[str, Any] = json.loads(line)
    return result


@pytest.mark.parametrize(
    "events",
    [
        '[{"id":"a","n":1.0}]',
        "[18446744073709551615, 3.140000104904175, 1e400, -0]",
        '[ {\n\t"id" : "é\\u00e9\u2028" } ,\r\n {} ]',
        '["\\ud83d\\ude00", "\\ud83d", "\\udE00 \\\\ud800"]',
        '[{"id":"a","id":"b"}]',
    ],
    ids=["float", "numbers", "spaces", "surrogates", "duplicates"],
)
def test_the_events_column_is_what_was_sent(events: str) -> None:
    """The JSON text of the array is the sender's own, character by character."""
    assert stored(b'{"events": %b }' % events.encode()) == {"time": 1_800_000_000, "events": events}


def test_the_number_of_events_is_known() -> None:
    """The log and the figures say how many events a row has; what is no array has no number."""
    counts = [parse_row(body, NOW) for body in (b'{"events":[1,{}]}', b'{"events":{}}', b'{"a":1}')]
    assert [row.events for row in counts if row is not None] == [2, None, None]


MORE = b'{"events":[{}],"s":"x","n":1.0,"big":18446744073709551616,"no":null,"o":{"a": [1]},"yes" : true\n}'


@pytest.mark.parametrize(
    ("body", "columns"),
    [
        (MORE, {"events": "[{}]", "s": "x", "n": 1.0, "big": 2**64, "no": None, "o": '{"a": [1]}', "yes": True}),
        # `time` is the receive time.
        (b'{"events":[1],"time":5,"body_time":6}', {"events": "[1]", "body_body_time": 5, "body_time": 6}),
    ],
)
def test_other_members_become_columns(body: bytes, columns: dict[str, Any]) -> None:
    """Top-level members are columns: scalars as they are, arrays and objects as JSON text."""
    assert stored(body) == {"time": 1_800_000_000, **columns}


@pytest.mark.parametrize(
    ("told", "time"),
    [
        ("1799999000", 1_799_999_000),
        ("1799395200", 1_799_395_200),
        ("1799395199", 1_800_000_000),
        ("1800259200", 1_800_259_200),
        ("1800259201", 1_800_000_000),
        ("1e9", 1_800_000_000),
        ('"1799999000"', 1_800_000_000),
        ("9" * 5000, 1_800_000_000),
    ],
    ids=["near", "7 days", "older", "3 days", "later", "float", "text", "endless"],
)
def test_td_record_time(told: str, time: int) -> None:
    """`td_record_time` is the time of the row when it is at most 7 days old and 3 days ahead."""
    row = parse_row(b'{"events":[1],"td_record_time":%b}' % told.encode(), NOW)
    assert row is not None
    assert row.time == time


@pytest.mark.parametrize("body", [b"", b'{"events":[]}', b' { "events" : [ ] } '])
def test_a_connection_test_leaves_no_row(body: bytes) -> None:
    """Braze tests a connection with no events: no effect on data."""
    assert parse_row(body, NOW) is None


DEEP = b"[" * 100_000 + b"]" * 100_000


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"[]", "the body is not a JSON object"),
        (b"null", "the body is not a JSON object"),
        (b'"{}"', "the body is not a JSON object"),
        (b" ", "the body is not JSON"),
        (b"hello", "the body is not JSON"),
        (b'{"events":[NaN]}', "the body is not JSON"),
        (b'{"events":[1,]}', "the body is not JSON"),
        (b'{"events":["\n"]}', "the body is not JSON"),
        (b'{"events":[]} {}', "the body is not JSON"),
        (b'{"events":["\\ud800",]}', "the body is not JSON"),
        (b'{"events":["\xff"]}', "the body is not UTF-8"),
        (b'{"\xff":1}', "the body is not UTF-8"),
        (b'{"a":"\xed\xa0\x80"}', "the body is not UTF-8"),
        (b'{"a":' + DEEP + b"}", "the body is nested too deeply"),
        (b'{"a":"\\ud800","events":' + DEEP + b"}", "the body is nested too deeply"),
        (b'["\\ud800"]', "the body is not a JSON object"),
    ],
)
def test_what_is_not_a_json_object_is_refused(body: bytes, reason: str) -> None:
    """400, and the reason holds nothing of the body."""
    with pytest.raises(HttpError) as refused:
        parse_row(body, NOW)
    assert (refused.value.status, refused.value.reason) == (400, reason)


@pytest.mark.parametrize(
    ("body", "line"),
    [
        (b'{"events":[{"a":"x,y"}],"n":1.0,"o":{"b":"q"}}', b'"[{""a"":""x,y""}]","{""n"":1.0,""o"":{""b"":""q""}}"'),
        (b'{"a":1}', b',"{""a"":1}"'),
        (b'{"events":[1]}', b'"[1]",'),
    ],
)
def test_csv_keeps_further_members_in_one_column(body: bytes, line: bytes) -> None:
    """What has no column of its own is in `extra`, and nothing is lost; a cell that is not there is empty."""
    row = parse_row(body, NOW)
    assert row is not None
    assert CsvFormat().line(row) == b"1800000000,%b\n" % line


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(events=st.lists(JSON, min_size=1), ascii_only=st.booleans(), indent=st.none() | st.integers(0, 2))
def test_any_array_comes_back(events: list[Any], ascii_only: bool, indent: int | None) -> None:
    """Whatever is sent as `events`, in whatever notation, is what is read back."""
    text = json.dumps(events, ensure_ascii=ascii_only, indent=indent)
    try:
        body = f'{{"events":{text}}}'.encode()
    except UnicodeEncodeError:
        return
    assert stored(body)["events"] == text
